/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reports of the running function to its caller. */

#include "procfun/child/serve.h"
#include "procfun/platform/inherited-state.h"

#include <string.h>
#include <unistd.h>

/* Reports that may wait are for people, who cannot see more of them. */
#define REPORT_STEP_US 20000

static void
send_held (Server *self)
{
  FrameEvent head = { .number = self->held.number };
  g_autofree char *cut = frame_cut_text (self->held_text != NULL ? self->held_text : "",
                                         FRAME_EVENT_MAX - sizeof head);
  g_autoptr (GBytes) text = g_bytes_new (cut, strlen (cut));

  g_strlcpy (head.name, self->held.name, sizeof head.name);
  channel_send (self->channel, FRAME_EVENT, self->call_id, &head, sizeof head, text, NULL);
  channel_flush_blocking (self->channel);
  self->is_holding = FALSE;
}

/* Sends a report in time that was held back, whatever the function is doing. */
static gpointer
run_reporter (gpointer user_data)
{
  Server *self = user_data;

  g_mutex_lock (&self->write_lock);
  for (;;)
    {
      gint64 due = self->running.reported_at + REPORT_STEP_US;

      if (!self->is_holding)
        g_cond_wait (&self->holds, &self->write_lock);
      else if (g_get_monotonic_time () < due)
        g_cond_wait_until (&self->holds, &self->write_lock, due);
      else
        {
          self->running.reported_at = g_get_monotonic_time ();
          send_held (self);
        }
    }
  return NULL;
}

/* Where no thread can be started, the report goes out with the next one, or at the end. */
static void
hold (Server *self)
{
  if (self->is_holding)
    return;
  self->is_holding = TRUE;
  if (self->has_reporter)
    g_cond_signal (&self->holds);
  else
    {
      GThread *thread = g_thread_try_new ("procfun", run_reporter, self, NULL);

      self->has_reporter = thread != NULL;
      g_clear_pointer (&thread, g_thread_unref);
    }
}

/* TRUE: @event takes the place of the report that is held back. */
static gboolean
replaces_held (Server *self, const Event *event)
{
  return event->may_wait
         && (event->name == self->held.name || strcmp (event->name, self->held.name) == 0);
}

void
server_report (const Event *event, gpointer user_data)
{
  Server *self = user_data;
  gint64 now = g_get_monotonic_time ();

  if (inherited_state_get_process () != self->process)
    return;
  g_mutex_lock (&self->write_lock);
  if (self->is_holding && !replaces_held (self, event))
    send_held (self);
  self->held = *event;
  g_free (self->held_text);
  self->held_text = g_strdup (event->text);
  if (event->may_wait && now - self->running.reported_at < REPORT_STEP_US)
    hold (self);
  else
    {
      if (event->may_wait)
        self->running.reported_at = now;
      send_held (self);
    }
  g_mutex_unlock (&self->write_lock);
}

void
server_flush_reports (Server *self)
{
  g_mutex_lock (&self->write_lock);
  if (self->is_holding)
    send_held (self);
  g_mutex_unlock (&self->write_lock);
}
