/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An executor of somebody else's: it answers each call with what it was told, from a thread-default
 * context, and keeps something between calls. */
#define TEST_TYPE_ORACLE (test_oracle_get_type ())
G_DECLARE_FINAL_TYPE (TestOracle, test_oracle, TEST, ORACLE, ProcfunExecutor)

struct _TestOracle
{
  ProcfunExecutor parent_instance;
  GVariant *answer; /* (nullable): it fails */
  guint n_runs;
  guint n_closed;
};

G_DEFINE_FINAL_TYPE (TestOracle, test_oracle, PROCFUN_TYPE_EXECUTOR)

static GVariant *
test_oracle_run (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                 GError **error)
{
  TestOracle *self = TEST_ORACLE (executor);

  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_RUNNING);
  g_assert_true (g_variant_is_of_type (
      procfun_call_get_arguments (call),
      procfun_function_get_arguments_type (procfun_call_get_function (call))));
  g_atomic_int_inc (&self->n_runs);
  if (self->answer != NULL)
    return g_variant_ref (self->answer);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "no answer");
  return NULL;
}

static void
test_oracle_run_async (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (executor, cancellable, callback, user_data);
  GError *error = NULL;
  GVariant *answer = test_oracle_run (executor, call, cancellable, &error);

  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

static GVariant *
test_oracle_run_finish (ProcfunExecutor *executor, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
test_oracle_close (ProcfunExecutor *executor, GCancellable *cancellable, GError **error)
{
  TEST_ORACLE (executor)->n_closed++;
  return TRUE;
}

static void
test_oracle_finalize (GObject *object)
{
  g_clear_pointer (&TEST_ORACLE (object)->answer, g_variant_unref);
  G_OBJECT_CLASS (test_oracle_parent_class)->finalize (object);
}

static void
test_oracle_class_init (TestOracleClass *klass)
{
  ProcfunExecutorClass *executor_class = PROCFUN_EXECUTOR_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = test_oracle_finalize;
  executor_class->run = test_oracle_run;
  executor_class->run_async = test_oracle_run_async;
  executor_class->run_finish = test_oracle_run_finish;
  executor_class->close = test_oracle_close;
}

static void
test_oracle_init (TestOracle *self)
{
}

static TestOracle *
test_oracle_new (GVariant *answer)
{
  TestOracle *self = g_object_new (TEST_TYPE_ORACLE, NULL);

  self->answer = answer != NULL ? g_variant_ref_sink (answer) : NULL;
  return self;
}

static void
test_derived (void)
{
  g_autoptr (TestOracle) oracle = test_oracle_new (g_variant_new_int32 (42));
  g_autoptr (TestOracle) silent = test_oracle_new (NULL);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (oracle);

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      calls_assert_result (executor, add_call (1, 2), async, "42");
      calls_assert_error (PROCFUN_EXECUTOR (silent), add_call (1, 2), async, G_IO_ERROR,
                          G_IO_ERROR_BUSY, "no answer");
    }
  g_assert_cmpuint (oracle->n_runs, ==, 2);

  /* A wrong call does not come so far. */
  calls_assert_error (executor, procfun_call_new (add_function (), g_variant_new ("()")), FALSE,
                      PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*add()*");
  g_assert_cmpuint (oracle->n_runs, ==, 2);

  g_assert_true (procfun_executor_close (executor, NULL, NULL));
  g_assert_cmpuint (oracle->n_closed, ==, 1);
}

/* An answer of another type than the function's is an error, and no crash of who converts it. */
static void
test_derived_lies (void)
{
  g_autoptr (TestOracle) oracle = test_oracle_new (g_variant_new_string ("not a number"));

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (PROCFUN_EXECUTOR (oracle), add_call (1, 2), async, PROCFUN_ERROR,
                        PROCFUN_ERROR_PROTOCOL, "*add()*“s”*“i”*");
}

/* The default */

static void
test_default (void)
{
  g_autoptr (TestOracle) oracle = test_oracle_new (g_variant_new_int32 (42));
  ProcfunExecutor *before = procfun_executor_get_default ();
  g_autoptr (GError) error = NULL;

  g_assert_true (PROCFUN_IS_FORK_SERVER (before));
  g_assert_true (procfun_executor_get_default () == before);
  procfun_executor_set_default (PROCFUN_EXECUTOR (oracle));
  g_assert_true (procfun_executor_get_default () == PROCFUN_EXECUTOR (oracle));
  g_assert_cmpint (add_process (1, 2, &error), ==, 42);
  procfun_executor_set_default (PROCFUN_EXECUTOR (oracle));
  procfun_executor_set_default (NULL);
  g_assert_true (PROCFUN_IS_FORK_SERVER (procfun_executor_get_default ()));
  g_assert_cmpint (add_process (1, 2, &error), ==, 3);
  g_assert_no_error (error);
}

static gpointer
call_until_told (gpointer told)
{
  while (!g_atomic_int_get ((gint *)told))
    {
      g_autoptr (GError) error = NULL;
      gint sum = add_process (1, 2, &error);

      g_assert_no_error (error);
      g_assert_true (sum == 3 || sum == 42);
    }
  return NULL;
}

/* Calls in other threads go to the one before or to the one after. */
static void
test_default_in_threads (void)
{
  GThread *threads[2];
  gint told = FALSE;

  procfun_executor_set_default (PROCFUN_EXECUTOR (procfun_inline_new ()));
  g_object_unref (procfun_executor_get_default ());
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_until_told, &told);
  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (TestOracle) oracle = test_oracle_new (g_variant_new_int32 (42));

      procfun_executor_set_default (PROCFUN_EXECUTOR (oracle));
    }
  g_atomic_int_set (&told, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  procfun_executor_set_default (NULL);
}

/* Executor named by the environment, in a program of its own; and the error for a word that means
 * nothing. */
static const struct
{
  const char *name;
  const char *value;
  GType (*type) (void); /* NULL: calls fail */
  const char *why;      /* of that */
} choices[] = {
  { "spawn", "spawn", procfun_spawner_get_type, NULL },
  { "fork", "fork", procfun_fork_server_get_type, NULL },
  { "inline", "inline", procfun_inline_get_type, NULL },
  { "unknown", "tele\nport", NULL, "“tele port”: the executors are *" },
  { "pool-of-none", "pool:0", NULL, "“pool:0”: the executors are *" },
  { "host-of-no-name", "local, ssh:", NULL, "“ssh:” names no host" },
  { "empty", "", procfun_fork_server_get_type, NULL },
};

static void
assert_calls_are_refused (const char *why)
{
  g_autofree char *pattern = g_strdup_printf ("add()*: PROCFUN_EXECUTOR: %s", why);

  for (gsize async = 0; async < 2; async++)
    calls_assert_error (NULL, add_call (1, 2), async, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                        pattern);
}

static void
test_variable (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  if (!g_test_subprocess ())
    {
      g_setenv ("PROCFUN_EXECUTOR", choices[i].value, TRUE);
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_unsetenv ("PROCFUN_EXECUTOR");
      g_test_trap_assert_passed ();
      return;
    }
  if (choices[i].type == NULL)
    {
      assert_calls_are_refused (choices[i].why);
      return;
    }
  g_assert_true (G_TYPE_CHECK_INSTANCE_TYPE (procfun_executor_get_default (), choices[i].type ()));
  g_assert_cmpint (in_child_process (NULL), ==, choices[i].type () != PROCFUN_TYPE_INLINE);
}

/* Closing */

typedef struct
{
  ProcfunExecutor *executor;
  ProcfunCall *call;
  GError *error;
  Signal signal;
} Running;

static gpointer
run_blocking (gpointer user_data)
{
  Running *self = user_data;

  g_assert_null (procfun_call_run (self->call, NULL, &self->error));
  return NULL;
}

/* The function may have said that it runs before this process knows by which number; 0 would kill
 * this process and those that started it. */
static void
kill_callee (ProcfunCall *call)
{
  while (procfun_call_get_pid (call) == 0)
    g_thread_yield ();
  kill (procfun_call_get_pid (call), SIGKILL);
}

static gpointer
kill_when_closed (gpointer user_data)
{
  Running *self = user_data;

  while (!procfun_executor_is_closed (self->executor))
    g_thread_yield ();
  kill_callee (self->call);
  return NULL;
}

/* A call that runs in another thread until somebody kills it. */
static GThread *
start_running (Running *self)
{
  GThread *thread;

  self->executor = calls_new_executor ();
  signal_open (&self->signal);
  self->call = do_stay_call (self->signal.ends[1]);
  procfun_call_set_executor (self->call, self->executor);
  thread = g_thread_new ("caller", run_blocking, self);
  signal_wait (&self->signal);
  return thread;
}

static void
end_running (Running *self, GThread *thread)
{
  g_thread_join (thread);
  g_assert_error (self->error, PROCFUN_ERROR, PROCFUN_ERROR_KILLED);
  g_clear_error (&self->error);
  g_clear_object (&self->call);
  g_clear_object (&self->executor);
  signal_close (&self->signal);
}

static void
assert_closed (ProcfunExecutor *executor)
{
  g_assert_true (procfun_executor_is_closed (executor));
  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (executor, add_call (1, 2), async, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                        "*add()*closed*");
}

static void
test_close_idle (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_executor_is_closed (executor));
  g_assert_true (procfun_executor_close (executor, NULL, &error));
  assert_closed (executor);
  g_assert_true (procfun_executor_close (executor, NULL, &error));
  g_assert_no_error (error);
}

