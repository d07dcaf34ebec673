/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/crash-report.h"
#include "tests/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED
#endif
#endif

/* Instead of a value that is not looked at. */
#define ANY (-12345)

typedef struct
{
  GSubprocess *process;
  int fd;
} Crasher;

static char *crasher_path;

static void
start (Crasher *self, const char *death, const char *how)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  g_subprocess_launcher_take_fd (launcher, fds[1], 3);
  self->fd = fds[0];
  self->process
      = g_subprocess_launcher_spawn (launcher, &error, crasher_path, "3", death, how, NULL);
  g_assert_no_error (error);
}

static GBytes *
read_report (Crasher *self)
{
  GByteArray *bytes = g_byte_array_new ();
  guint8 buffer[4096];
  gssize n;

  while ((n = read (self->fd, buffer, sizeof buffer)) > 0)
    g_byte_array_append (bytes, buffer, (guint)n);
  close (self->fd);
  return g_byte_array_free_to_bytes (bytes);
}

/* Gives the wait status. */
static int
finish (Crasher *self, char **text)
{
  g_autoptr (GError) error = NULL;
  char output[4096] = "";

  g_input_stream_read_all (g_subprocess_get_stdout_pipe (self->process), output, sizeof output - 1,
                           NULL, NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait (self->process, NULL, &error);
  g_assert_no_error (error);
  if (output[0] != '\0')
    g_test_message ("%s", output);
  if (text != NULL)
    *text = g_strdup (output);
  return g_subprocess_get_status (self->process);
}

/* (nullable) */
static GBytes *
make_request (GBytes *report)
{
  g_autofree char *path = realpath (crasher_path, NULL);
  g_autoptr (Naming) naming = crash_report_new_naming (report, 0, path);

  return naming != NULL ? g_bytes_ref (naming_get_request (naming)) : NULL;
}

static ProcfunFailure *
parse (GBytes *report, CrashFacts *facts)
{
  ProcfunFailure *failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "die_of");
  g_autoptr (GBytes) request = make_request (report);
  g_autoptr (GBytes) names = request != NULL ? naming_run (request) : NULL;
  g_autofree char *text = NULL;

  crash_report_parse (report, request, names, failure, facts);
  text = procfun_failure_to_string (failure);
  g_test_message ("%s", text);
  return failure;
}

static ProcfunFailure *
run (const char *death, const char *how, CrashFacts *facts, int *status)
{
  Crasher crasher;
  g_autoptr (GBytes) report = NULL;

  start (&crasher, death, how);
  report = read_report (&crasher);
  *status = finish (&crasher, NULL);
  g_object_unref (crasher.process);
  return parse (report, facts);
}

static const char *
find_frame (ProcfunFailure *failure, const char *function)
{
  for (guint i = 0; failure->backtrace != NULL && failure->backtrace[i] != NULL; i++)
    if (g_str_has_prefix (failure->backtrace[i], function))
      return failure->backtrace[i];
  return NULL;
}

/* Deaths */

typedef struct
{
  const char *death;
  const char *how;
  int signum;
  int code;
  int access;
  gint64 address;
  const char *message;  /* (nullable): part of it */
  const char *function; /* (nullable): in the backtrace */
  const char *sentence; /* part of what it says of the signal */
} Death;

