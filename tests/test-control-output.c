/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Progress and output of a call while it runs. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAIL_SIZE 4096

static void
print_bytes (int fd, GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  for (gssize n = 0; size > 0 && n >= 0; data += n, size -= (gsize)n)
    n = write (fd, data, size);
}

PROCFUN_DEFINE_STATIC_FUNCTION (print, void, (GBytes *, to_stdout), (GBytes *, to_stderr))
{
  print_bytes (STDOUT_FILENO, to_stdout);
  print_bytes (STDERR_FILENO, to_stderr);
}

PROCFUN_DEFINE_STATIC_FUNCTION (print_and_abort, void, (GBytes *, to_stdout), (GBytes *, to_stderr))
{
  print (to_stdout, to_stderr);
  abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (report, void, (guint, n))
{
  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *message = g_strdup_printf ("%u of %u", i, n);

      procfun_report_progress ((double)i / n, message);
    }
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (report_and_fail, void, (guint, n))
{
  report (n);
  g_set_error_literal (error, G_FILE_ERROR, 7, "all was in vain");
}

PROCFUN_DEFINE_STATIC_FUNCTION (report_and_exit, void, (guint, n))
{
  report (n);
  exit (3);
}

PROCFUN_DEFINE_STATIC_FUNCTION (report_nothing, void) { procfun_report_progress (0.25, NULL); }

static gpointer
report_half (gpointer n)
{
  for (guint i = 0; i < GPOINTER_TO_UINT (n); i++)
    procfun_report_progress (0.5, "a thread");
  return NULL;
}

PROCFUN_DEFINE_STATIC_FUNCTION (report_in_threads, void, (guint, n))
{
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reports", report_half, GUINT_TO_POINTER (n));
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  procfun_report_progress (1, "done");
}

/* Progress */

typedef struct
{
  GThread *thread;
  guint n;
  double fraction;
  char *message;
} Progress;

static void
on_progress (ProcfunCall *call, double fraction, const char *message, Progress *self)
{
  g_assert_true (g_thread_self () == self->thread);
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_RUNNING);
  g_assert_cmpfloat (fraction, >, self->n > 0 && fraction != 0.5 ? self->fraction : 0);
  self->n++;
  self->fraction = fraction;
  g_free (self->message);
  self->message = g_strdup (message);
}

/* Each comes in order, some may be left out, and the last one comes whatever the end is. */
static void
test_progress (void)
{
  static const struct
  {
    const char *name;
    ProcfunCall *(*call) (guint n);
    guint n;
    const char *last;
  } cases[] = {
    { "report", report_call, 1, "1 of 1" },
    { "report", report_call, 20000, "20000 of 20000" },
    { "report_and_fail", report_and_fail_call, 1000, "1000 of 1000" },
    { "report_and_exit", report_and_exit_call, 1000, "1000 of 1000" },
    { "report_in_threads", report_in_threads_call, 1000, "done" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunCall *call = calls_on_executor (cases[i].call (cases[i].n));
        Progress progress = { g_thread_self () };
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;

        g_signal_connect (call, "progress", G_CALLBACK (on_progress), &progress);
        result = calls_run (call, async, NULL, &error);
        g_test_message ("%s: %u came of %u", cases[i].name, progress.n, cases[i].n);
        g_assert_cmpuint (progress.n, >=, 1);
        g_assert_cmpfloat (progress.fraction, ==, 1);
        g_assert_cmpstr (progress.message, ==, cases[i].last);
        g_free (progress.message);
      }
}

PROCFUN_DEFINE_STATIC_FUNCTION (report_and_wait, void)
{
  for (int i = 1; i <= 10; i++)
    procfun_report_progress (i / 10.0, "the last comes in time");
  for (;;)
    pause ();
}

static void
abort_when_done (ProcfunCall *call, double fraction)
{
  if (fraction == 1)
    procfun_call_abort (call);
}

/* Also when the function does nothing more for long. */
static void
test_progress_in_time (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call = calls_on_executor (report_and_wait_call ());
      Progress progress = { g_thread_self () };
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      g_signal_connect (call, "progress", G_CALLBACK (on_progress), &progress);
      g_signal_connect (call, "progress", G_CALLBACK (abort_when_done), NULL);
      result = calls_run (call, async, NULL, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpfloat (progress.fraction, ==, 1);
      g_free (progress.message);
    }
}

static void
test_progress_without_message (void)
{
  ProcfunCall *call = calls_on_executor (report_nothing_call ());
  Progress progress = { g_thread_self () };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  g_signal_connect (call, "progress", G_CALLBACK (on_progress), &progress);
  result = calls_run (call, FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (progress.n, ==, 1);
  g_assert_cmpfloat (progress.fraction, ==, 0.25);
  g_assert_null (progress.message);
}

/* It has no listener. */
static void
test_progress_elsewhere (void)
{
  procfun_report_progress (0.5, "nowhere");
  report (10);
  g_assert_null (procfun_get_cancellable ());
}

/* Output */

static void
on_output (ProcfunCall *call, ProcfunStream stream, const char *line, GString *lines)
{
  g_assert_true (g_utf8_validate (line, -1, NULL));
  g_string_append_printf (lines, "%s<%s>", stream == PROCFUN_STREAM_STDOUT ? "" : "!", line);
}

static ProcfunCall *
new_print (const char *to_stdout, const char *to_stderr, ProcfunOutputMode mode)
{
  g_autoptr (GBytes) out = g_bytes_new_static (to_stdout, strlen (to_stdout));
  g_autoptr (GBytes) err = g_bytes_new_static (to_stderr, strlen (to_stderr));
  ProcfunCall *call = calls_on_executor (print_call (out, err));

  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, mode);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, mode);
  return call;
}

