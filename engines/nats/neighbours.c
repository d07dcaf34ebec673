/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/neighbours.h"

/* One that seems silent may have spoken while this thread had no time to hear it. */
#define SECOND_LOOK 50000

/* Others may need so long to be back when a connection was lost: theirs, or that of all. */
#define ABSENCE 600000
#define RETURN (2 * G_USEC_PER_SEC)

#define MEMORY (60 * G_USEC_PER_SEC)

/* So often it is asked for a sign of life, or more often; also for so long after its last call. */
#define QUESTION 300000
#define SERVED (10 * G_USEC_PER_SEC)

/* One that lives has spoken within so long when it is asked by its side; and after a beat. */
#define BREATH (2 * G_USEC_PER_SEC)

typedef struct
{
  gint64 heard_at; /* monotonic times in µs: as if it had spoken then */
  gint64 spoke_at; /* it has */
  gint64 asked_at;
  gint64 served_at;    /* a call has ended that connected us */
  gint64 suspected_at; /* 0: it is not silent */
  gint64 missed_at;    /* 0: it is there */
  gint64 heartbeat;    /* the shortest of its calls */
  gint64 beat;         /* 0: it has not said */
  guint slots;
  guint n_calls;
  gboolean is_absent; /* nothing has come from it since the broker was away */
  gboolean is_gone;   /* and it was taken for gone */
} Neighbour;

struct _Neighbours
{
  GHashTable *all; /* (element-type utf8 Neighbour) */
  gint64 excused_at;
};

Neighbours *
neighbours_new (void)
{
  Neighbours *self = g_new0 (Neighbours, 1);

  self->all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
neighbours_free (Neighbours *self)
{
  g_hash_table_unref (self->all);
  g_free (self);
}

/* (nullable) */
static Neighbour *
find (Neighbours *self, const char *subject)
{
  return g_hash_table_lookup (self->all, subject);
}

static Neighbour *
ensure (Neighbours *self, const char *subject)
{
  Neighbour *one = find (self, subject);

  if (one == NULL)
    {
      one = g_new0 (Neighbour, 1);
      one->heard_at = one->spoke_at = g_get_monotonic_time ();
      g_hash_table_insert (self->all, g_strdup (subject), one);
    }
  return one;
}

gboolean
neighbours_has (Neighbours *self, const char *subject)
{
  return find (self, subject) != NULL;
}

void
neighbours_remove (Neighbours *self, const char *subject)
{
  g_hash_table_remove (self->all, subject);
}

void
neighbours_hear (Neighbours *self, const char *subject)
{
  Neighbour *one = find (self, subject);

  if (one == NULL)
    return;
  one->spoke_at = g_get_monotonic_time ();
  one->heard_at = MAX (one->heard_at, one->spoke_at);
  one->suspected_at = 0;
  one->missed_at = 0;
  one->is_absent = one->is_gone = FALSE;
}

gboolean
neighbours_miss (Neighbours *self, const char *subject, gint64 now)
{
  Neighbour *one = find (self, subject);

  if (one == NULL)
    return FALSE;
  if (one->missed_at == 0)
    one->missed_at = now;
  return now >= one->missed_at + ABSENCE && now >= self->excused_at + RETURN;
}

void
neighbours_add_call (Neighbours *self, const char *subject, gint64 heartbeat)
{
  Neighbour *one = ensure (self, subject);

  if (one->n_calls++ > 0)
    {
      one->heartbeat = MIN (one->heartbeat, heartbeat);
      return;
    }
  one->heartbeat = heartbeat;
  one->spoke_at = g_get_monotonic_time ();
  one->heard_at = MAX (one->heard_at, one->spoke_at);
  one->suspected_at = 0;
}

void
neighbours_drop_call (Neighbours *self, const char *subject)
{
  Neighbour *one = find (self, subject);

  if (one == NULL || one->n_calls == 0)
    return;
  one->n_calls--;
  one->served_at = g_get_monotonic_time ();
}

guint
neighbours_get_n_calls (Neighbours *self, const char *subject)
{
  const Neighbour *one = find (self, subject);

  return one != NULL ? one->n_calls : 0;
}

void
neighbours_set_slots (Neighbours *self, const char *subject, guint slots, gint64 beat)
{
  Neighbour *one = ensure (self, subject);

  one->slots = slots;
  one->beat = beat;
}

guint
neighbours_get_slots (Neighbours *self, const char *subject)
{
  const Neighbour *one = find (self, subject);

  return one != NULL ? one->slots : 0;
}

static guint
take_room (Neighbour *one)
{
  const guint slots = one->is_gone ? 0 : MAX (one->slots, 1);

  one->is_gone = TRUE;
  return slots > one->n_calls ? slots - one->n_calls : 0;
}

/* Since then it is not alive, if it is not now. */
static gint64
get_last_breath (const Neighbour *one)
{
  if (one->n_calls > 0 || one->spoke_at < one->served_at + SERVED / 2)
    return one->spoke_at + BREATH;
  return one->beat > 0 ? one->spoke_at + one->beat + BREATH : G_MAXINT64;
}

guint
neighbours_take_room (Neighbours *self, const char *subject, gint64 *until)
{
  Neighbour *one = find (self, subject);

  *until = one != NULL ? get_last_breath (one) : 0;
  return one != NULL ? take_room (one) : 0;
}

const char *
neighbours_find_absent (Neighbours *self)
{
  GHashTableIter iter;
  gpointer subject, value;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, &subject, &value))
    if (((Neighbour *)value)->is_absent && !((Neighbour *)value)->is_gone)
      return subject;
  return NULL;
}

