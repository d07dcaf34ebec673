/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/waiter.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"

void
waiter_init (Waiter *self, const SlotRequest *request, const Owner *owner)
{
  *self = (Waiter){ .request = *request,
                    .module = zygotes_get_key (request->function),
                    .owner = owner };
}

void
waiter_push (Waiter *self, Scheduler *scheduler)
{
  const SlotRequest *request = &self->request;

  if (self->entry.rank == 0)
    queue_push (&scheduler->queue, &self->entry, request->priority,
                slot_request_get_size (request));
  else
    queue_return (&scheduler->queue, &self->entry, request->priority);
}

static gboolean
is_cancelled (const SlotRequest *request)
{
  if (request->plain != NULL)
    return request->is_plain_cancelled;
  return request->call != NULL ? canceller_is_cancelled (procfun_call_get_canceller (request->call))
                               : g_cancellable_is_cancelled (request->cancellable);
}

static gboolean
is_late (const SlotRequest *request)
{
  return request->deadline > 0 && g_get_monotonic_time () >= request->deadline;
}

gboolean
waiter_goes_on (const Waiter *self, const Scheduler *scheduler)
{
  const SlotRequest *request = &self->request;

  return !is_cancelled (request) && !is_late (request)
         && (self->is_assigned || !scheduler->drops_queued)
         && (!slot_request_is_session (request) || !scheduler->is_closing);
}

/* In seconds from the beginning of the call. */
static double
get_deadline (const SlotRequest *request)
{
  gint64 us = request->call != NULL ? procfun_call_get_settings (request->call)->deadline : 0;

  return (double)us / G_USEC_PER_SEC;
}

/* In the words of GLib. */
static void
set_cancelled (GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  g_cancellable_set_error_if_cancelled (cancellable, error);
}

void
waiter_set_error (const Waiter *self, GError **error)
{
  const SlotRequest *request = &self->request;

  if (request->is_plain_cancelled)
    set_cancelled (error);
  else if (request->call != NULL && is_cancelled (request))
    canceller_set_error_if_cancelled (procfun_call_get_canceller (request->call), error);
  else if (is_cancelled (request))
    g_cancellable_set_error_if_cancelled (request->cancellable, error);
  else if (is_late (request))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                 _ ("%s() missed its deadline of %.6g s while it waited for a worker"),
                 procfun_function_get_name (request->function), get_deadline (request));
  else
    scheduler_set_closed (request->function, error);
}
