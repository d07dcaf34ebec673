/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/failure.h"
#include "procfun/wire/error-frame.h"
#include "tests/fixture.h"

#include <procfun.h>
#include <signal.h>
#include <string.h>

static ProcfunFailure *
make_crash (void)
{
  static const char *const backtrace[]
      = { "decode_row (loader.c:214)", "decode (loader.c:40)", "decode (loader.c:40)", NULL };
  ProcfunFailure *failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "thumbnail");

  failure->pid = 77;
  failure->signum = SIGSEGV;
  failure->signal_code = SEGV_MAPERR;
  failure->fault_address = 0x10;
  failure->has_address = TRUE;
  failure->access = FAULT_READ;
  failure->program_counter = 0x55d0;
  failure->thread_id = 78;
  failure->thread_name = g_strdup ("worker");
  failure->backtrace = g_strdupv ((char **)backtrace);
  failure->place = g_strdup (backtrace[0]);
  failure->stderr_tail = g_bytes_new_static ("reading\nbad marker\n\n", 20);
  failure->limits = procfun_limits_new ();
  failure->usage = g_boxed_copy (PROCFUN_TYPE_USAGE, &(ProcfunUsage){ .user_time = 5 });
  procfun_limits_set_open_files (failure->limits, 32);
  return failure;
}

static void
test_getters (void)
{
  g_autoptr (ProcfunFailure) failure = make_crash ();

  g_assert_cmpint (procfun_failure_get_cause (failure), ==, PROCFUN_CAUSE_CRASHED);
  g_assert_cmpstr (procfun_failure_get_function_name (failure), ==, "thumbnail");
  g_assert_cmpint (procfun_failure_get_pid (failure), ==, 77);
  g_assert_cmpint (procfun_failure_get_exit_code (failure), ==, -1);
  g_assert_cmpint (procfun_failure_get_signal (failure), ==, SIGSEGV);
  g_assert_cmpstr (procfun_failure_get_signal_name (failure), ==, "SIGSEGV");
  g_assert_cmpint (procfun_failure_get_signal_code (failure), ==, SEGV_MAPERR);
  g_assert_cmphex (procfun_failure_get_fault_address (failure), ==, 0x10);
  g_assert_cmphex (procfun_failure_get_program_counter (failure), ==, 0x55d0);
  g_assert_null (procfun_failure_get_abort_message (failure));
  g_assert_cmpstr (procfun_failure_get_backtrace (failure)[1], ==, "decode (loader.c:40)");
  g_assert_null (procfun_failure_get_stdout_tail (failure));
  g_assert_cmpuint (g_bytes_get_size (procfun_failure_get_stderr_tail (failure)), ==, 20);
  g_assert_cmpint (procfun_failure_get_step (failure), ==, PROCFUN_STEP_NONE);
  g_assert_cmpuint (procfun_limits_get_open_files (procfun_failure_get_limits (failure)), ==, 32);
  g_assert_cmpint (procfun_usage_get_user_time (procfun_failure_get_usage (failure)), ==, 5);
}

static void
test_empty (void)
{
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_START, "thumbnail");
  g_autofree char *text = procfun_failure_to_string (failure);

  g_assert_null (procfun_failure_get_signal_name (failure));
  g_assert_null (procfun_failure_get_backtrace (failure));
  g_assert_null (procfun_failure_get_limits (failure));
  g_assert_cmpstr (text, ==, "thumbnail() could not be started\n");
}

/* Each cause has a row of its own, with a sentence. */
static void
test_causes (void)
{
  g_autoptr (GEnumClass) causes = g_type_class_ref (PROCFUN_TYPE_CAUSE);

  g_assert_cmpuint (causes->n_values, ==, FAILURE_N_CAUSES);
  for (guint i = 0; i < causes->n_values; i++)
    {
      g_autoptr (ProcfunFailure) failure = procfun_failure_new ((ProcfunCause)i, "f");
      g_autofree char *summary = failure_summarise (failure);

      g_assert_cmpint (causes->values[i].value, ==, (int)i);
      g_assert_true (g_str_has_prefix (summary, "f() "));
      g_assert_true (g_str_has_prefix (procfun_failure_get_summary (failure), "The operation "));
      g_assert_null (strstr (procfun_failure_get_summary (failure), "()"));
    }
  g_assert_cmpint (failure_get_code (PROCFUN_CAUSE_CANCELLED), ==, -1);
  g_assert_cmpint (failure_get_code (PROCFUN_CAUSE_LIMIT), ==, PROCFUN_ERROR_LIMIT);
  g_assert_cmpint (failure_get_ended (PROCFUN_CAUSE_LIMIT), ==, FAILURE_ENDED_BY_LIMIT);
  g_assert_cmpint (failure_get_ended (PROCFUN_CAUSE_CANCELLED), ==, FAILURE_ENDED_BY_CALLER);
}

