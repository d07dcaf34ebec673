/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"
#include <procfun.h>

G_BEGIN_DECLS

/* The side of a broker that sends calls. */

typedef struct _Caller Caller;

/* @engine: unowned; it has this one. */
Caller *caller_new (ProcfunEngine *engine, Address *address, GBytes *profile, gint64 heartbeat);
void caller_free (Caller *self);

void caller_submit (Caller *self, guint64 id, guint64 contract, const ProcfunMessage *call,
                    gint64 expires);
void caller_send (Caller *self, guint64 id, const ProcfunMessage *word);

/* It says nothing after that. */
void caller_close (Caller *self);

G_END_DECLS
