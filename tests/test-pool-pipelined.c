/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that are sent to a worker before it has answered those before them: each is answered, once,
 * and the death of a worker is that of one call. */

#include "tests/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <procfun/procfun.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not each of them in each pool: a death costs a process. */
#define DIES_EACH 97
#define N_CALLS 1500

PROCFUN_DEFINE_STATIC_FUNCTION (succeed_or_die, int, (int, n))
{
  if (n % DIES_EACH != 0)
    return n + 1;
  if (n % (2 * DIES_EACH) == 0)
    _exit (3);
  if (n % (3 * DIES_EACH) == 0)
    abort ();
  kill (getpid (), SIGKILL);
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_process, int, (int, n)) { return getpid (); }

PROCFUN_DEFINE_STATIC_FUNCTION (wait_to_be_cancelled, int, (int, n))
{
  GCancellable *cancellable = procfun_get_cancellable ();

  while (!g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
  return n;
}

/* The first leaves a child and a descriptor. */
PROCFUN_DEFINE_STATIC_FUNCTION (leave_things, int, (int, n))
{
  pid_t child = n == 0 ? fork () : 0;

  if (child == 0 && n == 0)
    for (;;)
      pause ();
  if (n == 0 && dup (STDERR_FILENO) < 0)
    return -1;
  return child;
}

PROCFUN_DEFINE_STATIC_FUNCTION (take_ms, int, (int, ms))
{
  g_usleep ((gulong)ms * 1000);
  return ms;
}

/* Writes down that it runs. */
PROCFUN_DEFINE_STATIC_FUNCTION (write_down, int, (const char *, path), (int, n), (gboolean, dies))
{
  char byte = (char)('0' + n);
  int fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);

  if (fd < 0 || write (fd, &byte, 1) != 1)
    return -1;
  close (fd);
  if (dies)
    abort ();
  return getpid ();
}

typedef struct
{
  guint workers;
  guint in_flight;
  guint at_once;
} Shape;

typedef struct
{
  ProcfunPool *pool;
  guint next;
  guint n_ended;
  guint n_failed;
} Run;

static void on_ended (GObject *source, GAsyncResult *result, gpointer user_data);

static void
submit (Run *self)
{
  g_autoptr (ProcfunCall) call = succeed_or_die_call ((int)self->next++);

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self->pool));
  procfun_call_run_async (call, NULL, on_ended, self);
}

static int
get_number (ProcfunCall *call)
{
  int number;

  g_variant_get (procfun_call_get_arguments (call), "(i)", &number);
  return number;
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *self = user_data;
  int number = get_number (PROCFUN_CALL (source));
  g_autoptr (GError) error = NULL;
  int answer = succeed_or_die_process_finish (result, &error);

  if (number % DIES_EACH == 0)
    {
      g_assert_nonnull (error);
      g_assert_true (error->domain == PROCFUN_ERROR);
      self->n_failed++;
    }
  else
    {
      g_assert_no_error (error);
      g_assert_cmpint (answer, ==, number + 1);
    }
  self->n_ended++;
  if (self->next < N_CALLS)
    submit (self);
}

static const Shape shapes[] = { { 1, 2, 2 }, { 1, 64, 64 }, { 2, 8, 100 }, { 2, 64, 128 } };