static void
test_enums (void)
{
  g_autoptr (GEnumClass) causes = g_type_class_ref (PROCFUN_TYPE_CAUSE);
  g_autoptr (GEnumClass) steps = g_type_class_ref (PROCFUN_TYPE_STEP);

  g_assert_cmpstr (g_enum_get_value (causes, PROCFUN_CAUSE_PROTOCOL)->value_nick, ==, "protocol");
  g_assert_cmpuint (steps->n_values, ==, 4);
  g_assert_cmpstr (g_enum_get_value (steps, PROCFUN_STEP_KILL)->value_nick, ==, "kill");
}

/* One line */

static void
assert_summary (ProcfunFailure *failure, const char *expected)
{
  g_autofree char *summary = failure_summarise (failure);

  g_assert_cmpstr (summary, ==, expected);
}

static void
test_summary_crash (void)
{
  g_autoptr (ProcfunFailure) failure = make_crash ();

  assert_summary (failure,
                  "thumbnail() crashed: SIGSEGV reading 0x10 in decode_row (loader.c:214); "
                  "last output: “bad marker”");
  failure->access = FAULT_WRITE;
  failure->fault_address = 0;
  g_clear_pointer (&failure->stderr_tail, g_bytes_unref);
  assert_summary (failure, "thumbnail() crashed: SIGSEGV writing 0x0 in decode_row (loader.c:214)");
  failure->stack_overflow = TRUE;
  g_clear_pointer (&failure->place, g_free);
  assert_summary (failure, "thumbnail() crashed: SIGSEGV (stack overflow)");
}

static void
test_summary_signals (void)
{
  const struct
  {
    int signum;
    int code;
    int sender;
    int system_call;
    const char *expected;
  } cases[] = {
    { SIGFPE, FPE_INTDIV, 0, -1, "f() crashed: SIGFPE (integer division by zero)" },
    { SIGSEGV, SI_USER, 99, -1, "f() crashed: SIGSEGV (sent by process 99)" },
    { SIGSEGV, SI_TKILL, 77, -1, "f() crashed: SIGSEGV (raised by itself)" },
    { SIGSYS, 1, 0, 99999, "f() was refused the system call 99999" },
    { SIGABRT, SI_TKILL, 77, -1, "f() aborted: SIGABRT (raised by itself)" },
    { SIGRTMIN, 0, 0, -1, "f() crashed: SIGRTMIN+0" },
    { SIGRTMIN + 3, 0, 0, -1, "f() crashed: SIGRTMIN+3" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "f");

      failure->pid = 77;
      failure->signum = cases[i].signum;
      failure->signal_code = cases[i].code;
      failure->sender = cases[i].sender;
      failure->system_call = cases[i].system_call;
      assert_summary (failure, cases[i].expected);
    }
}

/* Text from a child is shown, and does not control the terminal. */
static void
test_hostile_text (void)
{
  g_autoptr (ProcfunFailure) failure = make_crash ();
  g_autofree char *summary = NULL;
  g_autofree char *text = NULL;

  failure->signum = SIGABRT;
  failure->thread_name = (g_free (failure->thread_name), g_strdup ("\033]0;x\007"));
  failure->abort_message = g_strdup ("\033[31mred\nprocess: 1\302\233\342\200\256");
  g_free (failure->place);
  failure->place = g_strdup ("a\n\033[2Jb (x.c:1)");
  g_free (failure->backtrace[0]);
  failure->backtrace[0] = g_strdup ("a\n\033[2Jb (x.c:1)");
  summary = failure_summarise (failure);
  text = procfun_failure_to_string (failure);
  g_assert_null (strpbrk (summary, "\033\007\n"));
  g_assert_null (strpbrk (text, "\033\007"));
  g_assert_null (strstr (text, "\302\233"));
  g_assert_null (strstr (text, "\342\200\256"));
  g_assert_nonnull (strstr (summary, "red process: 1"));
  g_assert_nonnull (strstr (text, "    | process: 1"));
  g_assert_nonnull (strstr (text, "#0  a "));
  g_assert_null (strpbrk (procfun_failure_get_abort_message (failure), "\033"));
  g_assert_null (strpbrk (procfun_failure_get_backtrace (failure)[0], "\033\n"));
}

