/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/timer.h"

struct _Timer
{
  GSource source;
  TimerFunc func;
  gpointer user_data;
  gint64 at;
  gint64 wish; /* the first of all that were not given up */
  guint n_wishes;
};

static gboolean
timer_check (GSource *source)
{
  return timer_get ((Timer *)source) <= g_source_get_time (source);
}

static gboolean
timer_prepare (GSource *source, int *timeout)
{
  const gint64 at = timer_get ((Timer *)source);
  const gint64 left = at - g_source_get_time (source);

  *timeout = at == G_MAXINT64 ? -1 : (int)CLAMP ((left + 999) / 1000, 0, G_MAXINT);
  return left <= 0;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  Timer *self = (Timer *)source;

  if (self->wish <= g_source_get_time (source))
    self->wish = G_MAXINT64;
  self->func (self->user_data);
  return G_SOURCE_CONTINUE;
}

Timer *
timer_new (GMainContext *context, TimerFunc func, gpointer user_data)
{
  static GSourceFuncs funcs
      = { .prepare = timer_prepare, .check = timer_check, .dispatch = timer_dispatch };
  GSource *source = g_source_new (&funcs, sizeof (Timer));
  Timer *self = (Timer *)source;

  self->func = func;
  self->user_data = user_data;
  self->at = self->wish = G_MAXINT64;
  g_source_attach (source, context);
  return self;
}

void
timer_free (Timer *self)
{
  g_source_destroy (&self->source);
  g_source_unref (&self->source);
}

gint64
timer_get (const Timer *self)
{
  return MIN (self->at, self->wish);
}

void
timer_set (Timer *self, gint64 at)
{
  self->at = at;
}

void
timer_hurry (Timer *self, gint64 at)
{
  self->at = MIN (self->at, at);
}

void
timer_wish (Timer *self, gint64 at)
{
  self->n_wishes++;
  self->wish = MIN (self->wish, at);
}

void
timer_unwish (Timer *self)
{
  if (--self->n_wishes == 0)
    self->wish = G_MAXINT64;
}
