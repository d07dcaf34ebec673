/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workers that are killed: each call is answered exactly once, and what may be run again is. */

#include "tests/faults.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Instrumented programs are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define N_CALLS 2000
#else
#define N_CALLS 20000
#endif
#define N_CALLERS 4

PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION (add_again, gint, (gint, a), (gint, b)) { return a + b; }

/* Dies as long as there is a byte to be read. */
PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION (die_by, gint, (ProcfunFd, fd), (gint, signum))
{
  char byte;

  if (read (fd, &byte, 1) == 1)
    {
      if (signum == 0)
        _exit (1);
      raise (signum);
    }
  return 7;
}

PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION_WITH_ERROR (fail_again, gint)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "once is enough");
  return 0;
}

typedef struct
{
  ProcfunPool *pool;
  gboolean is_async;
  gboolean is_retried;
  gint n_left;
  gint n_succeeded;
  gint n_lost;
  gint victim; /* a worker's number */
} Massacre;

static void
count_end (Massacre *self, gint expected, GVariant *result, const GError *error)
{
  if (result != NULL)
    {
      g_assert_cmpint (g_variant_get_int32 (result), ==, expected);
      g_atomic_int_inc (&self->n_succeeded);
      return;
    }
  if (!g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED)
      && !g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    g_error ("not killed: %s", error->message);
  g_atomic_int_inc (&self->n_lost);
}

static void
on_started (ProcfunExecutor *pool, int pid, Massacre *self)
{
  g_atomic_int_set (&self->victim, pid);
}

static gpointer
make_calls (gpointer data)
{
  Massacre *self = data;

  for (gint i; (i = g_atomic_int_add (&self->n_left, -1)) > 0;)
    {
      ProcfunCall *call = self->is_retried ? add_again_call (i, 1) : add_call (i, 1);
      g_autoptr (GVariant) result = NULL;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (self->pool));
      result = calls_run (call, self->is_async, NULL, &error);
      count_end (self, i + 1, result, error);
    }
  return NULL;
}

/* A number that a worker had is nobody else's yet: numbers are given away in a circle. */
static void
test_random (gconstpointer data)
{
  Massacre self = { .pool = procfun_pool_new (3),
                    .n_left = N_CALLS,
                    .is_async = GPOINTER_TO_INT (data) % 2 == 1,
                    .is_retried = GPOINTER_TO_INT (data) >= 2 };
  GThread *threads[N_CALLERS];
  guint n_killed = 0;

  g_signal_connect (self.pool, "worker-started", G_CALLBACK (on_started), &self);
  procfun_pool_set_max_retries (self.pool, G_MAXINT - 1);
  for (gsize i = 0; i < N_CALLERS; i++)
    threads[i] = g_thread_new ("calls", make_calls, &self);
  while (g_atomic_int_get (&self.n_left) > 0)
    {
      gint pid = g_atomic_int_exchange (&self.victim, 0);

      if (pid > 0 && kill (pid, SIGKILL) == 0)
        n_killed++;
      g_usleep ((gulong)g_random_int_range (0, 3000));
    }
  for (gsize i = 0; i < N_CALLERS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (self.n_succeeded + self.n_lost, ==, N_CALLS);
  g_assert_cmpint (self.n_lost, <=, (gint)n_killed);
  if (self.is_retried)
    g_assert_cmpint (self.n_lost, ==, 0);
  g_assert_cmpuint (pools_get_statistic (self.pool, "succeeded"), ==, self.n_succeeded);
  g_assert_cmpuint (pools_get_statistic (self.pool, "failed"), ==, self.n_lost);
  g_test_message ("%u workers were killed, %d calls of %d lost", n_killed, self.n_lost, N_CALLS);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (self.pool), NULL, NULL));
  g_assert_cmpuint (pools_get_statistic (self.pool, "workers-started"), ==,
                    pools_get_statistic (self.pool, "workers-exited"));
  g_object_unref (self.pool);
}

/* Retries */

static const struct
{
  const char *name;
  gint signum;
  guint n_deaths;
  guint max_retries;
  ProcfunRetryFlags reasons;
  gint code; /* of the error; 0: there is none */
} retries[] = {
  { "lost", SIGKILL, 2, 2, PROCFUN_RETRY_LOST, 0 },
  { "lost-too-often", SIGKILL, 3, 2, PROCFUN_RETRY_LOST, PROCFUN_ERROR_KILLED },
  { "never", SIGKILL, 1, 0, PROCFUN_RETRY_LOST, PROCFUN_ERROR_KILLED },
  { "not-for-that", SIGKILL, 1, 5, PROCFUN_RETRY_CRASHED, PROCFUN_ERROR_KILLED },
  { "crashed", SIGABRT, 2, 2, PROCFUN_RETRY_CRASHED, 0 },
  { "crashed-by-default", SIGABRT, 1, 2, PROCFUN_RETRY_LOST, PROCFUN_ERROR_CRASHED },
  { "exited", 0, 1, 1, PROCFUN_RETRY_LOST | PROCFUN_RETRY_EXITED, 0 },
};

