/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that send more than they should, and callers whose own streams take nothing. */

#include "tests/fixture.h"
#include "tests/hostile-children.h"
#include "tests/hostile-functions.h"
#include "tests/pools.h"

#include "procfun/base/usage.h"
#include "procfun/wire/frame.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL_FD 3

PROCFUN_DEFINE_STATIC_FUNCTION (print_size, void, (guint, size))
{
  g_autofree char *text = g_strnfill (size, 'x');
  gsize done = 0;

  while (done < size)
    {
      gssize n = write (STDOUT_FILENO, text + done, size - done);

      if (n <= 0)
        break;
      done += (gsize)n;
    }
}

PROCFUN_DEFINE_STATIC_FUNCTION (print_number, void, (gint, number))
{
  g_autofree char *text = g_strdup_printf ("%d\n", number);

  if (write (STDOUT_FILENO, text, strlen (text)) < 0
      || write (STDERR_FILENO, text, strlen (text)) < 0)
    _exit (1);
}

PROCFUN_DEFINE_STATIC_FUNCTION (forge_usage, gint, (gint64, number))
{
  gint64 usage[sizeof (ProcfunUsage) / sizeof (gint64)];
  const gint32 result = 3;
  FrameHeader header;

  for (gsize i = 0; i < G_N_ELEMENTS (usage); i++)
    usage[i] = number;
  frame_header_init (&header, FRAME_RESULT, 0, 0, sizeof usage + sizeof result);
  if (write (CHANNEL_FD, &header, sizeof header) > 0 && write (CHANNEL_FD, usage, sizeof usage) > 0
      && write (CHANNEL_FD, &result, sizeof result) > 0)
    pause ();
  return 0;
}

/* A turn has an end */

static void
cancel_at_once (ProcfunCall *call, gpointer a, gpointer b, gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
on_progress (ProcfunCall *call, double fraction, const char *message, gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
assert_cancelled (ProcfunCall *call, GCancellable *cancellable, gboolean async)
{
  g_autoptr (GError) error = NULL;

  procfun_call_set_grace_period (call, 1000);
  g_assert_null (calls_run (calls_on_executor (call), async, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_print (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      ProcfunCall *call = do_print_for_ever_call (STDOUT_FILENO, '\n');

      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
      g_signal_connect (call, "output", G_CALLBACK (cancel_at_once), cancellable);
      assert_cancelled (call, cancellable, async);
    }
}

static void
test_progress (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      ProcfunCall *call = do_send_for_ever_call (FRAME_EVENT, 0);

      g_signal_connect (call, "progress", G_CALLBACK (on_progress), cancellable);
      assert_cancelled (call, cancellable, async);
    }
}

/* Either is as good: that the call is ended for what it sends, or that its time is up. */
static void
test_frames_without_a_handler (void)
{
  static const struct
  {
    FrameType type;
    guint call_id;
  } floods[] = { { FRAME_WAKE, 0 }, { FRAME_EVENT, 77 }, { FRAME_EVENT, G_MAXUINT32 } };

  for (gsize i = 0; i < G_N_ELEMENTS (floods); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunCall *call = do_send_for_ever_call (floods[i].type, floods[i].call_id);
        g_autoptr (GError) error = NULL;

        procfun_call_set_timeout (call, G_USEC_PER_SEC / 10);
        procfun_call_set_grace_period (call, 1000);
        g_assert_null (calls_run (calls_on_executor (call), async, NULL, &error));
        if (!g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL))
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
      }
}

static void
test_survivors (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call = do_leave_printers_call ();
      g_autoptr (GError) error = NULL;

      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
      g_assert_null (calls_run (calls_on_executor (call), async, NULL, &error));
      calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED, "*exit code 3*");
    }
}

/* The program's own stdout */

/* Returns what was there. */
static int
replace_stdout (int fd)
{
  int before = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);

  g_assert_cmpint (before, >=, 0);
  g_assert_cmpint (dup2 (fd, STDOUT_FILENO), ==, STDOUT_FILENO);
  close (fd);
  return before;
}

static GVariant *
run_with_stdout (ProcfunCall *call, gboolean async, int fd, GError **error)
{
  int before = replace_stdout (fd);
  GVariant *result = calls_run (calls_on_executor (call), async, NULL, error);

  dup2 (before, STDOUT_FILENO);
  close (before);
  return result;
}

