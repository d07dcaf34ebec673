/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ways in which a call can end badly, side by side: each has its error, cause, signal and
 * place, however it is run. PROCFUN_DEATH_ROUNDS says how often; -m slow stands for 20. */

#include "tests/calls.h"
#include "tests/deaths.h"
#include "tests/fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SLOW_ROUNDS "20"

/* Instead of a signal that may be one or another. */
#define ANY (-1)

#define NEVER_US ((gint64)3600 * G_USEC_PER_SEC)
#define SOON_US 30000

typedef void (*OnStarted) (ProcfunCall *call, int pid);

typedef struct
{
  const char *name;      /* of the test, where the function's does not do */
  const char *function;  /* by its name */
  const char *arguments; /* of it; for die_of() the name of the death */
  int code;
  ProcfunCause cause;
  int signum;
  const char *frame;    /* (nullable): in the backtrace */
  const char *limits;   /* (nullable) */
  gint64 timeout;       /* or 0 */
  gint64 deadline;      /* or 0 */
  OnStarted on_started; /* (nullable): what happens to it */
} Death;

static void
kill_it (ProcfunCall *call, int pid)
{
  kill (pid, SIGKILL);
}

static void
terminate_it (ProcfunCall *call, int pid)
{
  kill (pid, SIGTERM);
}

static void
fault_it (ProcfunCall *call, int pid)
{
  kill (pid, SIGSEGV);
}

static void
abort_it (ProcfunCall *call, int pid)
{
  procfun_call_abort (call);
}

#define DEATH(death) #death, "die_of", "('" #death "', false)"
#define DEATH_IN_THREAD(death) #death "/in-thread", "die_of", "('" #death "', true)"
#define CRASHED PROCFUN_ERROR_CRASHED, PROCFUN_CAUSE_CRASHED
#define EXITED PROCFUN_ERROR_EXITED, PROCFUN_CAUSE_EXITED, 0, NULL
#define MEMORY PROCFUN_ERROR_MEMORY_LIMIT, PROCFUN_CAUSE_MEMORY_LIMIT, ANY
#define LIMIT PROCFUN_ERROR_LIMIT, PROCFUN_CAUSE_LIMIT
#define PROTOCOL PROCFUN_ERROR_PROTOCOL, PROCFUN_CAUSE_PROTOCOL
#define TIMED_OUT PROCFUN_ERROR_TIMED_OUT, PROCFUN_CAUSE_TIMED_OUT

