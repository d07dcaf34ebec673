/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/mapping-wait.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/map/mapping.h"
#include "procfun/platform/canceller.h"
#include "procfun/platform/waker.h"
#include "procfun/process/exchange-drive.h"
#include "procfun/procfun-error.h"
#include "procfun/schedule/acquire.h"
#include <poll.h>

static void
on_cancelled (GCancellable *cancellable, gpointer other)
{
  g_cancellable_cancel (other);
}

/* Waits for its turn; closing the pool can end that, too. */
static WorkerSlot *
wait_for_worker (Scheduler *scheduler, const SlotRequest *request, GCancellable *cancellable,
                 GCancellable *own_cancellable, GError **error)
{
  gulong handler = cancellable != NULL
                       ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                                g_object_ref (own_cancellable), g_object_unref)
                       : 0;
  WorkerSlot *member = scheduler_acquire (scheduler, request, error);

  g_cancellable_disconnect (cancellable, handler);
  return member;
}

/* FALSE: no worker is to be had now. */
static gboolean
start_slot (Mapping *self, GCancellable *cancellable)
{
  Scheduler *scheduler;
  SlotRequest request;
  MapSlot *slot = mapping_prepare_slot (self, &request);
  WorkerSlot *member = NULL;
  GError *error = NULL;

  if (slot == NULL)
    return FALSE;
  procfun_executor_check_process (PROCFUN_EXECUTOR (self->config.pool));
  scheduler = self->config.pool->scheduler;
  request.deadline = self->end;
  if (self->slots->len > 0) /* whose ends can be waited for */
    member = scheduler_try_acquire (scheduler, &request, &error);
  else
    member = wait_for_worker (scheduler, &request, cancellable, map_slot_get_cancellable (slot),
                              &error);
  mapping_start_slot (self, slot, member);
  if (error != NULL)
    {
      mapping_check_cancelled (self, cancellable); /* it may be late, and not only its worker */
      mapping_fail (self, error);
    }
  return member != NULL;
}

static int
get_timeout_ms (Mapping *self)
{
  gint64 wake_time = mapping_get_wake_time (self);

  return wake_time < 0
             ? -1
             : (int)CLAMP ((wake_time - g_get_monotonic_time () + 999) / 1000, 0, G_MAXINT);
}

#define N_FDS (EXCHANGE_N_FDS + 1)

/* Where a descriptor that would wake this thread cannot be had, it looks again after this time. */
#define LOOK_AGAIN_MS 20

static void
wait_for_something (Mapping *self, int cancel_fd, gboolean looks_again)
{
  const guint n = self->slots->len;
  int timeout;
  g_autofree GPollFD *fds = g_new0 (GPollFD, n * N_FDS + 1);

  for (guint i = 0; i < n; i++)
    {
      MapSlot *slot = self->slots->pdata[i];
      int slot_fd = canceller_open_fd (exchange_get_canceller (slot->exchange));

      looks_again = looks_again || slot_fd < 0;
      exchange_get_fds (slot->exchange, fds + i * N_FDS);
      fds[i * N_FDS + EXCHANGE_N_FDS]
          = (GPollFD){ .fd = exchange_is_ending (slot->exchange) ? -1 : slot_fd,
                       .events = G_IO_IN };
    }
  fds[n * N_FDS] = (GPollFD){ .fd = self->error != NULL ? -1 : cancel_fd, .events = G_IO_IN };
  timeout = get_timeout_ms (self);
  if (looks_again && (timeout < 0 || timeout > LOOK_AGAIN_MS))
    timeout = LOOK_AGAIN_MS;
  g_poll (fds, n * N_FDS + 1, timeout);
  for (guint i = 0; i < n; i++)
    {
      MapSlot *slot = self->slots->pdata[i];

      canceller_close_fd (exchange_get_canceller (slot->exchange));
      exchange_note_ready (slot->exchange, fds + i * N_FDS);
    }
}

static void
check_input (Mapping *self)
{
  if (self->slots->len == 0 && map_input_is_waiting (self->input))
    mapping_fail (self, g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                                     _ ("the map of %s() waits for elements that only this thread "
                                        "could add"),
                                     procfun_function_get_name (self->config.function)));
}

/* Calls of an executor that is no pool */

static gboolean
wake (GSource *source, GSourceFunc func, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return G_SOURCE_CONTINUE;
}

/* The time is set before the cancellable is looked at, which makes the alarm ready. */
static void
wait_for_calls (Mapping *self, GCancellable *cancellable)
{
  static GSourceFuncs funcs = { .dispatch = wake };
  g_autoptr (GSource) alarm = g_source_new (&funcs, sizeof (GSource));
  Waker *waker = cancellable != NULL ? waker_new (cancellable, alarm) : NULL;

  mapping_stop_driver (self);
  g_source_attach (alarm, self->context);
  for (;;)
    {
      g_source_set_ready_time (alarm, mapping_get_wake_time (self));
      mapping_check_cancelled (self, cancellable);
      mapping_advance_calls (self);
      check_input (self);
      if (mapping_is_over (self))
        break;
      g_main_context_push_thread_default (self->context);
      g_main_context_iteration (self->context, TRUE);
      g_main_context_pop_thread_default (self->context);
    }
  g_clear_pointer (&waker, waker_free);
  g_source_destroy (alarm);
}

/* Workers of a pool */

static void
pass_on (GCancellable *cancellable, gpointer canceller)
{
  canceller_cancel (canceller);
}

/* Not g_cancellable_get_fd(), which ends the program when there is no descriptor. */
static void
wait_for_workers (Mapping *self, GCancellable *cancellable)
{
  g_autoptr (Canceller) canceller = canceller_new ();
  int cancel_fd = cancellable != NULL ? canceller_open_fd (canceller) : -1;
  gulong handler = 0;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (pass_on), canceller_ref (canceller),
                                     (GDestroyNotify)canceller_unref);
  mapping_stop_driver (self);
  for (;;)
    {
      mapping_check_cancelled (self, cancellable);
      mapping_advance (self);
      while (mapping_wants_worker (self) && start_slot (self, cancellable))
        ;
      if (mapping_is_over (self))
        break;
      if (self->slots->len > 0)
        wait_for_something (self, cancel_fd, cancellable != NULL && cancel_fd < 0);
      else
        check_input (self);
    }
  g_cancellable_disconnect (cancellable, handler);
}

void
mapping_wait (Mapping *self, GCancellable *cancellable)
{
  if (self->context != NULL)
    wait_for_calls (self, cancellable);
  else
    wait_for_workers (self, cancellable);
}