/* GLib's thread may have to reap it yet. */
static gboolean
is_dead (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;

  return !g_file_get_contents (path, &text, NULL, NULL) || strstr (text, ") Z ") != NULL;
}

/* Waits for the call that runs in another thread; it is ended only when closing has begun. */
static void
test_close_waits (void)
{
  Running self = { NULL };
  GThread *caller = start_running (&self);
  GThread *killer = g_thread_new ("killer", kill_when_closed, &self);
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_executor_close (self.executor, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (is_dead (procfun_call_get_pid (self.call)));
  g_thread_join (killer);
  assert_closed (self.executor);
  end_running (&self, caller);
}

static gpointer
cancel_when_closed (gpointer user_data)
{
  ProcfunExecutor *executor = g_object_get_data (user_data, "executor");

  while (!procfun_executor_is_closed (executor))
    g_thread_yield ();
  g_cancellable_cancel (user_data);
  return NULL;
}

/* Only the waiting ends; the executor is closed, and the call runs on. */
static void
test_close_cancelled (void)
{
  Running self = { NULL };
  GThread *caller = start_running (&self);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *canceller;

  g_object_set_data (G_OBJECT (cancellable), "executor", self.executor);
  canceller = g_thread_new ("canceller", cancel_when_closed, cancellable);
  g_assert_false (procfun_executor_close (self.executor, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (canceller);
  g_assert_cmpint (procfun_call_get_state (self.call), ==, PROCFUN_CALL_RUNNING);
  assert_closed (self.executor);
  kill_callee (self.call);
  g_clear_error (&error);
  g_assert_true (procfun_executor_close (self.executor, NULL, &error));
  end_running (&self, caller);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, &error));
  g_assert_no_error (error);
  g_string_append (user_data, "closed ");
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (add_process_finish (result, &error), ==, 3);
  g_assert_no_error (error);
  g_string_append (user_data, "ended ");
}

/* Calls of the same main context end first. */
static void
test_close_async (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GString) log = g_string_new (NULL);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);

      procfun_call_set_executor (call, executor);
      procfun_call_run_async (call, NULL, on_ended, log);
    }
  procfun_executor_close_async (executor, NULL, on_closed, log);
  procfun_executor_close_async (executor, NULL, on_closed, log);
  g_assert_cmpstr (log->str, ==, "");
  assert_closed (executor);
  while (g_strrstr (log->str, "closed closed") == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (log->str, ==, "ended ended ended closed closed ");
}