static void
test_deaths (gconstpointer data)
{
  const Shape *shape = data;
  Run run = { .pool = procfun_pool_new (shape->workers), .next = 1 };

  procfun_pool_set_calls_in_flight (run.pool, shape->in_flight);
  for (guint i = 0; i < shape->at_once; i++)
    submit (&run);
  while (run.n_ended < N_CALLS - 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (run.n_failed, ==, (N_CALLS - 1) / DIES_EACH);
  procfun_executor_close (PROCFUN_EXECUTOR (run.pool), NULL, NULL);
  g_object_unref (run.pool);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* Takes @call. */
static void
run_on (ProcfunPool *pool, ProcfunCall *call, GAsyncResult **result)
{
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (call, NULL, keep_result, result);
  g_object_unref (call);
}

static void
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* One worker, and what comes behind is as good as what comes first. */
static void
test_order (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  GAsyncResult *results[20] = { NULL };
  int pid = 0;

  procfun_pool_set_calls_in_flight (pool, G_N_ELEMENTS (results));
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    run_on (pool, get_process_call ((int)i), &results[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GError) error = NULL;
      int own;

      wait_for (&results[i]);
      own = get_process_process_finish (results[i], &error);
      g_assert_no_error (error);
      g_assert_true (pid == 0 || own == pid);
      pid = own;
      g_object_unref (results[i]);
    }
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

/* Each takes the worker from all that were sent behind it. */
static void
test_many_deaths (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  GAsyncResult *results[12] = { NULL };

  procfun_pool_set_calls_in_flight (pool, G_N_ELEMENTS (results));
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    run_on (pool, succeed_or_die_call (i + 1 < G_N_ELEMENTS (results) ? DIES_EACH : 1),
            &results[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GError) error = NULL;
      int number;

      wait_for (&results[i]);
      number = succeed_or_die_process_finish (results[i], &error);
      if (i + 1 < G_N_ELEMENTS (results))
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED);
      else
        g_assert_cmpint (number, ==, 2);
      g_object_unref (results[i]);
    }
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

static void
count_recycled (ProcfunExecutor *executor, int pid, const char *reason, gpointer user_data)
{
  g_assert_true (g_str_has_prefix (reason, "leftovers: "));
  ++*(guint *)user_data;
}

/* With calls behind it, a worker looks for what they leave less often; once all are done it has.
 */
static void
test_leftovers (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  GAsyncResult *results[100] = { NULL };
  guint n_recycled = 0;
  int child = 0;

  g_signal_connect (pool, "worker-recycled", G_CALLBACK (count_recycled), &n_recycled);
  procfun_pool_set_calls_in_flight (pool, G_N_ELEMENTS (results));
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    run_on (pool, leave_things_call ((int)i), &results[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autoptr (GError) error = NULL;
      int number;

      wait_for (&results[i]);
      number = leave_things_process_finish (results[i], &error);
      g_assert_no_error (error);
      if (i == 0)
        child = number;
      g_object_unref (results[i]);
    }
  g_assert_cmpint (child, >, 0);
  g_assert_cmpint (kill (child, 0), ==, -1);
  g_assert_cmpuint (n_recycled, ==, 1);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

/* The one in front is cancelled, and those behind it are not. */
static void
test_cancel (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ProcfunCall *calls[3];
  GAsyncResult *results[G_N_ELEMENTS (calls)] = { NULL };

  procfun_pool_set_calls_in_flight (pool, G_N_ELEMENTS (calls));
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i] = i == 0 ? wait_to_be_cancelled_call (1) : get_process_call ((int)i);
      procfun_call_set_executor (calls[i], PROCFUN_EXECUTOR (pool));
      procfun_call_run_async (calls[i], i == 0 ? cancellable : NULL, keep_result, &results[i]);
    }
  while (procfun_call_get_pid (calls[0]) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_cancellable_cancel (cancellable);
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      wait_for (&results[i]);
      result = procfun_call_run_finish (calls[i], results[i], &error);
      if (i == 0)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        g_assert_no_error (error);
      g_object_unref (results[i]);
      g_object_unref (calls[i]);
    }
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

/* A main loop in the callback of a call brings the next one to its end. */
static void
on_first (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ProcfunCall) call = get_process_call (2);
  GAsyncResult *next = NULL;
  g_autoptr (GError) error = NULL;
  int *pid = user_data;

  procfun_call_set_executor (call, procfun_call_get_executor (PROCFUN_CALL (source)));
  procfun_call_run_async (call, NULL, keep_result, &next);
  while (next == NULL)
    g_main_context_iteration (NULL, TRUE);
  *pid = get_process_process_finish (next, &error);
  g_assert_no_error (error);
  g_object_unref (next);
}

static void
test_nested_loop (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = get_process_call (1);
  int pid = 0;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  procfun_call_run_async (call, NULL, on_first, &pid);
  while (pid == 0)
    g_main_context_iteration (NULL, TRUE);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

#define N_NESTED 12

typedef struct
{
  ProcfunPool *pool;
  guint n_ended;
  guint n_within;
} Nest;

/* The first of those that are left waits for all of the others. */
static void
on_nested (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Nest *self = user_data;
  g_autoptr (GError) error = NULL;

  take_ms_process_finish (result, &error);
  g_assert_no_error (error);
  self->n_within++;
  while (self->n_ended + self->n_within < N_NESTED)
    g_main_context_iteration (NULL, TRUE);
  self->n_within--;
  self->n_ended++;
}

/* Only from within the main loop are calls sent ahead. */
static gboolean
start_nest (gpointer user_data)
{
  Nest *self = user_data;

  for (guint i = 0; i < N_NESTED; i++)
    {
      g_autoptr (ProcfunCall) call = take_ms_call (i % 3 == 2 ? 5 : 0);

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (self->pool));
      procfun_call_run_async (call, NULL, on_nested, self);
    }
  return G_SOURCE_REMOVE;
}

/* The answers to some of them come together, and others have to be waited for, each in a main
 * loop inside of that of the one before. */
static void
test_nested_loops (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  Nest nest = { .pool = pool };

  procfun_pool_set_calls_in_flight (pool, N_NESTED / 2);
  g_idle_add (start_nest, &nest);
  while (nest.n_ended < N_NESTED)
    g_main_context_iteration (NULL, TRUE);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

typedef struct
{
  ProcfunPool *pool;
  ProcfunCall *second;
  GAsyncResult *result; /* (nullable): of the second, that has ended */
  gboolean is_done;
} Pair;

static void
on_first_of_pair (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Pair *self = user_data;

  procfun_call_abort (self->second);
  while (self->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  self->is_done = TRUE;
}

static gboolean
start_pair (gpointer user_data)
{
  Pair *self = user_data;
  g_autoptr (ProcfunCall) first = take_ms_call (5);

  procfun_call_set_executor (first, PROCFUN_EXECUTOR (self->pool));
  procfun_call_set_executor (self->second, PROCFUN_EXECUTOR (self->pool));
  procfun_call_set_grace_period (self->second, 0);
  procfun_call_run_async (first, NULL, on_first_of_pair, self);
  procfun_call_run_async (self->second, NULL, keep_result, &self->result);
  return G_SOURCE_REMOVE;
}

/* When the callback of one call comes, the next one has its turn, and can be cancelled. */
static void
test_nested_cancel (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) second = take_ms_call (3000);
  g_autoptr (GError) error = NULL;
  Pair pair = { .pool = pool, .second = second };

  procfun_pool_set_calls_in_flight (pool, 2);
  g_idle_add (start_pair, &pair);
  while (!pair.is_done)
    g_main_context_iteration (NULL, TRUE);
  take_ms_process_finish (pair.result, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_object_unref (pair.result);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

#define N_NOTED 9

typedef struct
{
  ProcfunPool *pool;
  char *path;
  int dies; /* the call in which the worker crashes; 0: it leaves, idle */
  int pid;  /* of the worker */
  GAsyncResult *results[N_NOTED];
} Notes;

static void
note_in_worker (Notes *self, int n)
{
  g_autoptr (ProcfunCall) call = write_down_call (self->path, n, n > 0 && n == self->dies);

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self->pool));
  procfun_call_run_async (call, NULL, keep_result, &self->results[n]);
}

/* The main loop stands still until the worker has gone. */
static gboolean
start_notes (gpointer user_data)
{
  Notes *self = user_data;

  for (int n = 1; n < N_NOTED; n++)
    note_in_worker (self, n);
  while (kill (self->pid, 0) == 0)
    g_usleep (1000);
  return G_SOURCE_REMOVE;
}

static int
get_note (Notes *self, int n, GError **error)
{
  while (self->results[n] == NULL)
    g_main_context_iteration (NULL, TRUE);
  return write_down_process_finish (self->results[n], error);
}

/* Calls that a worker has answered before it was gone count, and those that it had not begun go to
 * another one. */
static void
test_noticed_late (gconstpointer data)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autofree char *text = NULL;
  Notes notes = { .pool = pool, .dies = GPOINTER_TO_INT (data) };

  close (g_file_open_tmp (NULL, &notes.path, NULL));
  procfun_pool_set_calls_in_flight (pool, 4);
  procfun_pool_set_idle_timeout (pool, 50 * G_TIME_SPAN_MILLISECOND);
  note_in_worker (&notes, 0);
  notes.pid = get_note (&notes, 0, NULL);
  g_idle_add (start_notes, &notes);
  for (int n = 1; n < N_NOTED; n++)
    {
      g_autoptr (GError) error = NULL;

      get_note (&notes, n, &error);
      if (n == notes.dies)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      else
        g_assert_no_error (error);
    }
  for (int n = 0; n < N_NOTED; n++)
    g_object_unref (notes.results[n]);
  g_file_get_contents (notes.path, &text, NULL, NULL);
  g_assert_cmpuint (strlen (text), ==, N_NOTED);
  for (int n = 0; n < N_NOTED; n++) /* in any order: calls that go to another worker wait again */
    g_assert_nonnull (strchr (text, '0' + n));
  g_unlink (notes.path);
  g_free (notes.path);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/pool/ahead/deaths/%u-workers-%u-in-flight-%u-at-once",
                             shapes[i].workers, shapes[i].in_flight, shapes[i].at_once);

      fixture_add_data_func (path, &shapes[i], test_deaths);
    }
  fixture_add_func ("/pool/calls in flight run in their order", test_order);
  fixture_add_func ("/pool/only the call that its worker ran fails when it dies, many times",
                    test_many_deaths);
  fixture_add_func ("/pool/leftovers of calls in flight are looked for", test_leftovers);
  fixture_add_func ("/pool/a call in flight is cancelled and those behind it go on", test_cancel);
  fixture_add_func ("/pool/a main loop in a callback brings calls in flight to an end",
                    test_nested_loop);
  fixture_add_func ("/pool/main loops in several callbacks bring calls in flight to an end",
                    test_nested_loops);
  fixture_add_func ("/pool/a call in flight can be cancelled in a callback", test_nested_cancel);
  fixture_add_data_func ("/pool/no call runs twice when its worker has left unnoticed", NULL,
                         test_noticed_late);
  fixture_add_data_func ("/pool/no call runs twice when its worker has crashed unnoticed",
                         GINT_TO_POINTER (3), test_noticed_late);
  return fixture_run ();
}
