/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/remote-call.h"

G_BEGIN_DECLS

/* Which host runs which call: the hosts, and the calls that wait for one. In the thread of the
 * hosts alone. */
typedef struct
{
  GPtrArray *hosts; /* (element-type RemoteHost) */
  Queue queue;      /* (element-type RemoteCall) */
  Heap deadlines;   /* (element-type RemoteCall): of these */
} Placement;

void placement_init (Placement *self);
void placement_clear (Placement *self);

/* Adds a call, which the second one puts back to its place. */
void placement_push (Placement *self, RemoteCall *remote);
void placement_return (Placement *self, RemoteCall *remote);

/* Ends a call that may wait. */
void placement_cancel (Placement *self, RemoteCall *remote);

/* Ends all that wait, and all that run. */
void placement_drop (Placement *self);
void placement_cancel_running (Placement *self);

/* Hosts that are up or being started. */
guint placement_count_there (const Placement *self);

/* Sends calls, starts hosts (@max at most; 0: all), and ends what is late or hopeless. Returns when
 * to do so again: monotonic time in µs; G_MAXINT64: never. */
gint64 placement_advance (Placement *self, guint max, gint64 now);

G_END_DECLS
