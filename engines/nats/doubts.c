/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/doubts.h"

/* A timer that is so late in µs was frozen with its host; so long all calls are in doubt then. */
#define LATE 500000
#define CARE (3 * G_USEC_PER_SEC)

void
doubts_begin (Doubts *self)
{
  self->last_old = G_MAXUINT64;
}

gboolean
doubts_are_about_all (const Doubts *self)
{
  return self->last_old == G_MAXUINT64;
}

gboolean
doubts_note_count (Doubts *self, guint64 n_given)
{
  const gboolean is_less = n_given <= self->n_given;

  self->n_given = n_given;
  if (is_less)
    doubts_begin (self);
  return is_less;
}

void
doubts_note_time (Doubts *self, gint64 at, gint64 now)
{
  if (at < now - LATE)
    self->until = MAX (self->until, now + CARE);
}

gboolean
doubts_has (const Doubts *self, guint64 sequence, gint64 now)
{
  return sequence <= self->last_old || now < self->until;
}
