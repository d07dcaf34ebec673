/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/io-thread.h"

#include "procfun/platform/inherited-state.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>

/* Time in µs in which a program that makes one call after another begins the next one. */
#define PAUSE 1000

struct _IoThread
{
  GMainContext *context;
  guint process;

  /* With the lock held */
  GCond cond;
  guint n_holders;
  guint n_waiters;
  IoWaiter *waiter;   /* (nullable) (atomic): it could work, if it is still the only one */
  IoWaiter *worker;   /* (nullable): it works */
  guint n_workers;    /* that there have been */
  gint64 left_at;     /* monotonic time: one waited no more */
  gboolean is_parked; /* the thread itself does not work */
  gboolean is_asleep; /* and is to be woken when nobody does */
  gboolean is_nudged;
  gint is_over; /* atomic */
};

/* How a thread was before it worked, and is when it sleeps. */
struct _IoMask
{
  sigset_t signals;
  sigset_t asleep; /* and that of a broken connection, which is never for the program */
  int cancel_state;
};

static GMutex lock;
static IoThread *current; /* (nullable) */
static gint n_calls;      /* atomic */
static GPrivate mask_of_worker;

/* Signals wait until a worker sleeps. */
static int
poll_with_signals (GPollFD *fds, guint n, int timeout)
{
  const IoMask *mask = g_private_get (&mask_of_worker);
  const struct timespec time
      = { .tv_sec = timeout / 1000, .tv_nsec = (long)(timeout % 1000) * 1000000 };

  if (mask == NULL)
    return g_poll (fds, n, timeout);
  return ppoll ((struct pollfd *)fds, n, timeout >= 0 ? &time : NULL, &mask->asleep);
}

/* The thread */

/* With the lock held: until it is to work again. That is not so between two calls of a program that
 * makes one after the other; to be woken by each would cost that more than to look now and then. */
static void
wait_for_work (IoThread *self)
{
  guint seen = self->n_workers - 1;

  while (self->worker != NULL
         || (!g_atomic_int_get (&self->is_over) && !self->is_nudged && self->n_waiters == 0
             && seen != self->n_workers))
    {
      self->is_asleep = self->worker != NULL && seen == self->n_workers;
      if (self->is_asleep)
        {
          g_cond_wait (&self->cond, &lock);
          seen = self->n_workers - 1;
        }
      else
        {
          seen = self->n_workers;
          g_cond_wait_until (&self->cond, &lock, g_get_monotonic_time () + PAUSE);
        }
    }
  self->is_asleep = FALSE;
  self->is_nudged = FALSE;
}

static void
hand_over (IoThread *self)
{
  g_main_context_pop_thread_default (self->context);
  g_mutex_lock (&lock);
  if (self->waiter != NULL && self->n_waiters == 1 && g_atomic_int_get (&n_calls) <= 1)
    {
      self->worker = self->waiter;
      self->n_workers++;
      self->is_parked = TRUE;
      self->worker->func (self->worker->user_data);
      wait_for_work (self);
      self->is_parked = FALSE;
    }
  g_atomic_pointer_set (&self->waiter, NULL);
  g_mutex_unlock (&lock);
  g_main_context_push_thread_default (self->context);
}

static gpointer
run (gpointer user_data)
{
  IoThread *self = user_data;

  g_main_context_push_thread_default (self->context);
  while (!g_atomic_int_get (&self->is_over))
    {
      if (g_atomic_pointer_get (&self->waiter) != NULL)
        hand_over (self);
      g_main_context_iteration (self->context, TRUE);
    }
  g_main_context_pop_thread_default (self->context);
  g_mutex_lock (&lock);
  while (self->n_waiters > 0)
    g_cond_wait (&self->cond, &lock);
  g_mutex_unlock (&lock);
  g_main_context_unref (self->context);
  g_cond_clear (&self->cond);
  g_free (self);
  return NULL;
}

/* The lock is free in a process that is forked. */

static void
before_fork (void)
{
  g_mutex_lock (&lock);
}

static void
after_fork (void)
{
  g_mutex_unlock (&lock);
}

/* Threads inherit the mask of who makes them. */
static GThread *
start_thread (IoThread *self)
{
  sigset_t all, before;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new ("procfun-hosts", run, self, NULL);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return thread;
}

static IoThread *
start (void)
{
  static gboolean is_prepared;
  IoThread *self = g_new0 (IoThread, 1);
  GThread *thread;

  if (!is_prepared)
    is_prepared = pthread_atfork (before_fork, after_fork, after_fork) == 0;

  self->context = g_main_context_new ();
  g_main_context_set_poll_func (self->context, poll_with_signals);
  g_cond_init (&self->cond);
  self->process = inherited_state_get_process ();
  thread = start_thread (self);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return self;
    }
  g_main_context_unref (self->context);
  g_cond_clear (&self->cond);
  g_free (self);
  return NULL;
}

