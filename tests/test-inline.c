/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Special cases of calls in the caller's own process. Cases of all executors: test-matrix.c, test-
 * call.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <fcntl.h>
#include <unistd.h>

static ProcfunCall *
inline_call (ProcfunCall *call)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  procfun_call_set_executor (call, executor);
  return call;
}

static void
test_own_process (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = inline_call (get_process_id_call ());
      g_autoptr (GVariant) result = calls_run (g_object_ref (call), async, NULL, NULL);

      g_assert_cmpint (g_variant_get_int32 (result), ==, getpid ());
      g_assert_cmpint (procfun_call_get_pid (call), ==, getpid ());
    }
  g_assert_false (procfun_is_child ());
}

/* A call from within a call, in the same process: that is no depth. */
static void
test_nested (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  procfun_executor_set_default (executor);
  calls_assert_result (executor, nest_call (20), FALSE, "21");
  calls_assert_result (executor, nest_call (20), TRUE, "21");
  procfun_executor_set_default (NULL);
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_string_append (user_data,
                   procfun_function_get_name (procfun_call_get_function (PROCFUN_CALL (source))));
  g_string_append_c (user_data, ' ');
}

static void
run_async (ProcfunCall *call, GCancellable *cancellable, GString *log)
{
  procfun_call_run_async (inline_call (call), cancellable, on_end, log);
  g_object_unref (call);
}

/* Not in procfun_call_run_async() itself, but when the caller comes back to its main loop; in turn.
 */
static void
test_async_is_later (void)
{
  g_autoptr (GString) log = g_string_new (NULL);

  run_async (add_call (1, 2), NULL, log);
  run_async (nothing_call (), NULL, log);
  run_async (fail_void_call (1), NULL, log);
  g_assert_cmpstr (log->str, ==, "");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (log->str, ==, "add nothing fail_void ");
}

static void
cancel_and_count (guint *n)
{
  ++*n;
}

/* Before it runs, a call can be cancelled; the function then is not called. */
static void
test_cancel_before (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      ProcfunCall *call = inline_call (add_call (1, 2));
      guint n_started = 0;

      g_signal_connect_swapped (call, "started", G_CALLBACK (cancel_and_count), &n_started);
      g_cancellable_cancel (cancellable);
      g_assert_null (calls_run (call, async, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpuint (n_started, ==, 0);
    }
}

static void
test_cancel_while_waiting (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ProcfunCall) call = inline_call (add_call (1, 2));
  g_autoptr (GString) log = g_string_new (NULL);

  procfun_call_run_async (call, cancellable, on_end, log);
  g_cancellable_cancel (cancellable);
  while (log->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_FAILED);
  g_assert_cmpint (procfun_call_get_pid (call), ==, 0);
}

/* A running call cannot be. */
static void
test_cancel_during (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      ProcfunCall *call = inline_call (add_call (1, 2));
      g_autoptr (GVariant) result = NULL;

      g_signal_connect_swapped (call, "started", G_CALLBACK (g_cancellable_cancel), cancellable);
      result = calls_run (call, async, cancellable, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
    }
}

/* The function has a descriptor of its own, which is closed when it has returned; the caller's
 * stays. */
static void
test_descriptors (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = NULL;
  g_autofree char *text = NULL;
  int fd = open_text ("text");

  call = inline_call (read_all_call (fd));
  text = read_all_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "text");
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, FD_CLOEXEC);
  close (fd);
}

static void
test_result_descriptor (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = inline_call (open_text_call ("text"));
  int fd = open_text_run (call, NULL, &error);
  g_autofree char *text = read_all (fd);

  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "text");
  close (fd);
}

static gpointer
run_in_thread (gpointer user_data)
{
  for (gint i = 0; i < 200; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (i, 1);
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, user_data);
      g_assert_cmpint (add_run (call, NULL, &error), ==, i + 1);
      g_assert_no_error (error);
    }
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  GThread *threads[8];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", run_in_thread, executor);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Nothing of the executor or the call is needed by those who only wait for the end. */
static void
test_nobody_holds_it (void)
{
  g_autoptr (GString) log = g_string_new (NULL);

  run_async (add_call (1, 2), NULL, log);
  while (log->len == 0)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/inline/calls-run-in-this-process", test_own_process);
  fixture_add_func ("/inline/nested-calls-have-no-depth", test_nested);
  fixture_add_func ("/inline/the-callback-comes-later-and-in-turn", test_async_is_later);
  fixture_add_func ("/inline/cancel/a-call-cancelled-before-does-not-run", test_cancel_before);
  fixture_add_func ("/inline/cancel/a-waiting-call-can-be-cancelled", test_cancel_while_waiting);
  fixture_add_func ("/inline/cancel/a-running-call-is-not-cancelled", test_cancel_during);
  fixture_add_func ("/inline/the-function-gets-a-descriptor-of-its-own", test_descriptors);
  fixture_add_func ("/inline/a-result-descriptor-is-the-callers", test_result_descriptor);
  fixture_add_func ("/inline/threads-call-at-once", test_threads);
  fixture_add_func ("/inline/an-unreferenced-call-still-ends", test_nobody_holds_it);
  return fixture_run ();
}