static void
test_retry (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;
  ProcfunCall *call;
  guint64 n_started;
  Signal bytes;

  signal_open (&bytes);
  g_assert_cmpint (write (bytes.ends[1], "!!!!!!!!", retries[i].n_deaths), ==, retries[i].n_deaths);
  call = die_by_call (bytes.ends[0], retries[i].signum);
  close (bytes.ends[1]);
  procfun_pool_set_max_retries (pool, retries[i].max_retries);
  procfun_pool_set_retry_on (pool, retries[i].reasons);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = calls_run (g_object_ref (call), GPOINTER_TO_SIZE (data) % 2 == 1, NULL, &error);
  n_started = pools_get_statistic (pool, "workers-started");
  if (retries[i].code == 0)
    {
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 7);
      g_assert_null (procfun_call_get_failure (call));
      g_assert_cmpuint (n_started, ==, retries[i].n_deaths + 1);
      g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 1);
    }
  else
    {
      g_assert_error (error, PROCFUN_ERROR, retries[i].code);
      g_assert_nonnull (procfun_call_get_failure (call));
      g_assert_cmpuint (n_started, ==, retries[i].n_deaths);
    }
  g_assert_cmpuint (pools_get_statistic (pool, "submitted"), ==, 1);
  g_object_unref (call);
  close (bytes.ends[0]);
}

/* Its own error is an answer, and other functions are never run again. */
static void
test_not_retried (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);

  procfun_pool_set_max_retries (pool, 100);
  procfun_pool_set_retry_on (pool,
                             PROCFUN_RETRY_LOST | PROCFUN_RETRY_CRASHED | PROCFUN_RETRY_EXITED);
  pools_assert_error (pool, fail_again_call (), G_IO_ERROR, G_IO_ERROR_EXISTS, "once is enough");
  pools_assert_error (pool, do_raise_call (SIGKILL), PROCFUN_ERROR, PROCFUN_ERROR_KILLED, "*");
  pools_assert_error (pool, do_abort_call (), PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 2);
}

static GVariant *
handle (GVariant *args, gpointer user_data, GError **error)
{
  return g_variant_new ("()");
}

static void
test_flag (void)
{
  g_autoptr (ProcfunRegistry) registry = procfun_registry_new ();
  ProcfunFunction *function
      = procfun_registry_register (registry, "at_run_time", NULL, G_VARIANT_TYPE ("()"),
                                   G_VARIANT_TYPE ("()"), handle, NULL, NULL, NULL);

  g_assert_cmpint (procfun_function_get_flags (add_again_function ()), ==,
                   PROCFUN_FUNCTION_IDEMPOTENT);
  g_assert_cmpint (procfun_function_get_flags (fail_again_function ()), ==,
                   PROCFUN_FUNCTION_IDEMPOTENT | PROCFUN_FUNCTION_WITH_ERROR);
  g_assert_cmpint (procfun_function_get_flags (function) & PROCFUN_FUNCTION_IDEMPOTENT, ==, 0);
  procfun_function_set_idempotent (function, TRUE);
  g_assert_cmpint (procfun_function_get_flags (function) & PROCFUN_FUNCTION_IDEMPOTENT, !=, 0);
  procfun_function_set_idempotent (function, FALSE);
  g_assert_cmpint (procfun_function_get_flags (function) & PROCFUN_FUNCTION_IDEMPOTENT, ==, 0);
}

/* Neither a zygote nor a process of its own can be had, and then both can. */
static void
test_no_start (void)
{
  Fault faults[]
      = { { .call = "socketpair", .error = EMFILE, .first = 1, .onward = TRUE }, { .call = NULL } };
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  gboolean backed_off = FALSE, works = FALSE;

  faults_set (faults);
  while (!backed_off)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      g_assert_null (procfun_call_run (call, NULL, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      backed_off = strstr (error->message, "next try") != NULL;
    }
  faults_set (NULL);
  while (!works)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      result = procfun_call_run (call, NULL, NULL);
      works = result != NULL;
    }
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 1);
}

/* It is read from the kernel, since the zygote does not reap. */
static void
test_stopped_zygote (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  int zygote = pools_get_number (pool, get_parent_id_call ());
  Results results;
  Holder holder;

  if (!fixture_has_pidfds ())
    {
      g_test_skip ("without pidfds, the kernel does not tell it");
      return;
    }
  results_init (&results);
  holder_run (&holder, pool, &results);
  g_assert_cmpint (kill (zygote, SIGSTOP), ==, 0);
  g_assert_cmpint (kill (procfun_call_get_pid (holder.call), SIGKILL), ==, 0);
  results_wait (&results, 1);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED);
  g_assert_cmpint (kill (zygote, SIGCONT), ==, 0);
  holder_clear (&holder);
  results_clear (&results);
}

int
main (int argc, char *argv[])
{
  static const char *const kinds[] = { "blocking", "async", "retried/blocking", "retried/async" };

  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strconcat ("/pool/killed/", kinds[i], NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_random);
    }
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (retries); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/pool/retry/%s/%s", retries[i / 2].name, kinds[i % 2]);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_retry);
    }
  fixture_add_func ("/pool/a worker that cannot be started is tried later and later",
                    test_no_start);
  fixture_add_func ("/pool/only idempotent functions are retried", test_not_retried);
  fixture_add_func ("/pool/a function tells that it is idempotent", test_flag);
  fixture_add_func ("/pool/how a worker died is known though its zygote is stopped",
                    test_stopped_zygote);
  return fixture_run ();
}
