/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that wait for the workers of one pool with calls that are no objects: who gives a worker
 * back sends the next call. */

#include "tests/fixture.h"

#include <procfun.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define N_THREADS 32
#define N_CALLS 100
#define N_WORKERS 2
#define FATAL 25 /* each call with a multiple of this number ends its worker, where it may */

PROCFUN_DEFINE_STATIC_FUNCTION (next, gint, (gint, n)) { return n + 1; }

PROCFUN_DEFINE_STATIC_FUNCTION (next_or_end, gint, (gint, n))
{
  if (n % FATAL == 0)
    abort ();
  return n + 1;
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_id, gint) { return getpid (); }

/* Tells that it runs. */
PROCFUN_DEFINE_STATIC_FUNCTION (wait_for_byte, gint, (ProcfunFd, fd), (ProcfunFd, begun))
{
  char byte = 'a';

  if (write (begun, &byte, 1) != 1)
    return -1;
  return (gint)read (fd, &byte, 1);
}

static gint n_succeeded, n_failed, n_running; /* atomic */

static void
count (gint result, gint n, const GError *error)
{
  if (error == NULL)
    g_assert_cmpint (result, ==, n + 1);
  g_atomic_int_inc (error == NULL ? &n_succeeded : &n_failed);
}

static gpointer
call_next (gpointer first)
{
  for (gint n = GPOINTER_TO_INT (first); n < GPOINTER_TO_INT (first) + N_CALLS; n++)
    {
      g_autoptr (GError) error = NULL;
      const gint result = next_process (n, &error);

      count (result, n, error);
      g_assert_no_error (error);
    }
  return NULL;
}

static gpointer
call_next_or_end (gpointer first)
{
  for (gint n = GPOINTER_TO_INT (first); n < GPOINTER_TO_INT (first) + N_CALLS; n++)
    {
      g_autoptr (GError) error = NULL;
      const gint result = next_or_end_process (n, &error);

      count (result, n, error);
      if (n % FATAL == 0)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      else
        g_assert_no_error (error);
    }
  return NULL;
}

/* Workers are killed meanwhile: a call that had begun is lost, and no other. */
static gpointer
call_while_killed (gpointer first)
{
  for (gint n = GPOINTER_TO_INT (first); n < GPOINTER_TO_INT (first) + N_CALLS; n++)
    {
      g_autoptr (GError) error = NULL;
      const gint result = next_process (n, &error);

      count (result, n, error);
      if (error != NULL && !g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED))
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
    }
  g_atomic_int_add (&n_running, -1);
  return NULL;
}

static ProcfunPool *
make_pool (void)
{
  ProcfunPool *pool = procfun_pool_new (N_WORKERS);

  n_succeeded = n_failed = 0;
  procfun_executor_set_default (PROCFUN_EXECUTOR (pool));
  return pool;
}

static void
end_pool (ProcfunPool *pool)
{
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_object_unref (pool);
}