static const Death deaths[] = {
  { "read_null", "", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "write_null", "", SIGSEGV, SEGV_MAPERR, FAULT_WRITE, 16, NULL, "write_null",
    "SIGSEGV writing 0x10" },
  { "read_null", "in-thread", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "read_null", "in-gthread", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "read_null", "blocking", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "read_null", "function", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "read_no_address", "", SIGSEGV, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "read_no_address",
    "SIGSEGV (no such address can exist)" },
  { "write_constant", "", SIGSEGV, SEGV_ACCERR, FAULT_WRITE, ANY, NULL, "write_constant",
    "SIGSEGV writing 0x" },
  { "call_nowhere", "", SIGSEGV, SEGV_MAPERR, FAULT_EXECUTE, 0x100000, NULL, "call_nowhere",
    "SIGSEGV jumping to 0x100000" },
  { "call_null", "", SIGSEGV, SEGV_MAPERR, FAULT_EXECUTE, 0, NULL, "call_null",
    "SIGSEGV jumping to 0x0" },
  { "overflow_stack", "", SIGSEGV, ANY, FAULT_WRITE, ANY, NULL, "recurse",
    "SIGSEGV (stack overflow)" },
  { "overflow_stack", "in-thread", SIGSEGV, SEGV_ACCERR, FAULT_WRITE, ANY, NULL, "recurse",
    "SIGSEGV (stack overflow)" },
  { "overflow_stack", "in-gthread", SIGSEGV, SEGV_ACCERR, FAULT_WRITE, ANY, NULL, "recurse",
    "SIGSEGV (stack overflow)" },
  { "crash_in_all_threads", "", SIGSEGV, SEGV_MAPERR, FAULT_READ, 16, NULL, "read_null",
    "SIGSEGV reading 0x10" },
  { "call_abort", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, NULL, "call_abort",
    "SIGABRT (raised by itself)" },
  { "fail_assert", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "Assertion `zero == 1' failed",
    "fail_assert", "SIGABRT" },
  { "fail_g_assert", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0,
    "assertion failed (zero == 1): (0 == 1)", "fail_g_assert", "SIGABRT" },
  { "log_g_error", "", SIGTRAP, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "log_g_error",
    "SIGTRAP (breakpoint)" },
  { "free_twice", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "double free or corruption",
    "free_twice", "SIGABRT" },
  { "smash_heap", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "", "smash_heap", "SIGABRT" },
#ifndef __clang__ /* in which no function can ask for it alone */
  { "smash_guarded_stack", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "stack smashing detected",
    "smash_guarded_stack", "SIGABRT" },
#endif
  { "smash_stack", "", SIGSEGV, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "smash_stack",
    "SIGSEGV (no such address can exist)" },
  { "read_behind_file", "", SIGBUS, BUS_ADRERR, FAULT_READ, ANY, NULL, "read_behind_file",
    "SIGBUS reading 0x" },
  { "divide_by_zero", "", SIGFPE, FPE_INTDIV, FAULT_UNKNOWN, 0, NULL, "divide_by_zero",
    "SIGFPE (integer division by zero)" },
  { "run_no_instruction", "", SIGILL, ILL_ILLOPN, FAULT_UNKNOWN, 0, NULL, "run_no_instruction",
    "SIGILL (no such instruction)" },
  { "hit_breakpoint", "", SIGTRAP, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "hit_breakpoint",
    "SIGTRAP (breakpoint)" },
  { "use_forbidden_call", "", SIGSYS, 1, FAULT_UNKNOWN, 0, NULL, "use_forbidden_call",
    "SIGSYS (system call " },
  { "use_up_cpu", "", SIGXCPU, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "use_up_cpu",
    "SIGXCPU (the CPU time is used up)" },
  { "write_beyond_limit", "", SIGXFSZ, ANY, FAULT_UNKNOWN, 0, NULL, "write_beyond_limit",
    "SIGXFSZ" },
  { "use_up_memory", "", SIGSEGV, SEGV_MAPERR, FAULT_WRITE, 0, NULL, "use_up_memory",
    "SIGSEGV writing 0x0" },
  { "throw_exception", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, NULL, "deaths_throw", "SIGABRT" },
};

static void
test_death (gconstpointer data)
{
  const Death *death = data;
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run (death->death, death->how, &facts, &status);
  g_autofree char *sentence = failure_describe_signal (failure);

  g_assert_true (facts.died);
  g_assert_true (facts.has_usage);
  g_assert_cmpint (failure->signum, ==, death->signum);
  if (death->code != ANY)
    g_assert_cmpint (failure->signal_code, ==, death->code);
  g_assert_cmpint (failure->access, ==, death->access);
  if (death->address != ANY)
    g_assert_cmphex (failure->fault_address, ==, (guint64)death->address);
  if (death->message != NULL)
    g_assert_nonnull (strstr (failure->abort_message, death->message));
  else
    g_assert_null (failure->abort_message);
  g_assert_true (g_str_has_prefix (sentence, death->sentence));
  g_assert_nonnull (failure->backtrace);
  if (death->function != NULL)
    g_assert_nonnull (find_frame (failure, death->function));
  g_assert_cmpint (WIFSIGNALED (status) ? WTERMSIG (status) : 0, ==, death->signum);
}

#ifdef INSTRUMENTED

/* Sanitizers report faults themselves, but what they leave alone is reported. */
static void
test_instrumented (void)
{
  static const char *const reported[] = { "call_abort", "fail_assert", "fail_g_assert", NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    if (g_strv_contains (reported, deaths[i].death))
      test_death (&deaths[i]);
}

#else

static void
add_deaths (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      g_autofree char *path
          = g_strjoin ("/", "/crash/death", deaths[i].death,
                       deaths[i].how[0] != '\0' ? deaths[i].how : "plainly", NULL);

      fixture_add_data_func (path, &deaths[i], test_death);
    }
}

static void
test_raise (void)
{
  static const int signals[]
      = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    {
      g_autofree char *death = g_strdup_printf ("raise-%d", signals[i]);
      CrashFacts facts;
      int status;
      g_autoptr (ProcfunFailure) failure = run (death, "", &facts, &status);

      g_assert_true (facts.died);
      g_assert_cmpint (failure->signum, ==, signals[i]);
      g_assert_cmpint (failure->signal_code, ==, SI_TKILL);
      g_assert_cmpint (failure->sender, ==, failure->pid);
      g_assert_nonnull (find_frame (failure, "raise_signal"));
      g_assert_cmpint (WTERMSIG (status), ==, signals[i]);
    }
}