static void
test_close_async_idle (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (GString) log = g_string_new (NULL);

  procfun_executor_close_async (executor, NULL, on_closed, log);
  g_assert_cmpstr (log->str, ==, "");
  while (log->len == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* The last call ends in another thread than the one that closes; the callback comes in the latter's
 * context. */
static void
test_close_async_from_elsewhere (void)
{
  Running self = { NULL };
  GThread *caller = start_running (&self);
  g_autoptr (GString) log = g_string_new (NULL);

  procfun_executor_close_async (self.executor, NULL, on_closed, log);
  kill_callee (self.call);
  while (log->len == 0)
    g_main_context_iteration (NULL, TRUE);
  end_running (&self, caller);
}

static void
on_close_cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_string_append (user_data, "cancelled ");
}

static void
test_close_async_cancelled (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GString) log = g_string_new (NULL);

  g_cancellable_cancel (cancellable);
  procfun_executor_close_async (executor, cancellable, on_close_cancelled, log);
  while (log->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (procfun_executor_is_closed (executor));
}

static void
test_misuse (void)
{
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_EXECUTOR*");
  g_assert_false (procfun_executor_close (NULL, NULL, NULL));
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_EXECUTOR*");
  g_assert_true (procfun_executor_is_closed (NULL));
  g_test_assert_expected_messages ();
}

static void
test_constructors (void)
{
  g_autoptr (ProcfunInline) here = procfun_inline_new ();
  g_autoptr (ProcfunForkServer) fork_server = procfun_fork_server_new ();
  g_autoptr (ProcfunSpawner) spawner = procfun_spawner_new ();
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);

  g_assert_true (PROCFUN_IS_INLINE (here));
  g_assert_true (PROCFUN_IS_FORK_SERVER (fork_server));
  g_assert_true (PROCFUN_IS_SPAWNER (spawner));
  g_assert_true (PROCFUN_IS_POOL (pool));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/executor/each constructor returns its own type", test_constructors);
  fixture_add_func ("/executor/an executor can be derived", test_derived);
  fixture_add_func ("/executor/an executor that lies harms nobody", test_derived_lies);
  fixture_add_func ("/executor/the default executor can be set", test_default);
  fixture_add_func ("/executor/the default executor can be replaced while threads call",
                    test_default_in_threads);
  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      g_autofree char *path = g_strconcat ("/executor/variable/", choices[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_variable);
    }
  calls_add_func ("/executor/close/closing without calls ends at once", test_close_idle);
  calls_add_func ("/executor/close/closing waits for calls", test_close_waits);
  calls_add_func ("/executor/close/closing can be cancelled", test_close_cancelled);
  calls_add_func ("/executor/close/closing asynchronously waits for calls", test_close_async);
  fixture_add_func ("/executor/close/closing asynchronously without calls ends at once",
                    test_close_async_idle);
  calls_add_func ("/executor/close/the callback comes in the main context of the closer",
                  test_close_async_from_elsewhere);
  fixture_add_func ("/executor/close/closing asynchronously can be cancelled",
                    test_close_async_cancelled);
  fixture_add_func ("/executor/misuse is criticised", test_misuse);
  return fixture_run ();
}
