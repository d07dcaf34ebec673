/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that wait for a call which something else runs. */

#include "procfun/core/call-join.h"

#include "procfun/base/intl.h"
#include "procfun/core/call.h"
#include "procfun/platform/waker.h"
#include "procfun/procfun-error.h"

typedef struct
{
  GList link;
  ProcfunCall *call;
  GCond cond;
} Joiner;

static GMutex lock;
static GQueue joiners = G_QUEUE_INIT; /* (element-type Joiner): with the lock held */

void
call_join_wake (ProcfunCall *call)
{
  if (g_atomic_int_get (&call->n_joined) == 0)
    return;
  g_mutex_lock (&lock);
  for (GList *l = joiners.head; l != NULL; l = l->next)
    if (((Joiner *)l->data)->call == call)
      g_cond_signal (&((Joiner *)l->data)->cond);
  g_mutex_unlock (&lock);
}

void
call_join_set_context (ProcfunCall *call, GMainContext *context)
{
  g_atomic_pointer_set (&call->context, context);
  if (g_atomic_int_get (&call->n_joined) == 0)
    return;
  g_mutex_lock (&lock);
  g_mutex_unlock (&lock);
}

static gboolean
has_ended (ProcfunCall *self)
{
  return procfun_call_get_state (self) >= PROCFUN_CALL_SUCCEEDED;
}

/* Only this thread can bring it to an end. A main context that no thread runs counts as run by
 * the thread that started the call. */
static gboolean
is_in_vain (ProcfunCall *self)
{
  gboolean is_mine = g_atomic_pointer_get (&self->thread) == g_thread_self ();
  GMainContext *context = g_atomic_pointer_get (&self->context);

  if (context == NULL || g_main_context_is_owner (context))
    return context != NULL || is_mine;
  if (!is_mine || !g_main_context_acquire (context))
    return FALSE;
  g_main_context_release (context);
  return TRUE;
}

typedef enum
{
  JOIN_ENDED,
  JOIN_LATE,
  JOIN_CANCELLED,
  JOIN_IN_VAIN
} JoinResult;

/* @end: monotonic time in µs; 0: never. With the lock held. */
static JoinResult
wait_until (Joiner *self, gint64 end, GCancellable *cancellable)
{
  gboolean is_late = FALSE;

  if (!has_ended (self->call) && is_in_vain (self->call))
    return JOIN_IN_VAIN;
  while (!has_ended (self->call) && !is_late)
    if (g_cancellable_is_cancelled (cancellable))
      return JOIN_CANCELLED;
    else if (end == 0)
      g_cond_wait (&self->cond, &lock);
    else
      is_late = !g_cond_wait_until (&self->cond, &lock, end);
  return has_ended (self->call) ? JOIN_ENDED : JOIN_LATE;
}

static JoinResult
join (ProcfunCall *call, gint64 end, GCancellable *cancellable)
{
  Joiner joiner = { .link = { .data = &joiner }, .call = call };
  CondWaker waker;
  JoinResult result;

  g_cond_init (&joiner.cond);
  cond_waker_init (&waker, &lock, &joiner.cond, cancellable);
  g_atomic_int_inc (&call->n_joined);
  g_mutex_lock (&lock);
  g_queue_push_tail_link (&joiners, &joiner.link);
  result = wait_until (&joiner, end, cancellable);
  g_queue_unlink (&joiners, &joiner.link);
  g_mutex_unlock (&lock);
  g_atomic_int_add (&call->n_joined, -1);
  cond_waker_clear (&waker);
  g_cond_clear (&joiner.cond);
  return result;
}

/* 0: never */
static gint64
get_end (gint64 us)
{
  gint64 now = g_get_monotonic_time ();

  return us < 0 || us > G_MAXINT64 - now ? 0 : now + us;
}

/**
 * procfun_call_wait:
 * @self: a #ProcfunCall that was started
 * @us: how long to wait, in microseconds; 0: not at all; less than 0: until the call has ended
 * @cancellable: (nullable): a #GCancellable, which ends the waiting and not the call
 * @error: return location for a #GError
 *
 * Waits in this thread until a call has ended that something else runs: the main context in which
 * procfun_call_run_async() started it, or another thread in procfun_call_run(). Its callback may
 * still be to come. The call of a generator ends when its items were taken.
 *
 * The main context of this thread is not run meanwhile. Where the call can only end in this thread,
 * since it is in that main context, or in a handler of the call itself, waiting fails at once with
 * %PROCFUN_ERROR_NESTED, and not when @us is 0. It also fails with %PROCFUN_ERROR_INVALID, when the
 * call was not started, and with %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE when the call has ended, well or not; %FALSE without an error when the time is up,
 *   and the call goes on; or %FALSE with @error set
 *
 * Since: 0.1
 */
gboolean
procfun_call_wait (ProcfunCall *self, gint64 us, GCancellable *cancellable, GError **error)
{
  JoinResult result = JOIN_LATE;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (has_ended (self))
    return TRUE;
  if (procfun_call_get_state (self) == PROCFUN_CALL_NEW)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("%s() cannot be waited for: the call was not started"),
                   procfun_function_get_name (self->function));
      return FALSE;
    }
  if (us != 0)
    result = join (self, get_end (us), cancellable);
  if (result == JOIN_IN_VAIN)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                 _ ("%s() cannot be waited for in the thread that brings the call to an end"),
                 procfun_function_get_name (self->function));
  else if (result == JOIN_CANCELLED)
    g_cancellable_set_error_if_cancelled (cancellable, error);
  return result == JOIN_ENDED;
}
