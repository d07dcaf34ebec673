/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits of a call from both sides, what it used however it ended, and what cannot be kept. What a
 * breach looks like is in test-deaths.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static gint64
get_cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_cpu, void, (guint64, ms))
{
  gint64 end = get_cpu_time () + (gint64)ms * 1000;

  while (get_cpu_time () < end)
    ;
}

/* How many, as far as there are @n. */
PROCFUN_DEFINE_STATIC_FUNCTION (use_files, void, (guint64, n))
{
  for (guint64 i = 0; i < n; i++)
    if (dup (STDERR_FILENO) < 0)
      abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_file_size, void, (guint64, n))
{
  int fd = memfd_create ("file", MFD_CLOEXEC);

  for (guint64 i = 0; i < n; i++)
    if (write (fd, "x", 1) != 1)
      abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_output, void, (guint64, n))
{
  for (guint64 i = 0; i < n; i++)
    if (write (STDOUT_FILENO, "x", 1) != 1)
      abort ();
}

/* By turns. */
PROCFUN_DEFINE_STATIC_FUNCTION (use_outputs, void, (guint64, n))
{
  for (guint64 i = 0; i < n; i++)
    if (write (i % 2 == 0 ? STDOUT_FILENO : STDERR_FILENO, "x", 1) != 1)
      abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_result, char *, (guint64, n)) { return g_strnfill (n, 'x'); }

static ProcfunCall *
under_limits (ProcfunCall *call, const char *text)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (text, &error);

  g_assert_no_error (error);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                      procfun_codec_get_json ());
  procfun_call_set_executor (call, executor);
  procfun_call_set_limits (call, limits);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_DISCARD);
  return call;
}

/* A result is counted as it is sent: here as a JSON string. */
static const struct
{
  const char *name;
  ProcfunCall *(*call) (guint64 n);
  const char *limits;
  guint64 under;
  guint64 over;
  int code;
} limits[] = {
  { "memory", do_leak_call, "memory=64M", 60 << 20, 68 << 20, PROCFUN_ERROR_MEMORY_LIMIT },
  { "cpu", use_cpu_call, "cpu=150ms", 20, 100000, PROCFUN_ERROR_CPU_LIMIT },
  { "files", use_files_call, "files=100", 50, 101, PROCFUN_ERROR_LIMIT },
  { "file-size", use_file_size_call, "file-size=1000", 1000, 1001, PROCFUN_ERROR_LIMIT },
  { "output", use_output_call, "output=1000", 1000, 1001, PROCFUN_ERROR_LIMIT },
  { "outputs", use_outputs_call, "output=1000", 1000, 1001, PROCFUN_ERROR_LIMIT },
  { "result", use_result_call, "result=1000", 998, 999, PROCFUN_ERROR_LIMIT },
  { "all", use_result_call, "memory=64M cpu=10s files=100 file-size=1M output=1M result=1000", 998,
    999, PROCFUN_ERROR_LIMIT },
};

static void
test_limit (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      result = calls_run (under_limits (limits[i].call (limits[i].under), limits[i].limits), async,
                          NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (result);
      g_assert_null (calls_run (under_limits (limits[i].call (limits[i].over), limits[i].limits),
                                async, NULL, &error));
      g_assert_error (error, PROCFUN_ERROR, limits[i].code);
      g_assert_nonnull (procfun_error_get_failure (error));
    }
}

/* The call has a copy. */
static void
test_limits_are_copied (void)
{
  g_autoptr (ProcfunLimits) own = procfun_limits_new ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);

  g_assert_null (procfun_call_get_limits (call));
  procfun_limits_set_memory (own, 1000000);
  procfun_call_set_limits (call, own);
  procfun_limits_set_memory (own, 1);
  g_assert_cmpuint (procfun_limits_get_memory (procfun_call_get_limits (call)), ==, 1000000);
  procfun_call_set_limits (call, NULL);
  g_assert_null (procfun_call_get_limits (call));
}

/* Usage: for each end at which the process could be asked. */

static const struct
{
  const char *function;
  const char *arguments;
  gint64 timeout;
  const char *limits;
} ends[] = {
  { "add", "(1, 2)" },
  { "nothing", "()" },
  { "fail_void", "(3,)" },
  { "do_return_null", "()" },
  { "do_crash", "()" },
  { "do_abort", "()" },
  { "do_exit", "(3,)" },
  { "use_cpu", "(100000,)", 30000 },
  { "use_cpu", "(100000,)", 0, "cpu=20ms" },
  { "use_output", "(100000,)", 0, "output=10" },
  { "use_result", "(100000,)", 0, "result=10" },
};