static void
start (GThread **threads, GThreadFunc func)
{
  for (gint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("caller", func, GINT_TO_POINTER (i * N_CALLS));
}

static void
join (GThread **threads)
{
  for (gint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
test_results (void)
{
  g_autoptr (ProcfunStatistics) statistics = NULL;
  ProcfunPool *pool = make_pool ();
  GThread *threads[N_THREADS];

  start (threads, call_next);
  join (threads);
  statistics = procfun_statistics_new (PROCFUN_EXECUTOR (pool));
  g_assert_cmpint (n_succeeded, ==, N_THREADS * N_CALLS);
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, N_THREADS * N_CALLS);
  end_pool (pool);
}

static void
test_crashes (void)
{
  ProcfunPool *pool = make_pool ();
  GThread *threads[N_THREADS];

  start (threads, call_next_or_end);
  join (threads);
  g_assert_cmpint (n_failed, ==, N_THREADS * N_CALLS / FATAL);
  g_assert_cmpint (n_succeeded, ==, N_THREADS * N_CALLS - n_failed);
  end_pool (pool);
}

/* The one that is killed may just have been given a call by a thread that it was not for. */
static void
test_kills (void)
{
  ProcfunPool *pool = make_pool ();
  GThread *threads[N_THREADS];

  g_atomic_int_set (&n_running, N_THREADS);
  start (threads, call_while_killed);
  while (g_atomic_int_get (&n_running) > 0)
    {
      const gint pid = get_id_process (NULL);

      if (pid > 0)
        kill (pid, SIGKILL);
      g_usleep (500);
    }
  join (threads);
  g_assert_cmpint (n_succeeded + n_failed, ==, N_THREADS * N_CALLS);
  g_assert_cmpint (n_succeeded, >, 0);
  end_pool (pool);
}

typedef struct
{
  int fd, begun;
  gint result;
  GError *error;
} Waiting;

static gpointer
call_wait (gpointer waiting)
{
  Waiting *self = waiting;

  self->result = wait_for_byte_process (self->fd, self->begun, &self->error);
  return NULL;
}

static gpointer
call_once (gpointer waiting)
{
  Waiting *self = waiting;

  self->result = next_process (1, &self->error);
  return NULL;
}

static gpointer
close_and_drop (gpointer pool)
{
  g_assert_true (procfun_executor_close_full (pool, PROCFUN_CLOSE_DROP_QUEUED, NULL, NULL));
  return NULL;
}

static void
wait_for_queued (ProcfunPool *pool, guint n)
{
  guint found;

  do
    {
      g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (pool));

      g_usleep (100);
      found = procfun_statistics_get_queued (statistics);
    }
  while (found < n);
}

/* All workers are busy until there is a byte for each. */
typedef struct
{
  ProcfunPool *pool;
  Waiting running[N_WORKERS], queued[N_THREADS];
  GThread *threads[N_WORKERS], *waiting[N_THREADS];
  int fds[2], begun[2];
} Full;

static void
fill (Full *self)
{
  char byte;

  *self = (Full){ .pool = make_pool () };
  g_assert_no_errno (pipe (self->fds));
  g_assert_no_errno (pipe (self->begun));
  for (gint i = 0; i < N_WORKERS; i++)
    {
      self->running[i].fd = self->fds[0];
      self->running[i].begun = self->begun[1];
      self->threads[i] = g_thread_new ("running", call_wait, &self->running[i]);
    }
  for (gint i = 0; i < N_WORKERS; i++)
    g_assert_cmpint (read (self->begun[0], &byte, 1), ==, 1);
  for (gint i = 0; i < N_THREADS; i++)
    self->waiting[i] = g_thread_new ("waiting", call_once, &self->queued[i]);
  wait_for_queued (self->pool, N_THREADS);
}

static void
let_go (Full *self)
{
  g_assert_cmpint (write (self->fds[1], "ab", N_WORKERS), ==, N_WORKERS);
  for (gint i = 0; i < N_WORKERS; i++)
    {
      g_thread_join (self->threads[i]);
      g_assert_no_error (self->running[i].error);
      g_assert_cmpint (self->running[i].result, ==, 1);
    }
}

static void
empty (Full *self, GThread *closer)
{
  g_thread_join (closer);
  for (gint i = 0; i < 2; i++)
    {
      close (self->fds[i]);
      close (self->begun[i]);
    }
  end_pool (self->pool);
}

/* Calls that wait are dropped, and say so. */
static void
test_dropped (void)
{
  GThread *closer;
  Full full;

  fill (&full);
  closer = g_thread_new ("closer", close_and_drop, full.pool);
  for (gint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (full.waiting[i]);
      g_assert_error (full.queued[i].error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
      g_error_free (full.queued[i].error);
    }
  let_go (&full);
  empty (&full, closer);
}

static gpointer
close_pool (gpointer pool)
{
  g_assert_true (procfun_executor_close (pool, NULL, NULL));
  return NULL;
}

/* Calls that wait when the pool is closed are made, also where each needs a new worker. */
static void
test_closed (void)
{
  g_autoptr (ProcfunStatistics) statistics = NULL;
  GThread *closer;
  Full full;

  fill (&full);
  procfun_pool_set_calls_per_worker (full.pool, 1);
  closer = g_thread_new ("closer", close_pool, full.pool);
  while (!procfun_executor_is_closed (PROCFUN_EXECUTOR (full.pool)))
    g_thread_yield ();
  let_go (&full);
  for (gint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (full.waiting[i]);
      g_assert_no_error (full.queued[i].error);
      g_assert_cmpint (full.queued[i].result, ==, 2);
    }
  statistics = procfun_statistics_new (PROCFUN_EXECUTOR (full.pool));
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, N_WORKERS + N_THREADS);
  g_assert_cmpuint (procfun_statistics_get_submitted (statistics), ==, N_WORKERS + N_THREADS);
  empty (&full, closer);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/plain-threads/each-has-its-result", test_results);
  fixture_add_func ("/plain-threads/a-crash-is-of-one-call", test_crashes);
  fixture_add_func ("/plain-threads/workers-are-killed", test_kills);
  fixture_add_func ("/plain-threads/those-that-wait-are-dropped", test_dropped);
  fixture_add_func ("/plain-threads/those-that-wait-come-before-the-end", test_closed);

  return fixture_run ();
}
