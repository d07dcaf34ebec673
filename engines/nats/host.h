/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"
#include <procfun.h>

G_BEGIN_DECLS

/* The side of a broker that runs calls. */

typedef struct _Host Host;

/* @engine: unowned; it has this one. */
Host *host_new (ProcfunEngine *engine, Address *address, GBytes *profile, guint slots);
void host_free (Host *self);

/* So many more calls can be taken. */
void host_set_free (Host *self, guint n);

void host_answer (Host *self, guint64 id, const ProcfunMessage *answer);

/* It takes no more calls. */
void host_detach (Host *self);

/* It says nothing after that. @at_once: what was said last need not arrive. */
void host_close (Host *self, gboolean at_once);

G_END_DECLS