static const Death deaths[] = {
  { DEATH (read_null), CRASHED, SIGSEGV, "read_null" },
  { DEATH (write_null), CRASHED, SIGSEGV, "write_null" },
  { DEATH_IN_THREAD (read_null), CRASHED, SIGSEGV, "read_null" },
  { DEATH (read_no_address), CRASHED, SIGSEGV, "read_no_address" },
  { DEATH (write_constant), CRASHED, SIGSEGV, "write_constant" },
  { DEATH (call_nowhere), CRASHED, SIGSEGV, "call_nowhere" },
  { DEATH (call_null), CRASHED, SIGSEGV, "call_null" },
  { DEATH (overflow_stack), CRASHED, SIGSEGV, "recurse" },
  { DEATH_IN_THREAD (overflow_stack), CRASHED, SIGSEGV, "recurse" },
  { DEATH (crash_in_all_threads), CRASHED, SIGSEGV, "read_null" },
  { DEATH (call_abort), CRASHED, SIGABRT, "call_abort" },
  { DEATH_IN_THREAD (call_abort), CRASHED, SIGABRT, "call_abort" },
  { DEATH (fail_assert), CRASHED, SIGABRT, "fail_assert" },
  { DEATH (fail_g_assert), CRASHED, SIGABRT, "fail_g_assert" },
  { DEATH (log_g_error), CRASHED, SIGTRAP, "log_g_error" },
  { DEATH (free_twice), CRASHED, SIGABRT, "free_twice" },
  { DEATH (smash_heap), CRASHED, SIGABRT, "smash_heap" },
  { DEATH (smash_guarded_stack), CRASHED, SIGABRT, "smash_guarded_stack" },
  { DEATH (smash_stack), CRASHED, SIGSEGV, "smash_stack" },
  { DEATH (read_behind_file), CRASHED, SIGBUS, "read_behind_file" },
  { DEATH (divide_by_zero), CRASHED, SIGFPE, "divide_by_zero" },
  { DEATH (run_no_instruction), CRASHED, SIGILL, "run_no_instruction" },
  { DEATH (hit_breakpoint), CRASHED, SIGTRAP, "hit_breakpoint" },
  { DEATH (use_forbidden_call), CRASHED, SIGSYS, "use_forbidden_call" },
  { DEATH (throw_exception), CRASHED, SIGABRT, "deaths_throw" },
  { DEATH (outlive_crash), CRASHED, SIGABRT, "outlive_crash" },

  { "raise-segv", "do_raise", "(11,)", CRASHED, SIGSEGV, "raise" },
  { "raise-bus", "do_raise", "(7,)", CRASHED, SIGBUS, "raise" },
  { "raise-ill", "do_raise", "(4,)", CRASHED, SIGILL, "raise" },
  { "raise-fpe", "do_raise", "(8,)", CRASHED, SIGFPE, "raise" },
  { "raise-trap", "do_raise", "(5,)", CRASHED, SIGTRAP, "raise" },
  { "raise-sys", "do_raise", "(31,)", CRASHED, SIGSYS, "raise" },
  { "raise-abrt", "do_raise", "(6,)", CRASHED, SIGABRT, "raise" },
  { "raise-xcpu", "do_raise", "(24,)", CRASHED, SIGXCPU, "raise" },
  { "raise-xfsz", "do_raise", "(25,)", CRASHED, SIGXFSZ, "raise" },
  { "raise-term", "do_raise", "(15,)", CRASHED, SIGTERM, NULL },
  { "raise-hup", "do_raise", "(1,)", CRASHED, SIGHUP, NULL },
  { "raise-pipe", "do_raise", "(13,)", CRASHED, SIGPIPE, NULL },
  { "raise-kill", "do_raise", "(9,)", PROCFUN_ERROR_KILLED, PROCFUN_CAUSE_KILLED, SIGKILL, NULL },

  { "killed", "die_of", "('spin', false)", PROCFUN_ERROR_KILLED, PROCFUN_CAUSE_KILLED, SIGKILL,
    .on_started = kill_it },
  { "killed/under-limits", "die_of", "('spin', false)", PROCFUN_ERROR_KILLED, PROCFUN_CAUSE_KILLED,
    SIGKILL, .limits = "memory=500M cpu=100s", .on_started = kill_it },
  { "terminated", "die_of", "('spin', false)", CRASHED, SIGTERM, .on_started = terminate_it },
  { "faulted", "die_of", "('spin', false)", CRASHED, SIGSEGV, .on_started = fault_it },
  { "faulted/under-limits", "die_of", "('spin', false)", CRASHED, SIGSEGV,
    .limits = "memory=500M cpu=100s", .on_started = fault_it },

  { "exit", "do_exit", "(3,)", EXITED },
  { "exit/success", "do_exit", "(0,)", EXITED },
  { "exit/in-thread", "do_exit_in_thread", "(3,)", EXITED },
  { "exit/at-once", "do_exit_at_once", "(3,)", EXITED },
  { "execute", "do_execute", "('/bin/true',)", EXITED },

  { DEATH (run_out_of_malloc), MEMORY, "run_out_of_malloc", "memory=64M" },
  { DEATH (run_out_of_g_malloc), MEMORY, "run_out_of_g_malloc", "memory=64M" },
  { DEATH (run_out_of_mmap), MEMORY, "run_out_of_mmap", "memory=64M" },
  { "read_null/under-limits", "die_of", "('read_null', false)", CRASHED, SIGSEGV, "read_null",
    "memory=64M cpu=10s" },
  { "call_abort/under-limits", "die_of", "('call_abort', true)", CRASHED, SIGABRT, "call_abort",
    "memory=64M cpu=10s files=100" },
  { "cpu", "die_of", "('spin', false)", PROCFUN_ERROR_CPU_LIMIT, PROCFUN_CAUSE_CPU_LIMIT, ANY, NULL,
    "cpu=30ms" },
  { "cpu/in-thread", "die_of", "('spin', true)", PROCFUN_ERROR_CPU_LIMIT, PROCFUN_CAUSE_CPU_LIMIT,
    ANY, NULL, "cpu=30ms", .timeout = NEVER_US },
  { DEATH (run_out_of_files), LIMIT, SIGTRAP, "run_out_of_files", "files=32" },
  { DEATH (write_large_file), LIMIT, SIGXFSZ, "write_large_file", "file-size=100K" },
  { DEATH (print_for_ever), LIMIT, ANY, NULL, "output=100K" },
  { "result", "make_bytes", "(100000,)", PROCFUN_ERROR_LIMIT, PROCFUN_CAUSE_ERROR, 0, NULL,
    "result=10K" },

  { "timeout", "die_of", "('spin', false)", TIMED_OUT, ANY, NULL, .timeout = SOON_US },
  { "timeout/with-deadline", "die_of", "('spin', false)", TIMED_OUT, ANY, NULL, .timeout = SOON_US,
    .deadline = NEVER_US },
  { "timeout/with-cpu-limit", "die_of", "('spin', false)", TIMED_OUT, ANY, NULL, "cpu=100s",
    .timeout = SOON_US },
  { "deadline", "die_of", "('spin', false)", TIMED_OUT, ANY, NULL, .deadline = SOON_US },
  { "deadline/with-timeout", "die_of", "('spin', false)", TIMED_OUT, ANY, NULL, .timeout = NEVER_US,
    .deadline = SOON_US },
  { "aborted", "die_of", "('spin', false)", G_IO_ERROR_CANCELLED, PROCFUN_CAUSE_CANCELLED, ANY,
    .on_started = abort_it },

  { DEATH (close_all), PROTOCOL, ANY, NULL },
  { "garbage", "do_write_to_channel", "(b'this is no frame at all, of none of the types',)",
    PROTOCOL, ANY, NULL },
};

