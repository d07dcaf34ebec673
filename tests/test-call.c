/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <string.h>
#include <unistd.h>

typedef ProcfunExecutor *(*MakeExecutor) (void);

/* Events of a call, one word after the other. */
typedef struct
{
  GString *words;
  GThread *thread;
  GMainContext *context; /* (nullable): what the asynchronous one runs in */
} Log;

static void
note (Log *log, ProcfunCall *call, const char *word)
{
  static const char *const states[] = { "new", "running", "succeeded", "failed" };

  g_assert_true (g_thread_self () == log->thread);
  if (log->context != NULL)
    g_assert_true (g_main_context_is_owner (log->context));
  g_string_append_printf (log->words, "%s:%s ", word, states[procfun_call_get_state (call)]);
}

static void
on_started (ProcfunCall *call, int pid, Log *log)
{
  g_assert_cmpint (pid, >, 0);
  g_assert_cmpint (pid, ==, procfun_call_get_pid (call));
  note (log, call, "started");
}

static void
on_finished (ProcfunCall *call, Log *log)
{
  note (log, call, "finished");
}

static void
on_notify (ProcfunCall *call, GParamSpec *pspec, Log *log)
{
  g_assert_cmpstr (pspec->name, ==, "state");
  note (log, call, "notify");
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Log *log = user_data;

  note (log, PROCFUN_CALL (source), "callback");
  g_object_set_data_full (source, "result", g_object_ref (result), g_object_unref);
}

/* Runs @call and says what happened in which order. (transfer full) */
static char *
run_and_log (ProcfunCall *call, gboolean async)
{
  g_autoptr (GMainContext) context = async ? g_main_context_new () : NULL;
  Log log = { g_string_new (NULL), g_thread_self (), context };
  g_autoptr (GAsyncResult) done = NULL;
  g_autoptr (GVariant) result = NULL;

  g_signal_connect (call, "started", G_CALLBACK (on_started), &log);
  g_signal_connect (call, "finished", G_CALLBACK (on_finished), &log);
  if (!async)
    {
      g_signal_connect (call, "notify::state", G_CALLBACK (on_notify), &log);
      result = procfun_call_run (call, NULL, NULL);
      note (&log, call, "returned");
      return g_string_free (log.words, FALSE);
    }
  g_main_context_push_thread_default (context);
  procfun_call_run_async (call, NULL, on_done, &log);
  g_string_append (log.words, "returned ");
  g_signal_connect (call, "notify::state", G_CALLBACK (on_notify), &log);
  while (g_object_get_data (G_OBJECT (call), "result") == NULL)
    g_main_context_iteration (context, TRUE);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  done = g_object_steal_data (G_OBJECT (call), "result");
  result = procfun_call_run_finish (call, done, NULL);
  return g_string_free (log.words, FALSE);
}

static void
assert_order (MakeExecutor make, ProcfunCall *call, gboolean async, const char *expected)
{
  g_autoptr (ProcfunExecutor) executor = make ();
  g_autofree char *words = NULL;

  procfun_call_set_executor (call, executor);
  words = run_and_log (call, async);
  g_assert_cmpstr (words, ==, expected);
  g_object_unref (call);
}

/* Once each, in this order, in the caller's thread and context, on every executor. */
static void
test_order (gconstpointer data)
{
  MakeExecutor make = (MakeExecutor)data;

  assert_order (
      make, add_call (1, 2), FALSE,
      "notify:running started:running notify:succeeded finished:succeeded returned:succeeded ");
  assert_order (make, fail_void_call (3), FALSE,
                "notify:running started:running notify:failed finished:failed returned:failed ");
  assert_order (make, add_call (1, 2), TRUE,
                "returned started:running notify:succeeded finished:succeeded callback:succeeded ");
  assert_order (make, fail_void_call (3), TRUE,
                "returned started:running notify:failed finished:failed callback:failed ");
  /* A refused call has no process. */
  assert_order (make, procfun_call_new (add_function (), g_variant_new ("(s)", "1")), FALSE,
                "notify:running notify:failed finished:failed returned:failed ");
  assert_order (make, procfun_call_new (add_function (), g_variant_new ("(s)", "1")), TRUE,
                "returned notify:failed finished:failed callback:failed ");
}

/* A result, and what is kept of it */

static void
test_new (void)
{
  GVariant *args = g_variant_new ("(ii)", 1, 2);
  g_autoptr (ProcfunCall) call = procfun_call_new (add_function (), args);
  g_autoptr (ProcfunFunction) function = NULL;
  ProcfunCallState state = PROCFUN_CALL_FAILED;

  g_assert_false (g_variant_is_floating (args));
  g_assert_true (procfun_call_get_arguments (call) == args);
  g_object_get (call, "function", &function, "state", &state, NULL);
  g_assert_true (function == add_function ());
  g_assert_cmpint (state, ==, PROCFUN_CALL_NEW);
  g_assert_cmpint (procfun_call_get_pid (call), ==, 0);
  g_assert_null (procfun_call_get_result (call));
  g_assert_null (procfun_call_get_result_fd_list (call));
  g_assert_null (procfun_call_get_executor (call));
  g_assert_null (procfun_call_get_fd_list (call));
}