guint
neighbours_get_all_slots (Neighbours *self)
{
  GHashTableIter iter;
  gpointer one;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    n += MAX (((Neighbour *)one)->slots, 1);
  return n;
}

void
neighbours_excuse (Neighbours *self, gint64 now)
{
  GHashTableIter iter;
  gpointer one;

  self->excused_at = now;
  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, NULL, &one))
    {
      ((Neighbour *)one)->heard_at = now + RETURN;
      ((Neighbour *)one)->suspected_at = 0;
      ((Neighbour *)one)->is_absent = TRUE;
    }
}

/* In µs; 0: it may be silent. */
static gint64
get_patience (const Neighbour *one)
{
  return one->n_calls > 0 ? 2 * one->heartbeat : 3 * one->beat;
}

static gboolean
is_silent (Neighbour *one, gint64 now)
{
  const gint64 patience = get_patience (one);

  if (patience == 0 || now < one->heard_at + patience)
    return FALSE;
  if (one->suspected_at == 0)
    one->suspected_at = now;
  return now >= one->suspected_at + SECOND_LOOK;
}

const char *
neighbours_find_silent (Neighbours *self, gint64 now, gint64 *silence)
{
  GHashTableIter iter;
  gpointer subject, one;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, &subject, &one))
    if (is_silent (one, now))
      {
        *silence = now - ((Neighbour *)one)->heard_at;
        return subject;
      }
  return NULL;
}

static gboolean
is_forgotten (gpointer subject, gpointer value, gpointer user_data)
{
  const Neighbour *one = value;
  const gint64 now = *(const gint64 *)user_data;

  return one->n_calls == 0 && one->beat == 0 && now > one->heard_at + MEMORY;
}

void
neighbours_forget (Neighbours *self, gint64 now)
{
  g_hash_table_foreach_remove (self->all, is_forgotten, &now);
}

const char *
neighbours_find_unasked (Neighbours *self, gint64 now)
{
  GHashTableIter iter;
  gpointer subject, value;

  g_hash_table_iter_init (&iter, self->all);
  while (g_hash_table_iter_next (&iter, &subject, &value))
    {
      Neighbour *one = value;

      if (one->n_calls == 0 && (one->missed_at != 0 || now > one->served_at + SERVED))
        continue;
      if (now < one->asked_at + MIN (one->heartbeat / 2, QUESTION))
        continue;
      one->asked_at = now;
      return subject;
    }
  return NULL;
}