static guint n_rounds;

/* raise() has another name in glibc, which is the one that is found where libdw is not installed.
 */
static gboolean
has_frame (ProcfunFailure *failure, const char *function)
{
  const char *const *frames = procfun_failure_get_backtrace (failure);
  const char *other = g_str_equal (function, "raise") ? "gsignal" : function;

  for (guint i = 0; frames != NULL && frames[i] != NULL; i++)
    if (g_str_has_prefix (frames[i], function) || g_str_has_prefix (frames[i], other))
      return TRUE;
  return FALSE;
}

static void
check (const Death *death, ProcfunCall *call, const GError *error)
{
  GQuark domain = death->cause == PROCFUN_CAUSE_CANCELLED ? G_IO_ERROR : PROCFUN_ERROR;
  ProcfunFailure *failure = procfun_call_get_failure (call);
  g_autofree char *text = NULL;

  g_assert_nonnull (error);
  g_assert_nonnull (failure);
  text = procfun_failure_to_string (failure);
  g_test_message ("%s\n%s", error->message, text);
  g_assert_error (error, domain, death->code);
  g_assert_cmpint (procfun_failure_get_cause (failure), ==, death->cause);
  if (death->signum != ANY)
    g_assert_cmpint (procfun_failure_get_signal (failure), ==, death->signum);
  if (death->frame != NULL)
    g_assert_true (has_frame (failure, death->frame));
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_FAILED);
}

static void
die (const Death *death, gboolean async)
{
  g_autoptr (ProcfunCall) call = calls_new (death->function, death->arguments);
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunLimits) limits = NULL;
  g_autoptr (GError) error = NULL;

  if (death->limits != NULL)
    limits = procfun_limits_new_from_string (death->limits, &error);
  g_assert_no_error (error);
  procfun_call_set_executor (call, executor);
  procfun_call_set_limits (call, limits);
  procfun_call_set_timeout (call, death->timeout);
  procfun_call_set_deadline (call, death->deadline);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_DISCARD);
  if (death->on_started != NULL)
    g_signal_connect (call, "started", G_CALLBACK (death->on_started), NULL);
  g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
  check (death, call, error);
}

static void
test_death (gconstpointer data)
{
  if (deaths_get_obstacle (((const Death *)data)->name) != NULL)
    {
      g_test_skip (deaths_get_obstacle (((const Death *)data)->name));
      return;
    }
  for (guint round = 0; round < n_rounds; round++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      die (data, async);
}

/* GLib ends the process by SIGTRAP, and its message is on stderr alone. */
static void
test_g_error (void)
{
  g_autoptr (ProcfunCall) call = calls_new ("die_of", "('log_g_error', false)");
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_DISCARD);
  g_assert_null (procfun_call_run (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_assert_nonnull (strstr (error->message, "aborted: “nothing goes”"));
  g_assert_cmpstr (procfun_failure_get_abort_message (procfun_call_get_failure (call)), ==,
                   "nothing goes");
}

int
main (int argc, char *argv[])
{
  static const struct rlimit no_core = { 0, 0 };
  const char *rounds;

  fixture_init (&argc, &argv);
  setrlimit (RLIMIT_CORE, &no_core);
  rounds = g_getenv ("PROCFUN_DEATH_ROUNDS");
  n_rounds = (guint)atoi (rounds != NULL ? rounds : g_test_slow () ? SLOW_ROUNDS : "1");
  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      g_autofree char *path = g_strdup_printf ("/deaths/%s", deaths[i].name);

      calls_add_data_func (path, &deaths[i], test_death);
    }
  fixture_add_func ("/deaths/message-of-g_error-is-the-abort-message", test_g_error);
  return fixture_run ();
}
