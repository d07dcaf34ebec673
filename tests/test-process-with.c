/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Generated functions that take an executor and settings. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <unistd.h>

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static GAsyncResult *
await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static void
test_executor (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunInline) here = procfun_inline_new ();
  const ProcfunCallSettings settings = { .deadline = G_TIME_SPAN_HOUR };
  const ProcfunCallSettings *const both[] = { NULL, &settings };

  for (gsize i = 0; i < G_N_ELEMENTS (both); i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (get_process_id_process_with (executor, both[i], &error), !=, getpid ());
      g_assert_no_error (error);
      g_assert_true (nothing_process_with (executor, both[i], &error));
      g_assert_no_error (error);
      g_assert_cmpint (add_process_with (1, 2, NULL, both[i], &error), ==, 3);
      g_assert_no_error (error);
      add_process_with_async (1, 2, executor, both[i], NULL, keep_result, &result);
      g_assert_cmpint (add_process_finish (await (&result), &error), ==, 3);
      g_assert_no_error (error);
    }
  g_assert_cmpint (get_process_id_process_with (PROCFUN_EXECUTOR (here), NULL, NULL), ==,
                   getpid ());
}

static void
test_times (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const ProcfunCallSettings settings[]
      = { { .timeout = 50 * G_TIME_SPAN_MILLISECOND, .grace_period = -1 },
          { .deadline = 50 * G_TIME_SPAN_MILLISECOND, .grace_period = 1 } };
  Signal signal;

  signal_open (&signal);
  for (gsize i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_false (do_stay_process_with (signal.ends[1], executor, &settings[i], &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
      g_clear_error (&error);
      do_stay_process_with_async (signal.ends[1], executor, &settings[i], NULL, keep_result,
                                  &result);
      g_assert_false (do_stay_process_finish (await (&result), &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
    }
  signal_close (&signal);
}

/* All are copied, and reach the call. */
static void
test_settings (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (ProcfunCall) call = NULL;
  g_autofree char *folder = NULL;
  g_autoptr (GError) error = NULL;

  procfun_launch_context_set_working_directory (context, "/usr");
  {
    g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
    const ProcfunCallSettings settings = { .timeout = G_TIME_SPAN_MINUTE,
                                           .deadline = G_TIME_SPAN_HOUR,
                                           .grace_period = 7,
                                           .priority = 5,
                                           .io_priority = 6,
                                           .limits = limits,
                                           .launch_context = context };

    procfun_limits_set_open_files (limits, 99);
    get_folder_process_with_async (executor, &settings, NULL, keep_result, &result);
  }
  folder = get_folder_process_finish (await (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (folder, ==, "/usr");
  call = PROCFUN_CALL (g_async_result_get_source_object (result));
  g_assert_cmpint (procfun_call_get_timeout (call), ==, G_TIME_SPAN_MINUTE);
  g_assert_cmpint (procfun_call_get_deadline (call), ==, G_TIME_SPAN_HOUR);
  g_assert_cmpint (procfun_call_get_grace_period (call), ==, 7);
  g_assert_cmpint (procfun_call_get_priority (call), ==, 5);
  g_assert_cmpint (procfun_call_get_io_priority (call), ==, 6);
  g_assert_cmpuint (procfun_limits_get_open_files (procfun_call_get_limits (call)), ==, 99);
  g_assert_true (procfun_call_get_executor (call) == executor);
}

/* Those that are not set are as usual. */
static void
test_unset (void)
{
  g_autoptr (ProcfunCall) usual = add_call (1, 2);
  const ProcfunCallSettings settings = { 0 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (ProcfunCall) call = NULL;

  add_process_with_async (1, 2, NULL, &settings, NULL, keep_result, &result);
  g_assert_cmpint (add_process_finish (await (&result), NULL), ==, 3);
  call = PROCFUN_CALL (g_async_result_get_source_object (result));
  g_assert_cmpint (procfun_call_get_grace_period (call), ==, procfun_call_get_grace_period (usual));
  g_assert_null (procfun_call_get_limits (call));
  g_assert_null (procfun_call_get_executor (call));
}

static void
test_cancelled (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const ProcfunCallSettings settings = { .grace_period = -1 };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  Signal signal;

  signal_open (&signal);
  do_stay_process_with_async (signal.ends[1], executor, &settings, cancellable, keep_result,
                              &result);
  signal_await (&signal);
  g_cancellable_cancel (cancellable);
  g_assert_false (do_stay_process_finish (await (&result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  signal_close (&signal);
}

/* Without settings no object is made. */
static void
test_pool (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (pool);

  for (gint i = 0; i < 10; i++)
    g_assert_cmpint (add_process_with (i, 2, executor, NULL, NULL), ==, i + 2);
  g_assert_cmpint (get_process_id_process_with (executor, NULL, NULL), ==, pools_get_pid (pool));
  g_assert_cmpuint (pools_get_statistic (pool, "succeeded"), ==, 12);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
}

/* name_run_async() and name_run_finish() */
static void
test_run (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunCall) fails = fail_void_call (3);
  g_autoptr (GAsyncResult) result = NULL, failed = NULL;
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  procfun_call_set_executor (fails, executor);
  add_run_async (call, NULL, keep_result, &result);
  fail_void_run_async (fails, NULL, keep_result, &failed);
  g_assert_cmpint (add_run_finish (call, await (&result), &error), ==, 3);
  g_assert_no_error (error);
  g_assert_false (fail_void_run_finish (fails, await (&failed), &error));
  g_assert_nonnull (error);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/process-with/calls run on the executor", test_executor);
  calls_add_func ("/process-with/times end a call", test_times);
  calls_add_func ("/process-with/settings are those of the call", test_settings);
  calls_add_func ("/process-with/settings that are not set are as usual", test_unset);
  calls_add_func ("/process-with/an asynchronous call is cancelled", test_cancelled);
  calls_add_func ("/process-with/a call is run and gives its result", test_run);
  fixture_add_func ("/process-with/a worker of a pool is used again", test_pool);
  return fixture_run ();
}