/* Without a reader, the call ends when its time is up, and one that has returned ends, too. */
static void
test_full_stdout (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      ProcfunCall *late = print_size_call (1024 * 1024);
      int ends[2];

      g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
      procfun_call_set_timeout (late, G_USEC_PER_SEC / 10);
      g_assert_null (run_with_stdout (late, async, dup (ends[1]), &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
      g_clear_error (&error);
      result = run_with_stdout (print_size_call (5000), async, dup (ends[1]), &error);
      g_assert_no_error (error);
      g_assert_nonnull (result);
      close (ends[0]);
      close (ends[1]);
    }
}

/* A pipe whose reader has gone does not end the program. */
static void
test_closed_stdout (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      int ends[2];

      g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
      close (ends[0]);
      result = run_with_stdout (print_size_call (100), async, ends[1], &error);
      g_assert_no_error (error);
      g_assert_nonnull (result);
    }
}

/* Whose output it is */

typedef struct
{
  gint number;
  guint n_own;
  guint n_foreign;
} Lines;

static void
on_line (ProcfunCall *call, ProcfunStream stream, const char *line, gpointer user_data)
{
  Lines *lines = user_data;

  if (atoi (line) == lines->number)
    lines->n_own++;
  else
    lines->n_foreign++;
}

/* Output belongs to the call that printed it, however soon the next call comes. */
static void
test_own_output (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);

  for (gint i = 0; i < 2000; i++)
    {
      Lines lines = { .number = i };
      g_autoptr (GError) error = NULL;
      ProcfunCall *call = print_number_call (i);
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_CAPTURE);
      g_signal_connect (call, "output", G_CALLBACK (on_line), &lines);
      result = calls_run (call, i % 2 == 1, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (lines.n_own, ==, 2);
      g_assert_cmpuint (lines.n_foreign, ==, 0);
    }
}

/* Reports */

static void
test_usage (void)
{
  static const gint64 numbers[] = { 0, -1, G_MININT64, G_MAXINT64 };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
      g_autoptr (ProcfunCall) call = g_object_ref (forge_usage_call (numbers[i]));
      const gint64 before = g_get_monotonic_time ();
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      const ProcfunUsage *usage;

      procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                          procfun_codec_get_gvariant ());
      procfun_call_set_executor (call, executor);
      result = calls_run (call, FALSE, NULL, &error);
      g_assert_no_error (error);
      usage = procfun_call_get_usage (call);
      g_assert_cmpint (procfun_usage_get_wall_time (usage), >=, 0);
      g_assert_cmpint (procfun_usage_get_wall_time (usage), <=, g_get_monotonic_time () - before);
      g_assert_cmpint (procfun_usage_get_user_time (usage), >=, 0);
      g_assert_cmpint (procfun_usage_get_user_time (usage), <, (gint64)3600 * G_USEC_PER_SEC);
      g_assert_cmpuint (procfun_usage_get_peak_memory (usage), <, (guint64)1 << 50);
    }
}

static void
test_descriptors (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  calls_assert_error (executor, do_send_descriptors_call (), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_PROTOCOL, "*descriptors*");
}

/* However soon somebody else collects its end. */
static void
test_exit_code (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  for (guint i = 0; i < 200; i++)
    calls_assert_error (executor, do_exit_at_once_call (0), TRUE, PROCFUN_ERROR,
                        PROCFUN_ERROR_EXITED, "*exit code 0*");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  calls_add_func ("/flood/endless-print-can-be-cancelled", test_print);
  calls_add_func ("/flood/endless-progress-can-be-cancelled", test_progress);
  calls_add_func ("/flood/endless-frames-for-nobody-end-in-time", test_frames_without_a_handler);
  calls_add_func ("/flood/survivors-do-not-hold-up-the-end", test_survivors);
  calls_add_func ("/flood/descriptors-within-a-frame-are-refused", test_descriptors);
  calls_add_func ("/flood/full-stdout-ends-in-time", test_full_stdout);
  calls_add_func ("/flood/closed-stdout-does-not-end-the-program", test_closed_stdout);
  fixture_add_func ("/flood/output-goes-to-its-own-call", test_own_output);
  fixture_add_func ("/flood/usage-is-cut-to-possible-values", test_usage);
  fixture_add_func ("/flood/exit-code-is-known", test_exit_code);
  return fixture_run ();
}
