/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/worker-slot.h"

#include "procfun/platform/fds.h"
#include "procfun/schedule/scheduler.h"
#include <poll.h>

WorkerSlot *
worker_slot_new (Scheduler *scheduler, const char *module, ProcfunLaunchContext *context)
{
  const Worker nothing = WORKER_INIT;
  WorkerSlot *self = g_new0 (WorkerSlot, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->link.data = self;
  self->scheduler = scheduler_ref (scheduler);
  self->worker = nothing;
  self->module = module;
  g_set_object (&self->context, context);
  if (scheduler->worker_limits != NULL)
    self->limits = g_atomic_rc_box_acquire (scheduler->worker_limits);
  return self;
}

WorkerSlot *
worker_slot_ref (WorkerSlot *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
worker_slot_unref (WorkerSlot *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  worker_clear (&self->worker);
  owner_clear (&self->owner);
  g_clear_object (&self->context);
  g_clear_pointer (&self->limits, g_atomic_rc_box_release);
  scheduler_unref (self->scheduler);
  g_free (self);
}

gboolean
worker_slot_has_call (const WorkerSlot *self)
{
  return self->call != NULL || self->n_plain > 0;
}

int
worker_slot_get_pid (WorkerSlot *self)
{
  return self->pid;
}

void
worker_slot_set_unused (WorkerSlot *self)
{
  self->is_unused = TRUE;
}

void
worker_slot_set_unsent (WorkerSlot *self)
{
  self->is_unsent = TRUE;
}

gboolean
worker_slot_has_hung_up (WorkerSlot *self)
{
  struct pollfd poll_fd = { .fd = self->worker.channel_fd, .events = POLLIN };

  return self->worker.channel != NULL ? channel_has_spoken (self->worker.channel)
                                      : poll (&poll_fd, 1, 0) > 0;
}

gboolean
worker_slot_is_dead (WorkerSlot *self, int ms)
{
  const gint64 end = ms > 0 ? g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND : 0;
  GPollFD poll_fd = { .fd = process_get_pidfd (self->process), .events = G_IO_IN };
  gint64 left = ms * G_TIME_SPAN_MILLISECOND;

  while (poll_fd.fd >= 0 && left > 0 && !process_has_died (self->process))
    {
      fds_poll (&poll_fd, 1, (int)(left / 1000) + 1);
      left = end - g_get_monotonic_time ();
    }
  return process_has_died (self->process);
}