static void
test_never_run (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) call = read_all_call (0);

  procfun_call_set_executor (call, executor);
  g_assert_true (procfun_call_get_executor (call) == executor);
  procfun_call_set_executor (call, NULL);
  g_assert_null (procfun_call_get_executor (call));
  g_assert_cmpint (g_unix_fd_list_get_length (procfun_call_get_fd_list (call)), ==, 1);
}

static void
test_result_is_kept (gconstpointer data)
{
  MakeExecutor make = (MakeExecutor)data;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = make ();
      g_autoptr (ProcfunCall) call = open_text_call ("text");
      g_autoptr (GVariant) result = NULL;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      result = calls_run (g_object_ref (call), async, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_handle (result), ==, 0);
      g_assert_true (procfun_call_get_result (call) == result);
      g_assert_cmpint (g_unix_fd_list_get_length (procfun_call_get_result_fd_list (call)), ==, 1);
      g_assert_cmpint (procfun_call_get_pid (call), >, 0);
    }
}

static void
test_no_result_of_failure (gconstpointer data)
{
  MakeExecutor make = (MakeExecutor)data;
  g_autoptr (ProcfunExecutor) executor = make ();
  g_autoptr (ProcfunCall) call = fail_with_result_call (3);
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  g_assert_null (calls_run (g_object_ref (call), FALSE, NULL, &error));
  g_assert_error (error, G_FILE_ERROR, 3);
  g_assert_null (procfun_call_get_result (call));
  g_assert_null (procfun_call_get_result_fd_list (call));
}

/* Callers that ignore the error, or the end. */
static void
test_nobody_cares (void)
{
  g_autoptr (ProcfunCall) blocking = fail_void_call (3);
  g_autoptr (ProcfunCall) async = fail_void_call (3);

  g_assert_null (procfun_call_run (blocking, NULL, NULL));
  procfun_call_run_async (async, NULL, NULL, NULL);
  while (procfun_call_get_state (async) == PROCFUN_CALL_RUNNING)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
drop (ProcfunCall **held)
{
  g_clear_object (held);
}

/* The last one to hold the call lets go in a handler. */
static void
test_dropped_in_handler (gconstpointer data)
{
  static const char *const signals[] = { "started", "finished" };
  MakeExecutor make = (MakeExecutor)data;

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_autoptr (ProcfunExecutor) executor = make ();
      ProcfunCall *call = add_call (1, 2);
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, executor);
      g_signal_connect_swapped (call, signals[i], G_CALLBACK (drop), &call);
      result = procfun_call_run (call, NULL, NULL);
      g_assert_null (call);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
    }
}

/* Arguments */

static const struct
{
  const char *name;
  const char *args;
} wrong_args[] = {
  { "none", "()" },
  { "too-few", "(1,)" },
  { "too-many", "(1, 2, 3)" },
  { "another-type", "(1, int64 2)" },
  { "no-tuple", "1" },
  { "array", "[1, 2]" },
  { "nested", "((1, 2),)" },
  { "variants", "(<1>, <2>)" },
};

static void
test_wrong_args (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GVariant) args = g_variant_parse (NULL, wrong_args[i].args, NULL, NULL, NULL);

      calls_assert_error (executor, procfun_call_new (add_function (), args), async, PROCFUN_ERROR,
                          PROCFUN_ERROR_INVALID, "*add()*(ii)*");
    }
}

/* C values that are none: the call is there, and running it says so. */
static void
test_values_that_are_none (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) call = string_length_call (NULL);

  g_assert_null (procfun_call_get_arguments (call));
  calls_assert_error (executor, g_steal_pointer (&call), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                      "*string_length()*text*");
  calls_assert_error (executor, string_length_call ("\xff"), TRUE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENCODE, "*string_length()*text*UTF-8*");
  calls_assert_error (executor, read_all_call (-1), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                      "*read_all()*fd*");
}

/* A handle without its descriptor. */
static void
test_missing_descriptor (gconstpointer data)
{
  MakeExecutor make = (MakeExecutor)data;
  g_autoptr (ProcfunExecutor) executor = make ();

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (executor, procfun_call_new (read_all_function (), g_variant_new ("(h)", 0)),
                        async, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, "*read_all()*");
}

/* Misuse, each a critical that says what is wrong, and nothing worse */

static void
expect_critical (const char *pattern)
{
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, pattern);
}

