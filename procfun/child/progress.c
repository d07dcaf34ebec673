/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a function reports while it runs. */

#include "procfun/child/serve.h"

#include <string.h>
#include <unistd.h>

/* Progress is for people, who see no more. */
#define PROGRESS_STEP_US 20000

static void
send_progress (Server *self)
{
  g_autofree char *message = frame_cut_text (self->message != NULL ? self->message : "",
                                             FRAME_PROGRESS_MAX - sizeof self->fraction);
  g_autoptr (GBytes) text = g_bytes_new (message, strlen (message));

  channel_send (self->channel, FRAME_PROGRESS, self->call_id, &self->fraction,
                sizeof self->fraction, text, NULL);
  channel_flush_blocking (self->channel);
  self->has_progress = FALSE;
}

/* What was held back goes out in time, whatever the function is doing. */
static gpointer
report (gpointer user_data)
{
  Server *self = user_data;

  g_mutex_lock (&self->write_lock);
  for (;;)
    {
      gint64 due = self->running.reported_at + PROGRESS_STEP_US;

      if (!self->has_progress)
        g_cond_wait (&self->progress_held, &self->write_lock);
      else if (g_get_monotonic_time () < due)
        g_cond_wait_until (&self->progress_held, &self->write_lock, due);
      else
        {
          self->running.reported_at = g_get_monotonic_time ();
          send_progress (self);
        }
    }
  return NULL;
}

/* Where there can be no more threads, it goes out with the next report, or at the end. */
static void
hold_progress (Server *self)
{
  if (self->has_progress)
    return;
  self->has_progress = TRUE;
  if (self->has_reporter)
    g_cond_signal (&self->progress_held);
  else
    {
      GThread *thread = g_thread_try_new ("procfun", report, self, NULL);

      self->has_reporter = TRUE;
      g_clear_pointer (&thread, g_thread_unref);
    }
}

void
server_report_progress (double fraction, const char *message, gpointer user_data)
{
  Server *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (getpid () != self->pid)
    return;
  g_mutex_lock (&self->write_lock);
  self->fraction = fraction;
  g_free (self->message);
  self->message = g_strdup (message);
  if (now - self->running.reported_at >= PROGRESS_STEP_US)
    {
      self->running.reported_at = now;
      send_progress (self);
    }
  else
    hold_progress (self);
  g_mutex_unlock (&self->write_lock);
}

void
server_flush_progress (Server *self)
{
  g_mutex_lock (&self->write_lock);
  if (self->has_progress)
    send_progress (self);
  g_mutex_unlock (&self->write_lock);
}
