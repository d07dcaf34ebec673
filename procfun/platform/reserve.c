/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/reserve.h"

#include "procfun/base/intl.h"
#include "procfun/platform/thread.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

/* The kernel counts a thread for some moments after it was joined. */
#define END_TRIES 1000

static gpointer
stay (gpointer data)
{
  Reserve *self = data;

  g_mutex_lock (&self->lock);
  while (!self->is_let_go)
    g_cond_wait (&self->let_go, &self->lock);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static gboolean
hold_descriptors (Reserve *self, guint n, GError **error)
{
  while (self->n_fds < n)
    {
      int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

      if (fd < 0)
        {
          g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, _ ("cannot open /dev/null: %s"),
                       g_strerror (errno));
          return FALSE;
        }
      self->fds[self->n_fds++] = fd;
    }
  return TRUE;
}

/* Signals are for the program's own threads. */
static gboolean
hold_tasks (Reserve *self, guint n, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  sigset_t all, before;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  while (self->n_tasks < n && own_error == NULL)
    {
      GThread *thread = g_thread_try_new ("procfun-reserve", stay, self, &own_error);

      if (thread != NULL)
        self->tasks[self->n_tasks++] = thread;
    }
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  if (own_error == NULL)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("cannot start a thread and a process: %s"), own_error->message);
  return FALSE;
}

gboolean
reserve_hold (Reserve *self, guint n_fds, guint n_tasks, GError **error)
{
  g_assert (n_fds <= RESERVE_MAX_DESCRIPTORS && n_tasks <= RESERVE_MAX_TASKS);
  if (hold_descriptors (self, n_fds, error) && hold_tasks (self, n_tasks, error))
    return TRUE;
  reserve_let_go (self);
  return FALSE;
}

void
reserve_let_go (Reserve *self)
{
  guint n_left;

  while (self->n_fds > 0)
    close (self->fds[--self->n_fds]);
  if (self->n_tasks == 0)
    return;
  n_left = thread_count () - self->n_tasks;
  g_mutex_lock (&self->lock);
  self->is_let_go = TRUE;
  g_cond_broadcast (&self->let_go);
  g_mutex_unlock (&self->lock);
  while (self->n_tasks > 0)
    g_thread_join (self->tasks[--self->n_tasks]);
  for (guint i = 0; i < END_TRIES && thread_count () > n_left; i++)
    sched_yield ();
}
