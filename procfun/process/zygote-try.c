/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking a zygote for a process without waiting. */

#include "procfun/process/zygote-state.h"

#include "procfun/core/call.h"

/* While arguments are sent that the socket has no room for. */
#define SEND_STEP_US G_TIME_SPAN_MILLISECOND

void
zygote_add_watcher (Zygote *self, GSource *source)
{
  g_mutex_lock (&self->lock);
  self->n_waiting++;
  g_queue_push_tail (&self->watchers, source);
  g_mutex_unlock (&self->lock);
}

void
zygote_remove_watcher (Zygote *self, GSource *source)
{
  g_mutex_lock (&self->lock);
  self->n_waiting--;
  g_queue_remove (&self->watchers, source);
  g_mutex_unlock (&self->lock);
}

int
zygote_get_fd (Zygote *self)
{
  return self->process.channel->fd;
}

/* With the lock held. */
static ZygoteStatus
try_greeting (Zygote *self, ZygoteWait *wait, gint64 now, GError **error)
{
  const gint64 timeout = zygote_get_timeout (self, wait->call);
  const gboolean may_come
      = self->error == NULL && !self->has_ended && now < zygote_get_start_end (self);

  if (wait->begun_at == 0)
    wait->begun_at = now;
  wait->end = zygote_get_start_end (self);
  if (timeout > 0)
    wait->end = MIN (wait->end, wait->begun_at + timeout);
  if (may_come && !channel_out_is_empty (&self->process.channel->out))
    wait->end = MIN (wait->end, now + SEND_STEP_US);
  if (zygote_has_greeted (self) && !self->has_ended)
    return ZYGOTE_FORKED;
  if (may_come && (timeout == 0 || now < wait->begun_at + timeout))
    return ZYGOTE_WAITS;
  if (may_come)
    {
      g_propagate_error (error,
                         preloads_make_timeout (&self->preloads,
                                                procfun_call_peek_function (wait->call), timeout));
      return ZYGOTE_FAILED;
    }
  zygote_fail_to_start (self, error);
  return ZYGOTE_FAILED;
}

static ZygoteStatus
try_child (Zygote *self, Worker *worker, ZygoteWait *wait, gint64 now, GError **error)
{
  if (spares_take (&self->spares, self->process.process, worker))
    return ZYGOTE_FORKED;
  if (wait->asked_at == 0)
    wait->asked_at = now;
  wait->end = wait->asked_at + ZYGOTE_FORK_MAX_MS * G_TIME_SPAN_MILLISECOND;
  if (self->has_ended || self->error != NULL || now >= wait->end)
    {
      zygote_give_up (self, error);
      return ZYGOTE_FAILED;
    }
  zygote_ask_for_those_who_wait (self, wait->idle);
  if (now >= wait->asked_at + ZYGOTE_FORK_MS * G_TIME_SPAN_MILLISECOND)
    zygote_continue (self);
  wait->end = MIN (wait->end, now + ZYGOTE_FORK_MS * G_TIME_SPAN_MILLISECOND);
  return ZYGOTE_WAITS;
}

ZygoteStatus
zygote_try_fork (Zygote *self, Worker *worker, ZygoteWait *wait, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  ZygoteStatus status;

  g_mutex_lock (&self->lock);
  if (!self->has_reader)
    channel_out_flush (&self->process.channel->out);
  zygote_receive (self);
  status = zygote_has_greeted (self) ? ZYGOTE_FORKED : try_greeting (self, wait, now, error);
  if (status == ZYGOTE_FORKED)
    status = try_child (self, worker, wait, now, error);
  g_mutex_unlock (&self->lock);
  if (status == ZYGOTE_FORKED)
    zygote_become_parent (self, worker);
  return status;
}
