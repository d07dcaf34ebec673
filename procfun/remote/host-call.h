/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/engine.h"
#include "procfun/remote/message.h"

G_BEGIN_DECLS

/* A call that came to this host, while it runs on the host's own pool. In the main context of the
 * host. */
typedef struct _HostCall HostCall;

/* The call has ended, and its end has been sent: it is to be freed. */
typedef void (*HostCallFunc) (HostCall *self, gpointer user_data);

/* Begins with the call @id of @engine, which @function was found for. @payload: its arguments.
 * (nullable): with an error, it was not begun. */
HostCall *host_call_new (ProcfunEngine *engine, guint64 id, GBytes *payload,
                         const RemoteCallHead *head, GVariant *options, ProcfunFunction *function,
                         ProcfunExecutor *pool, HostCallFunc func, gpointer user_data,
                         GError **error);
void host_call_free (HostCall *self);

guint64 host_call_get_id (const HostCall *self);

/* Words of the caller. */
void host_call_cancel (HostCall *self, gboolean is_urgent);
void host_call_cancel_element (HostCall *self, guint64 at);
void host_call_take (HostCall *self, guint64 bytes);

/* Answers a call that was not begun. */
void host_call_refuse (ProcfunEngine *engine, guint64 id, RemoteEndStatus status,
                       const GError *error);

G_END_DECLS