/* A failure of another machine has a signal that Linux knows, as names of signals are kept. */
static void
test_signals_of_others (void)
{
  static const struct
  {
    int signum;
    gboolean is_read;
  } cases[] = { { 0, TRUE },    { SIGSEGV, TRUE }, { 128, TRUE },
                { 129, FALSE }, { 4711, FALSE },   { -1, FALSE } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunFailure) failure = make_crash ();
      g_autoptr (ProcfunFailure) back = NULL;
      g_autoptr (GVariant) wire = NULL;

      failure->signum = cases[i].signum;
      wire = g_variant_ref_sink (failure_to_wire (failure));
      back = failure_from_wire (wire, "f");
      g_assert_cmpint (back != NULL, ==, cases[i].is_read);
      if (back != NULL)
        g_assert_cmpint (procfun_failure_get_signal (back), ==, cases[i].signum);
    }
}

/* The C library also writes to stderr why it aborts. */
static void
test_summary_abort (void)
{
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "f");

  failure->signum = SIGABRT;
  failure->abort_message = g_strdup ("n > 0");
  failure->stderr_tail = g_bytes_new_static ("p: Assertion n > 0\n", 19);
  assert_summary (failure, "f() aborted: “n > 0”");
  failure->stdout_tail = g_bytes_new_static ("row 3", 5);
  g_clear_pointer (&failure->stderr_tail, g_bytes_unref);
  assert_summary (failure, "f() aborted: “n > 0”; last output: “row 3”");
  failure->signum = SIGTRAP; /* as by g_error() */
  assert_summary (failure, "f() aborted: “n > 0”; last output: “row 3”");
}

static void
test_summary_verdict (void)
{
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_TIMED_OUT, "f");

  failure->verdict = g_strdup ("did not end in time");
  failure->place = g_strdup ("spin (loop.c:3)");
  assert_summary (failure, "f() did not end in time; it was in spin (loop.c:3)");
}

/* A function's output must not be taken for anything else. */
static void
test_hostile_output (void)
{
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_EXITED, "f");
  g_autoptr (GVariant) variant = NULL;
  g_autofree char *text = NULL;
  g_autofree char *many = g_strnfill (3000, 'a');

  failure->exit_code = 3;
  failure->stderr_tail = g_bytes_new_static ("\x1b[2J\xff\r\nend\0x\n", 13);
  assert_summary (failure, "f() ended its process by exit (3); last output: “end�x”");
  text = procfun_failure_to_string (failure);
  g_assert_null (strchr (text, '\x1b'));
  g_assert_nonnull (strstr (text, "    | �[2J�\n    | end�x\n"));
  variant = procfun_failure_to_variant (failure);
  g_assert_true (g_variant_is_normal_form (variant));
  g_bytes_unref (failure->stderr_tail);
  failure->stderr_tail = g_bytes_new (many, 3000);
  g_free (g_steal_pointer (&text));
  text = failure_summarise (failure);
  g_assert_cmpuint (strlen (text), <, 300);
}

/* In full, and for programs */

static void
test_string (void)
{
  static const char expected[]
      = "thumbnail() crashed: SIGSEGV reading 0x10 in decode_row (loader.c:214); last output: “bad "
        "marker”\n"
        "  process: 77, thread 78 “worker”\n"
        "  signal: 11, SIGSEGV reading 0x10; code 1, nothing is mapped there\n"
        "  program counter: 0x55d0\n"
        "  backtrace:\n"
        "    #0  decode_row (loader.c:214)\n"
        "    #1  decode (loader.c:40)\n"
        "        and 1 more of the same\n"
        "  limits: files=32\n"
        "  usage: ";
  g_autoptr (ProcfunFailure) failure = make_crash ();
  g_autofree char *text = procfun_failure_to_string (failure);

  g_assert_cmpstr (strstr (text, "  end of stderr"), ==,
                   "  end of stderr:\n    | reading\n    | bad marker\n");
  text[strlen (expected)] = '\0';
  g_assert_cmpstr (text, ==, expected);
}

