/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/io-thread.h"

#include "procfun/platform/inherited-state.h"
#include <signal.h>

typedef struct
{
  GMainContext *context;
  guint n_holders; /* with the lock held */
  gint is_over;
  guint process;
} IoThread;

static GMutex lock;
static IoThread *current; /* (nullable) */

static gpointer
run (gpointer user_data)
{
  IoThread *self = user_data;

  g_main_context_push_thread_default (self->context);
  while (!g_atomic_int_get (&self->is_over))
    g_main_context_iteration (self->context, TRUE);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_free (self);
  return NULL;
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
  IoThread *self = g_new0 (IoThread, 1);
  GThread *thread;

  self->context = g_main_context_new ();
  self->process = inherited_state_get_process ();
  thread = start_thread (self);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return self;
    }
  g_main_context_unref (self->context);
  g_free (self);
  return NULL;
}

/* A process that was forked by the program has no thread. */
GMainContext *
io_thread_hold (void)
{
  GMainContext *context = NULL;

  g_mutex_lock (&lock);
  if (current == NULL || current->process != inherited_state_get_process ())
    current = start ();
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
      g_main_context_wakeup (context);
    }
  g_mutex_unlock (&lock);
}