static void
test_misuse_null (void)
{
  g_autoptr (GVariant) args = g_variant_ref_sink (g_variant_new ("()"));

  expect_critical ("*PROCFUN_IS_FUNCTION*");
  g_assert_null (procfun_call_new (NULL, args));
  expect_critical ("*args != NULL*");
  g_assert_null (procfun_call_new (add_function (), NULL));
  expect_critical ("*PROCFUN_IS_CALL*");
  g_assert_null (procfun_call_run (NULL, NULL, NULL));
  expect_critical ("*PROCFUN_IS_CALL*");
  procfun_call_run_async (NULL, NULL, NULL, NULL);
  g_test_assert_expected_messages ();
}

static void
test_misuse_twice (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, NULL);
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (result);
  expect_critical ("*add()*started before*");
  g_assert_null (procfun_call_run (call, NULL, &error));
  expect_critical ("*add()*started before*");
  procfun_call_run_async (call, NULL, NULL, NULL);
  expect_critical ("*PROCFUN_CALL_NEW*");
  procfun_call_set_executor (call, executor);
  expect_critical ("*PROCFUN_CALL_NEW*");
  procfun_call_set_fd_list (call, NULL);
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_SUCCEEDED);
  g_assert_true (procfun_call_get_result (call) == result);
}

/* The generated functions of another function, which has the same C types. */
static void
test_misuse_other_function (void)
{
  g_autoptr (ProcfunCall) call = in_child_call ();
  g_autoptr (GError) error = NULL;

  expect_critical ("*are_those_bytes_run()*");
  g_assert_false (are_those_bytes_run (call, NULL, &error));
  expect_critical ("*nest_run()*");
  g_assert_cmpint (nest_run (NULL, NULL, &error), ==, 0);
  g_test_assert_expected_messages ();
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_NEW);
}

static void
test_misuse_result (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunCall) other = add_call (1, 2);
  g_autoptr (GTask) foreign = g_task_new (call, NULL, NULL, NULL);
  g_autoptr (GTask) of_other = g_task_new (other, NULL, NULL, NULL);

  g_task_return_pointer (foreign, NULL, NULL);
  g_task_return_pointer (of_other, NULL, NULL);
  expect_critical ("*call_wait_is_valid*");
  g_assert_null (procfun_call_run_finish (call, G_ASYNC_RESULT (foreign), NULL));
  expect_critical ("*call_wait_is_valid*");
  g_assert_null (procfun_call_run_finish (call, G_ASYNC_RESULT (of_other), NULL));
  expect_critical ("*nest_process_finish()*");
  g_assert_cmpint (nest_process_finish (G_ASYNC_RESULT (foreign), NULL), ==, 0);
  g_test_assert_expected_messages ();
}

static void
test_state_type (void)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (PROCFUN_TYPE_CALL_STATE);

  g_assert_cmpuint (states->n_values, ==, 4);
  g_assert_cmpstr (g_enum_get_value (states, PROCFUN_CALL_SUCCEEDED)->value_nick, ==, "succeeded");
}

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
make_inline (void)
{
  return PROCFUN_EXECUTOR (procfun_inline_new ());
}

static void
add_for_executors (const char *name, GTestDataFunc func)
{
  static const struct
  {
    const char *name;
    MakeExecutor make;
  } executors[] = { { "spawner", make_spawner }, { "inline", make_inline } };

  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      g_autofree char *path = g_strdup_printf ("/call/%s/%s", executors[i].name, name);

      fixture_add_data_func (path, (gconstpointer)executors[i].make, func);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/call/a-call-keeps-its-result", test_new);
  fixture_add_func ("/call/a-call-that-never-runs-frees-its-arguments", test_never_run);
  fixture_add_func ("/call/ignored-errors-and-ends-leak-nothing", test_nobody_cares);
  add_for_executors ("order", test_order);
  add_for_executors ("result-is-kept", test_result_is_kept);
  add_for_executors ("no-result-of-failure", test_no_result_of_failure);
  add_for_executors ("dropped-in-handler", test_dropped_in_handler);
  add_for_executors ("missing-descriptor", test_missing_descriptor);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_args); i++)
    {
      g_autofree char *path = g_strconcat ("/call/wrong-arguments/", wrong_args[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_wrong_args);
    }
  fixture_add_func ("/call/running-a-call-with-invalid-values-fails", test_values_that_are_none);
  fixture_add_func ("/call/misuse/null-is-a-critical-message", test_misuse_null);
  fixture_add_func ("/call/misuse/running-twice-is-a-critical-message", test_misuse_twice);
  fixture_add_func ("/call/misuse/wrappers-of-another-function-are-refused",
                    test_misuse_other_function);
  fixture_add_func ("/call/misuse/a-result-before-the-end-is-refused", test_misuse_result);
  fixture_add_func ("/call/the-state-is-an-enumeration", test_state_type);
  return fixture_run ();
}