/* A process that was forked by the program has no thread. With the lock held. */
static gboolean
is_there (void)
{
  return current != NULL && current->process == inherited_state_get_process ();
}

GMainContext *
io_thread_hold (void)
{
  GMainContext *context = NULL;

  g_mutex_lock (&lock);
  if (!is_there ())
    {
      g_atomic_int_set (&n_calls, 0);
      current = start ();
    }
  if (current != NULL)
    {
      current->n_holders++;
      context = current->context;
    }
  g_mutex_unlock (&lock);
  return context;
}

void
io_thread_release (GMainContext *context)
{
  g_mutex_lock (&lock);
  if (current != NULL && current->context == context && --current->n_holders == 0)
    {
      IoThread *self = g_steal_pointer (&current);

      g_atomic_int_set (&self->is_over, TRUE);
      g_cond_signal (&self->cond);
      g_main_context_wakeup (context);
    }
  g_mutex_unlock (&lock);
}

void
io_thread_add_call (void)
{
  g_atomic_int_inc (&n_calls);
}

void
io_thread_drop_call (void)
{
  g_atomic_int_add (&n_calls, -1);
}

/* With the lock held. */
static void
nudge (IoThread *self)
{
  if (!self->is_parked || self->worker != NULL)
    return;
  self->is_nudged = TRUE;
  g_cond_signal (&self->cond);
}

void
io_thread_nudge (void)
{
  g_mutex_lock (&lock);
  if (is_there ())
    nudge (current);
  g_mutex_unlock (&lock);
}

/* Those that wait */

gboolean
io_thread_join (IoWaiter *self)
{
  IoThread *thread = NULL;
  gboolean works;

  g_mutex_lock (&lock);
  if (is_there ())
    self->thread = thread = current;
  if (thread != NULL)
    {
      const gboolean is_alone = ++thread->n_waiters == 1 && g_atomic_int_get (&n_calls) <= 1;

      if (is_alone && !thread->is_parked)
        g_atomic_pointer_set (&thread->waiter,
                              g_get_monotonic_time () < thread->left_at + PAUSE ? self : NULL);
      else if (is_alone && thread->worker == NULL && !thread->is_nudged)
        {
          thread->worker = self;
          thread->n_workers++;
        }
      else
        nudge (thread);
    }
  works = thread != NULL && thread->worker == self;
  g_mutex_unlock (&lock);
  return works;
}

void
io_thread_work (IoWaiter *self)
{
  IoMask *mask = self->mask;
  sigset_t all;

  if (mask == NULL)
    {
      mask = self->mask = g_new (IoMask, 1);
      sigfillset (&all);
      pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &mask->cancel_state);
      pthread_sigmask (SIG_SETMASK, &all, &mask->signals);
      mask->asleep = mask->signals;
      sigaddset (&mask->asleep, SIGPIPE);
      g_private_set (&mask_of_worker, mask);
      g_main_context_push_thread_default (self->thread->context);
    }
  g_main_context_iteration (self->thread->context, TRUE);
}

/* One that was blocked before may be the program's. */
static void
drop_broken_pipe (const IoMask *mask)
{
  const struct timespec now = { 0 };
  sigset_t pipe;

  sigemptyset (&pipe);
  sigaddset (&pipe, SIGPIPE);
  if (!sigismember (&mask->signals, SIGPIPE))
    sigtimedwait (&pipe, NULL, &now);
}

static void
stop_working (IoWaiter *self)
{
  int state;

  drop_broken_pipe (self->mask);
  g_main_context_pop_thread_default (self->thread->context);
  g_private_set (&mask_of_worker, NULL);
  pthread_sigmask (SIG_SETMASK, &self->mask->signals, NULL);
  pthread_setcancelstate (self->mask->cancel_state, &state);
  g_clear_pointer (&self->mask, g_free);
}

void
io_thread_leave (IoWaiter *self)
{
  IoThread *thread = self->thread;

  if (thread == NULL)
    return;
  if (self->mask != NULL)
    stop_working (self);
  g_mutex_lock (&lock);
  thread->n_waiters--;
  thread->left_at = g_get_monotonic_time ();
  if (thread->waiter == self)
    g_atomic_pointer_set (&thread->waiter, NULL);
  if (thread->worker == self)
    {
      thread->worker = NULL;
      if (thread->n_waiters > 0 || g_atomic_int_get (&n_calls) > 0)
        nudge (thread);
      else if (thread->is_asleep)
        g_cond_signal (&thread->cond);
    }
  if (g_atomic_int_get (&thread->is_over))
    g_cond_signal (&thread->cond);
  g_mutex_unlock (&lock);
}