static void
test_out_of_memory (void)
{
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run ("use_up_memory", "", &facts, &status);

  g_assert_cmpint (failure->signum, ==, SIGSEGV);
  g_assert_true (facts.memory_exhausted);
  g_assert_cmpint (facts.error_number, ==, ENOMEM);
  g_assert_cmpuint (facts.usage.peak_memory, >, 32 * 1024 * 1024);
}

/* Places in the code */

static guint
find_line (const char *text)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "deaths.c", NULL);
  g_autofree char *source = NULL;
  guint line = 1;

  if (!g_file_get_contents (path, &source, NULL, NULL))
    return 0;
  for (const char *at = source; at != strstr (source, text); at++)
    line += *at == '\n';
  return line;
}

static void
test_lines (void)
{
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run ("read_null", "", &facts, &status);
  guint line = find_line ("sink = nowhere[4]");
  g_autofree char *expected = g_strdup_printf ("read_null (deaths.c:%u)", line);

  if (line == 0 || strchr (failure->backtrace[0], '(') == NULL)
    g_test_skip ("there are no debugging data, nothing to read them, or no source");
  else
    g_assert_cmpstr (failure->backtrace[0], ==, expected);
}

/* The library's own frames are nobody's business. */
static void
test_boundary (void)
{
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run ("read_null", "function", &facts, &status);

  g_assert_cmpuint (g_strv_length (failure->backtrace), ==, 2);
  g_assert_true (g_str_has_prefix (failure->backtrace[0], "read_null"));
  g_assert_true (g_str_has_prefix (failure->backtrace[1], "die_of"));
  g_assert_cmpstr (failure->place, ==, failure->backtrace[0]);
}

/* Events that are no death of this process */

static void
assert_silent (const char *death, int expected_status)
{
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run (death, "", &facts, &status);

  g_assert_false (facts.died);
  g_assert_null (failure->backtrace);
  g_assert_cmpint (status, ==, expected_status);
}

static void
test_silence (void)
{
  assert_silent ("crash_in_fork", 0);
  assert_silent ("handle_itself", W_EXITCODE (SIGSEGV, 0));
}

static void
test_replaced_pipe (void)
{
  Crasher crasher;
  g_autoptr (GBytes) report = NULL;
  g_autofree char *output = NULL;

  start (&crasher, "replace_report", "");
  report = read_report (&crasher);
  g_assert_cmpint (finish (&crasher, &output), ==, SIGSEGV);
  g_object_unref (crasher.process);
  g_assert_cmpuint (g_bytes_get_size (report), ==, 0);
  g_assert_cmpstr (output, ==, "");
}

/* Stacks on demand */

static void
wait_until_ready (Crasher *self)
{
  char text[6];
  gsize n = 0;

  g_input_stream_read_all (g_subprocess_get_stdout_pipe (self->process), text, sizeof text, &n,
                           NULL, NULL);
  g_assert_cmpmem (text, n, "ready\n", 6);
}

static GBytes *
ask_for_stacks (Crasher *self)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 buffer[4096];
  gssize n;

  g_subprocess_send_signal (self->process, CRASH_STACKS_SIGNAL);
  while (!crash_report_has_stacks (bytes->data, bytes->len)
         && (n = read (self->fd, buffer, sizeof buffer)) > 0)
    g_byte_array_append (bytes, buffer, (guint)n);
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

/* The stack of @thread is there, and goes through @function. */
static gboolean
has_stack (char **lines, const char *thread, const char *function)
{
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], thread) != NULL)
      {
        for (i++; lines[i] != NULL && !g_str_has_suffix (lines[i], ":"); i++)
          if (g_str_has_prefix (lines[i], function))
            return TRUE;
        return FALSE;
      }
  return FALSE;
}

/* Threads may not have come so far yet, and are not waited for long: then they are asked again. */
static ProcfunFailure *
get_stacks (Crasher *self)
{
  ProcfunFailure *failure;

  for (;;)
    {
      g_autoptr (GBytes) report = ask_for_stacks (self);
      CrashFacts facts;

      failure = parse (report, &facts);
      g_assert_false (facts.died);
      g_assert_nonnull (strstr (failure->backtrace[0], "“crasher”:"));
      if (has_stack (failure->backtrace, "“spins”:", "spin_in_thread")
          && has_stack (failure->backtrace, "“sleeps”:", "sleep_in_thread"))
        return failure;
      procfun_failure_unref (failure);
    }
}