static void
test_capture (void)
{
  static const struct
  {
    const char *to_stdout;
    const char *to_stderr;
    const char *lines;
  } cases[] = {
    { "", "", "" },
    { "one\n", "", "<one>" },
    { "one\ntwo\n", "", "<one><two>" },
    { "one\ntwo", "", "<one><two>" },
    { "one", "", "<one>" },
    { "\n\none\n\n", "", "<><><one><>" },
    { "", "one\ntwo", "!<one>!<two>" },
    { "caf\xe9\n", "", "<caf\xef\xbf\xbd>" },
    { "caf\xc3\xa9\r\n", "", "<caf\xc3\xa9\r>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunCall *call
            = new_print (cases[i].to_stdout, cases[i].to_stderr, PROCFUN_OUTPUT_CAPTURE);
        g_autoptr (GString) lines = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;

        g_signal_connect (call, "output", G_CALLBACK (on_output), lines);
        result = calls_run (call, async, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpstr (lines->str, ==, cases[i].lines);
      }
}

static void
on_part (ProcfunCall *call, ProcfunStream stream, const char *part, GString *whole)
{
  g_string_append (whole, part);
}

/* A line that does not end is not kept whole. */
static void
test_capture_long (void)
{
  g_autofree char *text = g_strnfill (1000000, 'x');
  ProcfunCall *call = new_print (text, "", PROCFUN_OUTPUT_CAPTURE);
  g_autoptr (GString) whole = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  g_signal_connect (call, "output", G_CALLBACK (on_part), whole);
  result = calls_run (call, FALSE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (whole->str, ==, text);
}

static void
never (void)
{
  g_assert_not_reached ();
}

/* In a program of its own, whose stdout and stderr are pipes. */
static void
run_in_trap (ProcfunOutputMode mode)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call
          = new_print ("this on stdout\nand a part", "this on stderr\nand a part", mode);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      g_signal_connect (call, "output", G_CALLBACK (never), NULL);
      result = calls_run (call, async, NULL, &error);
      g_assert_no_error (error);
    }
}

static void
test_inherit (void)
{
  if (g_test_subprocess ())
    {
      run_in_trap (PROCFUN_OUTPUT_INHERIT);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*this on stdout\nand a partthis on stdout\nand a part*");
  g_test_trap_assert_stderr ("*this on stderr\nand a partthis on stderr\nand a part*");
}

static void
test_discard (void)
{
  if (g_test_subprocess ())
    {
      run_in_trap (PROCFUN_OUTPUT_DISCARD);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout_unmatched ("*this on*");
  g_test_trap_assert_stderr_unmatched ("*this on*");
}

/* Tails */

static void
assert_tail (GBytes *tail, const char *text)
{
  gsize size = MIN (strlen (text), TAIL_SIZE);

  g_assert_cmpmem (g_bytes_get_data (tail, NULL), g_bytes_get_size (tail),
                   text + strlen (text) - size, size);
}

/* Of each stream, in each mode, by the way also of one that prints more than a pipe holds. */
static void
test_tails (void)
{
  const gsize sizes[] = { 0, 1, TAIL_SIZE - 1, TAIL_SIZE, TAIL_SIZE + 1, 100000 };
  const ProcfunOutputMode modes[] = { PROCFUN_OUTPUT_CAPTURE, PROCFUN_OUTPUT_DISCARD };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (modes); k++)
      {
        g_autofree char *text = g_malloc (sizes[i] + 1);
        g_autoptr (GBytes) bytes = NULL;
        g_autoptr (GBytes) words = g_bytes_new_static ("last words", 10);
        g_autoptr (ProcfunCall) call = NULL;
        g_autoptr (GError) error = NULL;
        ProcfunFailure *failure;

        for (gsize at = 0; at < sizes[i]; at++)
          text[at] = (char)('a' + at % 26);
        text[sizes[i]] = '\0';
        bytes = g_bytes_new_static (text, sizes[i]);
        call = calls_on_executor (print_and_abort_call (bytes, words));
        procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, modes[k]);
        procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, modes[k]);
        g_assert_null (calls_run (g_object_ref (call), k == 1, NULL, &error));
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
        failure = procfun_call_get_failure (call);
        assert_tail (procfun_failure_get_stdout_tail (failure), text);
        assert_tail (procfun_failure_get_stderr_tail (failure), "last words");
      }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/progress/reports-come-in-order-and-the-last-always", test_progress);
  calls_add_func ("/progress/reports-come-while-the-function-is-busy", test_progress_in_time);
  calls_add_func ("/progress/a-report-needs-no-message", test_progress_without_message);
  calls_add_func ("/progress/reports-without-a-listener-are-dropped", test_progress_elsewhere);
  calls_add_func ("/output/captured-lines-are-told", test_capture);
  calls_add_func ("/output/a-line-without-end-is-cut", test_capture_long);
  calls_add_func ("/output/inherited-output-goes-to-the-caller", test_inherit);
  calls_add_func ("/output/discarded-output-goes-nowhere", test_discard);
  calls_add_func ("/output/the-last-output-is-kept-in-each-mode", test_tails);
  return fixture_run ();
}
