/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/streams.h"

#include "procfun/core/call.h"
#include "procfun/platform/fds.h"
#include "procfun/process/crash-report.h"
#include <errno.h>
#include <unistd.h>

void
streams_init (Streams *self, ProcfunCall *call, const ProcfunLimits *limits, Worker *worker)
{
  guint64 limit = limits != NULL ? procfun_limits_get_output_size (limits) : 0;

  *self = (Streams){ .call = call, .limit = limit, .report_fd = g_steal_fd (&worker->report_fd) };
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    output_init (&self->outputs[i], g_steal_fd (&worker->output_fds[i]), (ProcfunStream)i,
                 procfun_call_get_settings (call)->output_modes[i], limit);
}

void
streams_clear (Streams *self, Worker *worker)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    {
      if (worker != NULL)
        worker->output_fds[i] = output_steal_fd (&self->outputs[i]);
      output_clear (&self->outputs[i]);
    }
  if (worker != NULL)
    worker->report_fd = g_steal_fd (&self->report_fd);
  fd_clear (&self->report_fd);
  g_clear_pointer (&self->report, g_byte_array_unref);
}

void
streams_get_fds (Streams *self, GPollFD fds[STREAMS_N_FDS])
{
  fds[0] = (GPollFD){ self->report_fd, G_IO_IN, 0 };
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    fds[1 + i] = (GPollFD){ output_get_fd (&self->outputs[i]), G_IO_IN, 0 };
}

gboolean
streams_are_over_limit (Streams *self)
{
  return self->limit > 0
         && output_get_size (&self->outputs[0]) + output_get_size (&self->outputs[1]) > self->limit;
}

gboolean
streams_are_held_up (Streams *self)
{
  return output_is_held_up (&self->outputs[0]) || output_is_held_up (&self->outputs[1]);
}

static gboolean
is_ready (guint ready, guint i)
{
  return (ready & (STREAMS_READY_OUTPUT << i)) != 0;
}

void
streams_receive_outputs (Streams *self, guint ready)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    if (is_ready (ready, i) || output_is_held_up (&self->outputs[i]))
      output_advance (&self->outputs[i], self->call);
}

void
streams_begin_end (Streams *self, guint ready)
{
  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    output_begin_end (&self->outputs[i], is_ready (ready, i));
}

gboolean
streams_advance_end (Streams *self, gint64 patience)
{
  gboolean is_through = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (self->outputs); i++)
    is_through = output_advance_end (&self->outputs[i], self->call, patience) && is_through;
  return is_through;
}

void
streams_receive_report (Streams *self)
{
  while (self->report_fd >= 0)
    {
      guint8 data[4096];
      gssize n = read (self->report_fd, data, sizeof data);

      if (n > 0 && self->report == NULL)
        self->report = g_byte_array_new ();
      if (n > 0 && self->report->len < CRASH_REPORT_MAX)
        g_byte_array_append (self->report, data, (guint)n);
      else if (n >= 0 || (errno != EINTR && errno != EAGAIN))
        fd_clear (&self->report_fd);
      else if (errno == EAGAIN)
        return;
    }
}

gboolean
streams_has_death (const Streams *self)
{
  return self->report != NULL && crash_report_has_death (self->report->data, self->report->len);
}

gboolean
streams_has_stacks (const Streams *self)
{
  return self->report != NULL && crash_report_has_stacks (self->report->data, self->report->len);
}

GBytes *
streams_get_report (const Streams *self)
{
  return self->report != NULL ? g_bytes_new (self->report->data, self->report->len)
                              : g_bytes_new (NULL, 0);
}

gboolean
streams_are_intact (Streams *self)
{
  return self->report == NULL && self->report_fd >= 0 && output_get_fd (&self->outputs[0]) >= 0
         && output_get_fd (&self->outputs[1]) >= 0;
}
