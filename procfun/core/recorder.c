/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/recorder.h"

Recorder *
recorder_new (gint64 now)
{
  Recorder *self = g_new0 (Recorder, 1);

  self->made_at = now;
  return self;
}

static void
count_ended (Rate *rate, gint64 now)
{
  gint64 second = now / G_USEC_PER_SEC;
  guint slot = (guint)second % RATE_SLOTS;

  if (rate->seconds[slot] != second)
    {
      rate->seconds[slot] = second;
      rate->counts[slot] = 0;
    }
  rate->counts[slot]++;
}

void
recorder_end (Recorder *self, const Ending *ending)
{
  if (ending->succeeded)
    self->succeeded++;
  else
    self->failed[CLAMP ((guint)ending->cause, 0, RECORDER_N_CAUSES - 1)]++;
  count_ended (&self->rate, ending->ended_at);
  histogram_record (&self->latency, ending->ended_at - ending->submitted_at);
  if (ending->started_at != 0)
    histogram_record (&self->wait, ending->started_at - ending->submitted_at);
}

guint64
recorder_count_failed (const Recorder *self)
{
  guint64 n = 0;

  for (guint i = 0; i < RECORDER_N_CAUSES; i++)
    n += self->failed[i];
  return n;
}

static double
divide (guint64 n, gint64 usec)
{
  return n > 0 ? (double)n * G_USEC_PER_SEC / (double)MAX (usec, 1) : 0;
}

double
recorder_get_rate (const Recorder *self, gint64 now)
{
  gint64 last = now / G_USEC_PER_SEC;
  gint64 first = last - RATE_WINDOW + 1;
  guint64 n = 0;

  for (guint i = 0; i < RATE_SLOTS; i++)
    if (self->rate.seconds[i] >= first && self->rate.seconds[i] <= last)
      n += self->rate.counts[i];
  return divide (n, now - MAX (self->made_at, first * G_USEC_PER_SEC));
}

double
recorder_get_overall_rate (const Recorder *self, gint64 now)
{
  return divide (self->succeeded + recorder_count_failed (self), now - self->made_at);
}