static void
test_stacks (void)
{
  Crasher crasher;

  start (&crasher, "take_long", "");
  wait_until_ready (&crasher);
  for (int i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunFailure) failure = get_stacks (&crasher);

      g_assert_true (has_stack (failure->backtrace, "“crasher”:", "take_long"));
    }
  g_subprocess_force_exit (crasher.process);
  g_assert_cmpint (finish (&crasher, NULL), ==, SIGKILL);
  close (crasher.fd);
  g_object_unref (crasher.process);
}

static void
test_stack_of_one (void)
{
  Crasher crasher;
  g_autoptr (ProcfunFailure) failure = NULL;
  g_autoptr (GBytes) death = NULL;
  CrashFacts facts;

  start (&crasher, "take_long_alone", "");
  wait_until_ready (&crasher);
  do
    {
      g_autoptr (GBytes) report = ask_for_stacks (&crasher);

      g_clear_pointer (&failure, procfun_failure_unref);
      failure = parse (report, &facts);
    }
  while (!g_str_has_prefix (failure->backtrace[0], "spin_in_thread"));
  g_assert_cmpstr (failure->place, ==, failure->backtrace[0]);

  g_subprocess_send_signal (crasher.process, SIGSEGV);
  death = read_report (&crasher);
  g_clear_pointer (&failure, procfun_failure_unref);
  failure = parse (death, &facts);
  g_assert_cmpint (failure->signal_code, ==, SI_USER);
  g_assert_cmpint (failure->sender, ==, getpid ());
  g_assert_cmpint (finish (&crasher, NULL), ==, SIGSEGV);
  g_object_unref (crasher.process);
}

/* Reports that no process of ours wrote */

static GBytes *
get_report (const char *death)
{
  Crasher crasher;
  GBytes *report;

  start (&crasher, death, "");
  report = read_report (&crasher);
  finish (&crasher, NULL);
  g_object_unref (crasher.process);
  return report;
}

static void
parse_anything (GBytes *report, GBytes *names)
{
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "die_of");
  g_autoptr (GBytes) request = report != NULL ? make_request (report) : NULL;
  g_autofree char *text = NULL;
  CrashFacts facts;

  g_assert_true (request == NULL || g_bytes_get_size (request) > 0);
  crash_report_parse (report, NULL, names, failure, &facts);
  text = procfun_failure_to_string (failure);
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

static void
test_truncated (void)
{
  g_autoptr (GBytes) report = get_report ("read_null");

  parse_anything (NULL, NULL);
  for (gsize n = 0; n <= g_bytes_get_size (report); n += n < 600 ? 29 : 1)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (report, 0, n);

      parse_anything (part, NULL);
    }
}

static GBytes *
damage (GBytes *bytes)
{
  const gsize size = g_bytes_get_size (bytes);
  guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);

  for (int i = g_test_rand_int_range (1, 8); i > 0; i--)
    data[g_test_rand_int_range (0, (gint32)size)] = (guint8)g_test_rand_int ();
  return g_bytes_new_take (data, size);
}

static void
test_damaged (void)
{
  g_autoptr (GBytes) report = get_report ("read_null");
  g_autoptr (GBytes) request = make_request (report);
  g_autoptr (GBytes) names = naming_run (request);

  for (int i = 0; i < 500; i++)
    {
      g_autoptr (GBytes) damaged_report = damage (report);
      g_autoptr (GBytes) damaged_names = damage (names);
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (
          names, 0, (gsize)g_test_rand_int_range (0, (gint32)g_bytes_get_size (names)));

      parse_anything (damaged_report, names);
      parse_anything (report, damaged_names);
      parse_anything (report, part);
    }
}

#endif

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  crasher_path = g_test_build_filename (G_TEST_BUILT, "crasher", NULL);
#ifdef INSTRUMENTED
  fixture_add_func ("/crash/faults-that-sanitizers-leave-are-reported", test_instrumented);
#else
  add_deaths ();
  fixture_add_func ("/crash/raised-signal-is-reported", test_raise);
  fixture_add_func ("/crash/lack-of-memory-is-reported", test_out_of_memory);
  fixture_add_func ("/crash/backtrace-has-files-and-lines", test_lines);
  fixture_add_func ("/crash/backtrace-has-no-frames-of-the-library", test_boundary);
  fixture_add_func ("/crash/crash-in-fork-or-with-own-handler-is-not-reported", test_silence);
  fixture_add_func ("/crash/replaced-pipe-gets-no-report", test_replaced_pipe);
  fixture_add_func ("/crash/stacks-of-all-threads-can-be-asked-for", test_stacks);
  fixture_add_func ("/crash/stack-of-one-thread-can-be-asked-for", test_stack_of_one);
  fixture_add_func ("/crash/truncated-report-is-read-safely", test_truncated);
  fixture_add_func ("/crash/damaged-report-and-answer-are-read-safely", test_damaged);
#endif
  return fixture_run ();
}
