/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/losses.h"

typedef struct
{
  guint n;      /* calls for which it had room */
  gint64 until; /* monotonic time: all of its calls were submitted before */
} Loss;

void
losses_init (Losses *self, Neighbours *hosts, GHashTable *calls)
{
  *self = (Losses){ .hosts = hosts, .calls = calls, .is_settled = TRUE, .is_marked = TRUE };
  self->lost = g_array_new (FALSE, FALSE, sizeof (Loss));
}

void
losses_clear (Losses *self)
{
  g_array_unref (self->lost);
}

/* Those of which it is not known that they are stored are the last ones. */
static int
compare_calls (gconstpointer a, gconstpointer b)
{
  const CallerCall *one = *(CallerCall *const *)a;
  const CallerCall *other = *(CallerCall *const *)b;

  if (one->sequence != other->sequence)
    return one->sequence - 1 < other->sequence - 1 ? -1 : 1;
  return (one->submitted_at > other->submitted_at) - (one->submitted_at < other->submitted_at);
}

/* Calls of which no host has spoken, in the order of the stream. (element-type CallerCall) */
static GPtrArray *
find_waiting (Losses *self)
{
  GPtrArray *waiting = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer call;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    if (((CallerCall *)call)->talk == NULL)
      g_ptr_array_add (waiting, call);
  g_ptr_array_sort (waiting, compare_calls);
  return waiting;
}

void
losses_note_call (Losses *self, const CallerCall *call)
{
  self->last_given = MAX (self->last_given, call->sequence);
}

/* Losses of which no call is left. @since: when the first one that waits was submitted */
static void
forget_old (Losses *self, gint64 since)
{
  for (guint i = self->lost->len; i-- > 0;)
    if (g_array_index (self->lost, Loss, i).until < since)
      g_array_remove_index_fast (self->lost, i);
}

/* @until: when the last call was submitted that it may have */
static void
add (Losses *self, const char *host, gint64 until)
{
  Loss loss;
  gint64 alive_until;

  loss.n = neighbours_take_room (self->hosts, host, &alive_until);
  loss.until = MIN (until, alive_until);
  if (loss.n == 0)
    return;
  g_array_append_val (self->lost, loss);
  self->is_marked = FALSE;
}

/* All hosts together may have the first calls that wait, as many as they have slots; the others
 * will have spoken of theirs when it matters. */
void
losses_note_host (Losses *self, const char *host)
{
  g_autoptr (GPtrArray) waiting = find_waiting (self);
  const guint n_at_once = neighbours_get_all_slots (self->hosts);
  gint64 since = G_MAXINT64, until = 0;

  for (guint i = 0; i < waiting->len; i++)
    {
      const CallerCall *call = waiting->pdata[i];

      since = MIN (since, call->submitted_at);
      if (i < n_at_once)
        until = MAX (until, call->submitted_at);
    }
  forget_old (self, since);
  add (self, host, until);
}

void
losses_note_broker (Losses *self, gint64 now)
{
  self->back_at = now;
  self->is_settled = FALSE;
}

/* Room of the hosts that may have had a call which was submitted then. */
static guint
count_room (Losses *self, gint64 submitted_at)
{
  guint n = 0;

  for (guint i = 0; i < self->lost->len; i++)
    {
      const Loss *loss = &g_array_index (self->lost, Loss, i);

      n += loss->until >= submitted_at ? loss->n : 0;
    }
  return n;
}

static void
mark (Losses *self)
{
  g_autoptr (GPtrArray) waiting = find_waiting (self);
  guint n_before = 0;

  for (guint i = 0; i < waiting->len; i++)
    {
      CallerCall *call = waiting->pdata[i];
      const guint n = count_room (self, call->submitted_at);
      const gboolean is_overtaken = call->sequence > 0 && call->sequence < self->last_given;

      if (!losses_is_old (self, call))
        continue;
      if (n > 0 && (is_overtaken || n_before < n))
        call->is_doubtful = TRUE;
      n_before += is_overtaken ? 0 : 1;
    }
}

/* A second time others would be the first ones, where some have ended meanwhile. */
void
losses_mark (Losses *self)
{
  if (!self->is_marked)
    mark (self);
  self->is_marked = TRUE;
}

void
losses_advance (Losses *self, gint64 now)
{
  const char *host;

  if (self->is_settled || now < self->back_at + LOSSES_SETTLE_TIME)
    return;
  self->is_settled = TRUE;
  while ((host = neighbours_find_absent (self->hosts)) != NULL)
    add (self, host, G_MAXINT64);
  if (self->lost->len > 0)
    mark (self);
  g_array_set_size (self->lost, 0);
  self->is_marked = TRUE;
}

gboolean
losses_is_old (const Losses *self, const CallerCall *call)
{
  return call->submitted_at < self->back_at;
}

gboolean
losses_is_open (const Losses *self, const CallerCall *call)
{
  return !self->is_settled && losses_is_old (self, call);
}