static void
test_usage (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        g_autoptr (ProcfunCall) call
            = under_limits (calls_new (ends[i].function, ends[i].arguments),
                            ends[i].limits != NULL ? ends[i].limits : "");
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;
        g_autofree char *text = NULL;
        ProcfunUsage *usage;

        procfun_call_set_timeout (call, ends[i].timeout);
        result = calls_run (g_object_ref (call), async, NULL, &error);
        usage = procfun_call_get_usage (call);
        g_assert_nonnull (usage);
        text = procfun_usage_to_string (usage);
        g_test_message ("%s: %s", ends[i].function, text);
        g_assert_cmpint (procfun_usage_get_wall_time (usage), >, 0);
        g_assert_cmpuint (procfun_usage_get_peak_memory (usage), >, 100000);
        if (result == NULL)
          g_assert_nonnull (procfun_failure_get_usage (procfun_call_get_failure (call)));
      }
}

static void
test_usage_measures (void)
{
  g_autoptr (ProcfunCall) call = under_limits (use_cpu_call (50), "");
  g_autoptr (ProcfunCall) large = under_limits (do_leak_call (50 << 20), "");
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (GVariant) result = calls_run (g_object_ref (call), FALSE, NULL, &error);
  g_autoptr (GVariant) large_result = NULL;
  ProcfunUsage *usage = procfun_call_get_usage (call);

  g_assert_no_error (error);
  g_assert_cmpint (procfun_usage_get_user_time (usage) + procfun_usage_get_system_time (usage), >=,
                   40000);
  g_assert_cmpint (procfun_usage_get_wall_time (usage), >=, 50000);
  large_result = calls_run (g_object_ref (large), FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (procfun_usage_get_peak_memory (procfun_call_get_usage (large)), >, 50 << 20);
  g_assert_cmpuint (procfun_usage_get_minor_faults (procfun_call_get_usage (large)), >, 0);
}

/* Arguments and result as JSON, however the call ends. */
static void
test_usage_of_bytes (void)
{
  static const struct
  {
    const char *function;
    const char *arguments;
    guint64 in;
    guint64 out;
  } cases[] = { { "add", "(1, 2)", strlen ("[1,2]"), 1 },
                { "use_result", "(uint64 10,)", strlen ("[10]"), 10 + strlen ("\"\"") },
                { "do_raise", "(11,)", strlen ("[11]"), 0 },
                { "do_exit", "(3,)", strlen ("[3]"), 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunCall) call
          = under_limits (calls_new (cases[i].function, cases[i].arguments), "");
      G_GNUC_UNUSED g_autoptr (GVariant) result
          = calls_run (g_object_ref (call), FALSE, NULL, NULL);
      ProcfunUsage *usage = procfun_call_get_usage (call);

      g_assert_nonnull (usage);
      g_assert_cmpuint (procfun_usage_get_bytes_in (usage), ==, cases[i].in);
      g_assert_cmpuint (procfun_usage_get_bytes_out (usage), ==, cases[i].out);
    }
}

/* ProcfunInline */

static void
set_limits (ProcfunCall *call)
{
  g_autoptr (ProcfunLimits) some = procfun_limits_new ();

  procfun_limits_set_memory (some, 1 << 30);
  procfun_call_set_limits (call, some);
}

static void
set_timeout (ProcfunCall *call)
{
  procfun_call_set_timeout (call, G_USEC_PER_SEC);
}

static void
set_deadline (ProcfunCall *call)
{
  procfun_call_set_deadline (call, G_USEC_PER_SEC);
}

static void
set_launch_context (ProcfunCall *call)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  procfun_call_set_launch_context (call, context);
}

static void
set_capture (ProcfunCall *call)
{
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
}

static void
set_discard (ProcfunCall *call)
{
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_DISCARD);
}

static void
test_inline (void)
{
  static void (*const setters[]) (ProcfunCall * call)
      = { set_limits, set_timeout, set_deadline, set_launch_context, set_capture, set_discard };
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  for (gsize i = 0; i < G_N_ELEMENTS (setters); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunCall *call = add_call (1, 2);

        setters[i](call);
        calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*add()*");
      }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autofree char *path = g_strdup_printf ("/control/limits/%s", limits[i].name);

      calls_add_data_func (path, GSIZE_TO_POINTER (i), test_limit);
    }
  calls_add_func ("/control/limits/a-call-copies-its-limits", test_limits_are_copied);
  calls_add_func ("/control/usage-is-told-after-the-end", test_usage);
  calls_add_func ("/control/usage/usage-measures-time-and-memory", test_usage_measures);
  calls_add_func ("/control/usage/usage-counts-bytes", test_usage_of_bytes);
  calls_add_func ("/control/the-inline-executor-measures-usage", test_inline);
  return fixture_run ();
}