static void
test_variant (void)
{
  g_autoptr (ProcfunFailure) failure = make_crash ();
  g_autoptr (GVariant) variant = procfun_failure_to_variant (failure);
  g_autoptr (GVariant) usage = NULL;
  const char *text;
  int number;
  gint64 time;

  g_assert_true (g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT));
  g_assert_false (g_variant_is_floating (variant));
  g_assert_true (g_variant_lookup (variant, "function", "&s", &text));
  g_assert_cmpstr (text, ==, "thumbnail");
  g_assert_true (g_variant_lookup (variant, "cause", "&s", &text));
  g_assert_cmpstr (text, ==, "crashed");
  g_assert_true (g_variant_lookup (variant, "signal", "i", &number));
  g_assert_cmpint (number, ==, SIGSEGV);
  g_assert_true (g_variant_lookup (variant, "fault-address", "&s", &text));
  g_assert_cmpstr (text, ==, "0x10");
  g_assert_true (g_variant_lookup (variant, "access", "&s", &text));
  g_assert_cmpstr (text, ==, "read");
  g_assert_true (g_variant_lookup (variant, "limits", "&s", &text));
  g_assert_cmpstr (text, ==, "files=32");
  g_assert_true (g_variant_lookup (variant, "usage", "@a{sv}", &usage));
  g_assert_true (g_variant_lookup (usage, "user-time", "x", &time));
  g_assert_cmpint (time, ==, 5);
  g_assert_false (g_variant_lookup (variant, "exit-code", "i", &number));
  g_assert_false (g_variant_lookup (variant, "stdout", "&s", &text));
}

/* Details of an error */

static void
test_error (void)
{
  ProcfunFailure *failure = make_crash ();
  GError *error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "it crashed");
  GError *copy;

  g_assert_null (procfun_error_get_failure (error));
  failure_attach (failure, error);
  g_assert_true (procfun_error_get_failure (error) == failure);
  g_assert_false (g_atomic_ref_count_compare (&failure->ref_count, 1));
  copy = g_error_copy (error);
  g_assert_true (procfun_error_get_failure (copy) == failure);
  g_prefix_error (&copy, "%s", "and ");
  g_assert_true (procfun_error_get_failure (copy) == failure);
  g_clear_error (&error);
  g_assert_true (g_atomic_ref_count_compare (&failure->ref_count, 2));
  failure_attach (failure, copy);
  g_assert_true (g_atomic_ref_count_compare (&failure->ref_count, 2));
  g_clear_error (&copy);
  g_assert_true (g_atomic_ref_count_compare (&failure->ref_count, 1));
  procfun_failure_unref (failure);
}

static void
test_error_outlives_failure (void)
{
  g_autoptr (GError) error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "it crashed");
  ProcfunFailure *failure = make_crash ();

  failure_attach (failure, error);
  procfun_failure_unref (failure);
  g_assert_cmpint (procfun_failure_get_pid (procfun_error_get_failure (error)), ==, 77);
}

static void
test_other_errors (void)
{
  g_autoptr (GError) other = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  g_autoptr (GError) own = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, "not started");
  g_autoptr (GBytes) bytes = error_to_bytes (own);
  g_autoptr (GError) received = error_from_bytes (bytes);
  g_autoptr (GError) copy = g_error_copy (received);

  g_assert_null (procfun_error_get_failure (NULL));
  g_assert_null (procfun_error_get_failure (other));
  g_assert_null (procfun_error_get_failure (received));
  g_assert_null (procfun_error_get_failure (copy));
  g_assert_error (copy, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
}

static void
test_boxed (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (ProcfunFailure) failure = make_crash ();

  g_value_init (&value, PROCFUN_TYPE_FAILURE);
  g_value_set_boxed (&value, failure);
  g_assert_true (g_value_get_boxed (&value) == failure);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/failure/getters-return-the-fields", test_getters);
  fixture_add_func ("/failure/an-empty-failure-has-defaults", test_empty);
  fixture_add_func ("/failure/each-cause-has-a-row", test_causes);
  fixture_add_func ("/failure/enumerations-have-nicks", test_enums);
  fixture_add_func ("/failure/a-failure-is-boxed", test_boxed);
  fixture_add_func ("/failure/names-cannot-write-to-a-terminal", test_hostile_text);
  fixture_add_func ("/failure/signals-of-other-machines-are-those-of-linux",
                    test_signals_of_others);
  fixture_add_func ("/failure/summary/a-crash-is-summarised", test_summary_crash);
  fixture_add_func ("/failure/summary/signals-are-named", test_summary_signals);
  fixture_add_func ("/failure/summary/an-abort-says-its-message-once", test_summary_abort);
  fixture_add_func ("/failure/summary/other-causes-are-summarised", test_summary_verdict);
  fixture_add_func ("/failure/output-cannot-forge-a-message", test_hostile_output);
  fixture_add_func ("/failure/a-failure-is-told-in-full", test_string);
  fixture_add_func ("/failure/a-failure-is-a-dictionary-for-programs", test_variant);
  fixture_add_func ("/failure/an-error-carries-its-failure", test_error);
  fixture_add_func ("/failure/error/an-error-keeps-its-failure-alive", test_error_outlives_failure);
  fixture_add_func ("/failure/error/other-errors-have-no-failure", test_other_errors);
  return fixture_run ();
}
