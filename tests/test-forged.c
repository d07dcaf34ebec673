/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Statements of the process of a call about itself that its caller must not believe: frames that a
 * function forges, or the program before it can be called. */

#include "tests/channel-ends.h"
#include "tests/fixture.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include "procfun/base/usage.h"
#include "procfun/platform/sandbox-apply.h"
#include "procfun/process/crash-report.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

/* A result of four bytes before HELLO, when this says so. */
#define EARLY_VARIABLE "PROCFUN_TEST_EARLY_RESULT"

static GBytes *
forge_result (guint32 call_id, gconstpointer value, gsize size)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  const ProcfunUsage usage = { 0 };

  g_byte_array_append (payload, (const guint8 *)&usage, sizeof usage);
  g_byte_array_append (payload, value, (guint)size);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&payload));
  return g_byte_array_free_to_bytes (channel_ends_make_frame (FRAME_RESULT, call_id, bytes));
}

static void __attribute__ ((constructor (200))) answer_early (void)
{
  const gint32 value = 4711;
  g_autoptr (GBytes) bytes = NULL;
  gconstpointer data;
  gsize size;

  if (g_getenv (EARLY_VARIABLE) == NULL || !procfun_is_child ())
    return;
  bytes = forge_result (0, &value, sizeof value);
  data = g_bytes_get_data (bytes, &size);
  if (write (SETUP_CHANNEL_FD, data, size) != (gssize)size)
    _exit (1);
}

static void
test_early_result (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  g_setenv (EARLY_VARIABLE, "yes", TRUE);
  pools_assert_error (executor, count_calls_call (), PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                      "*count_calls()*out of turn*");
  g_unsetenv (EARLY_VARIABLE);
  g_assert_cmpint (pools_get_number (executor, count_calls_call ()), ==, 1);
}

/* A worker that has had a call answers the one that it has: its answer, by the ring, may be seen
 * before what was written into the socket, or not. */
static void
test_result_of_another_call (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  const gint32 value = 4711;
  g_autoptr (GBytes) bytes = forge_result (99, &value, sizeof value);

  for (gint i = 0; i < 10; i++)
    {
      g_autoptr (GError) error = NULL;
      gint result;

      g_assert_cmpint (pools_get_number (pool, count_calls_call ()), ==, 1);
      result = do_write_to_channel_process_with (bytes, PROCFUN_EXECUTOR (pool), NULL, &error);
      if (error != NULL)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
      else
        g_assert_cmpint (result, ==, 1);
    }
}

/* The bound of a call holds though the channel takes more. */
static void
test_large_result (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (executor), 1000);
  pools_assert_error (executor, do_forge_result_call (1001), PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                      "*do_forge_result()*1001*1000*");
  pools_assert_error (executor, do_forge_result_call (1000), PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                      "*do_forge_result()*");
}

/* Hears nothing any more before it has been told how much it may yield. */
PROCFUN_DEFINE_GENERATOR (yield_deaf, gint, (gint, n))
{
  shutdown (SETUP_CHANNEL_FD, SHUT_RD);
  for (gint i = 0; i < n && yield_deaf_yield (i); i++)
    ;
}

/* A generator that ends because it cannot hear its reader has not ended well. */
static void
test_deaf_generator (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) call = yield_deaf_call (10000);
  g_autoptr (GError) error = NULL;
  GVariant *item;
  gint n = 0;

  procfun_call_set_executor (call, executor);
  for (; (item = procfun_call_next (call, NULL, &error)) != NULL; n++)
    {
      g_assert_cmpint (g_variant_get_int32 (item), ==, n);
      g_variant_unref (item);
    }
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  g_assert_cmpint (n, <, 10000);
}

/* TRUE: nobody takes any more of it. */
PROCFUN_DEFINE_STATIC_FUNCTION (fill_report, gboolean, (guint64, size))
{
  const char data[4096] = { 0 };

  signal (SIGPIPE, SIG_IGN);
  for (guint64 n = 0; n < size; n += sizeof data)
    if (write (SETUP_REPORT_FD, data, sizeof data) < 0)
      return errno == EPIPE;
  return FALSE;
}

/* The report of a crash is no way to fill the caller's memory. */
static void
test_endless_report (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (GError) error = NULL;

  g_assert_true (fill_report_process_with (4 * CRASH_REPORT_MAX, executor, NULL, &error));
  g_assert_no_error (error);
}

PROCFUN_DEFINE_STATIC_FUNCTION (close_one, gint, (gint, fd))
{
  close (fd);
  return getpid ();
}

/* A worker without one of its pipes could not tell how the next call ends. */
static void
test_closed_pipe (void)
{
  static const int fds[] = { STDOUT_FILENO, STDERR_FILENO, SETUP_REPORT_FD };

  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      auto_pool ProcfunPool *pool = procfun_pool_new (1);
      const gint pid = pools_get_number (pool, close_one_call (fds[i]));

      g_assert_cmpint (pools_get_number (pool, close_one_call (-1)), !=, pid);
    }
}

/* No level is beyond the strictest. */
static void
test_level (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  const SandboxState state = { .level = 99, .parts = 0 };
  g_autoptr (GBytes) payload = g_bytes_new (&state, sizeof state);
  g_autoptr (GBytes) frame
      = g_byte_array_free_to_bytes (channel_ends_make_frame (FRAME_CONFINED, 0, payload));
  g_autoptr (ProcfunCall) call = do_write_to_channel_call (frame);

  g_assert_cmpint (pools_get_number (executor, g_object_ref (call)), ==, 1);
  g_assert_cmpint (procfun_call_get_sandbox (call), ==, PROCFUN_SANDBOX_PURE_COMPUTE);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/forged/result-before-the-call-is-out-of-turn", test_early_result);
  fixture_add_func ("/forged/result-of-another-call-is-passed-over", test_result_of_another_call);
  fixture_add_func ("/forged/result-has-the-bound-of-the-call", test_large_result);
  fixture_add_func ("/forged/generator-that-hears-nothing-fails", test_deaf_generator);
  fixture_add_func ("/forged/report-has-a-bound", test_endless_report);
  fixture_add_func ("/forged/level-of-a-sandbox-has-a-bound", test_level);
  fixture_add_func ("/forged/worker-without-a-pipe-is-not-used-again", test_closed_pipe);
  return fixture_run ();
}
