/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"
#include "procfun/remote/engine.h"
#include "procfun/remote/message.h"

G_BEGIN_DECLS

/* Elements of a caller's map, which came to this host as one call, and are a map of its own here.
 */
typedef struct _HostChunk HostChunk;

/* Its end has been sent: it is to be freed. */
typedef void (*HostChunkFunc) (gpointer user_data);

/* Begins with the elements in @payload, and answers as the call @id of @engine. (nullable): with an
 * error, it was not begun. @limits: (nullable); @prepare is shown each call with @user_data before
 * it begins. */
HostChunk *host_chunk_new (ProcfunEngine *engine, guint64 id, GBytes *payload,
                           const RemoteCallHead *head, ProcfunLimits *limits,
                           ProcfunFunction *function, ProcfunExecutor *executor,
                           void (*prepare) (ProcfunCall *call, gpointer user_data),
                           HostChunkFunc func, gpointer user_data, GError **error);
void host_chunk_free (HostChunk *self);

/* The caller wants no more of it. */
void host_chunk_cancel (HostChunk *self, gboolean is_urgent);

/* Nor of one element. */
void host_chunk_cancel_element (HostChunk *self, guint64 at);

G_END_DECLS
