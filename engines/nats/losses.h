/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/caller-call.h"
#include "engines/nats/neighbours.h"

G_BEGIN_DECLS

/* Hosts that are gone, and may have begun calls without having said so. A broker that lives knows
 * of these calls, and the next host that gets one reports it. A broker that was killed may have
 * forgotten to whom it gave them, and then it is for their caller to know which ones they may be.
 * A stream gives its calls away in their order: those that were given to somebody are the first
 * ones. So of the calls that no host has spoken of as many are in doubt as such hosts had room for,
 * and all before the last one that somebody has spoken of. */
typedef struct
{
  Neighbours *hosts; /* unowned */
  GHashTable *calls; /* unowned (element-type guint64 CallerCall) */
  GArray *lost;      /* (element-type Loss) */
  gint64 back_at;    /* monotonic time: since when the broker was there again */
  gboolean is_settled;
  gboolean is_marked; /* no host was lost since calls were marked */
  guint64 last_given; /* sequence of the last call that was given to a host */
} Losses;

/* So long in µs a host that has a call has time to say so: after the broker is back, and when the
 * call is taken out of the stream. */
#define LOSSES_SETTLE_TIME (2 * G_USEC_PER_SEC)

void losses_init (Losses *self, Neighbours *hosts, GHashTable *calls);
void losses_clear (Losses *self);

/* A host has spoken of a call; a host is gone; the broker is back. */
void losses_note_call (Losses *self, const CallerCall *call);
void losses_note_host (Losses *self, const char *host);
void losses_note_broker (Losses *self, gint64 now);

/* To be called a few times a second: marks calls that are in doubt, when the hosts that are left
 * had time to speak of theirs. */
void losses_advance (Losses *self, gint64 now);

/* The same now, if hosts are gone since. */
void losses_mark (Losses *self);

/* The broker was away since it was submitted; and hosts may yet speak of it. */
gboolean losses_is_old (const Losses *self, const CallerCall *call);
gboolean losses_is_open (const Losses *self, const CallerCall *call);

G_END_DECLS
