/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/crash-report.h"
#include "tests/fixture.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Instead of a value that is not looked at. */
#define ANY (-12345)

typedef struct
{
  GSubprocess *process;
  int fd;
} Crasher;

static char *crasher_path;

static void
start (Crasher *self, const char *deed, const char *how)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  g_subprocess_launcher_take_fd (launcher, fds[1], 3);
  self->fd = fds[0];
  self->process
      = g_subprocess_launcher_spawn (launcher, &error, crasher_path, "3", deed, how, NULL);
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

/* The wait status. */
static int
finish (Crasher *self)
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
  return g_subprocess_get_status (self->process);
}

static ProcfunFailure *
parse (GBytes *report, CrashFacts *facts)
{
  ProcfunFailure *failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "do_deed");
  g_autofree char *text = NULL;

  crash_report_parse (report, failure, facts);
  text = procfun_failure_to_string (failure);
  g_test_message ("%s", text);
  return failure;
}

static ProcfunFailure *
run (const char *deed, const char *how, CrashFacts *facts, int *status)
{
  Crasher crasher;
  g_autoptr (GBytes) report = NULL;

  start (&crasher, deed, how);
  report = read_report (&crasher);
  *status = finish (&crasher);
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
  const char *deed;
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
  { "fail_assert", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0,
    "fail_assert: Assertion `zero == 1' failed", "fail_assert", "SIGABRT" },
  { "fail_g_assert", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0,
    "assertion failed (zero == 1): (0 == 1)", "fail_g_assert", "SIGABRT" },
  { "log_g_error", "", SIGTRAP, SI_KERNEL, FAULT_UNKNOWN, 0, NULL, "log_g_error",
    "SIGTRAP (breakpoint)" },
  { "free_twice", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "double free or corruption",
    "free_twice", "SIGABRT" },
  { "smash_heap", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "", "smash_heap", "SIGABRT" },
  { "smash_guarded_stack", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, "stack smashing detected",
    "smash_guarded_stack", "SIGABRT" },
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
  { "throw_exception", "", SIGABRT, SI_TKILL, FAULT_UNKNOWN, 0, NULL, "deeds_throw", "SIGABRT" },
};

static void
test_death (gconstpointer data)
{
  const Death *death = data;
  CrashFacts facts;
  int status;
  g_autoptr (ProcfunFailure) failure = run (death->deed, death->how, &facts, &status);
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

static void
add_deaths (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      g_autofree char *path = g_strjoin ("/", "/crash/death", deaths[i].deed,
                                         deaths[i].how[0] != '\0' ? deaths[i].how : NULL, NULL);

      fixture_add_data_func (path, &deaths[i], test_death);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  crasher_path = g_test_build_filename (G_TEST_BUILT, "crasher", NULL);
  add_deaths ();
  return fixture_run ();
}
