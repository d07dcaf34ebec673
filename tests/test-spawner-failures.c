/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Faults of functions and systems: each is one error, which names the function and the cause, and
 * the fixture checks that nothing is left of it. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/base/usage.h"
#include "procfun/wire/frame.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Damage that a function does to itself: the result that comes nevertheless, or the error. */
static const struct
{
  const char *function;
  const char *arguments;
  const char *result; /* NULL: it fails, with */
  gint code;
  const char *message;
} hostile_children[] = {
  { "do_exit_in_thread", "(5,)", NULL, PROCFUN_ERROR_EXITED, "*do_exit_in_thread()*exit (5)*" },
  { "do_execute", "('/bin/true',)", NULL, PROCFUN_ERROR_EXITED, "*do_execute()*" },
  { "do_execute", "('/bin/false',)", NULL, PROCFUN_ERROR_EXITED, "*do_execute()*exit code 1*" },
  { "do_close_all", "()", NULL, PROCFUN_ERROR_EXITED, "*do_close_all()*" },
  { "do_close_all_and_stay", "()", NULL, PROCFUN_ERROR_PROTOCOL,
    "*do_close_all_and_stay()*closed its channel*" },
  { "do_close_all_and_crash", "()", NULL, PROCFUN_ERROR_CRASHED,
    "*do_close_all_and_crash()*SIGSEGV*" },
  { "do_leave_child", "()", "1" },
  { "do_leave_child_and_crash", "()", NULL, PROCFUN_ERROR_CRASHED,
    "*do_leave_child_and_crash()*SIGSEGV*" },
  { "do_leave_program", "()", "()" },
  { "do_leave_program_and_crash", "()", NULL, PROCFUN_ERROR_CRASHED, "*SIGSEGV*" },
  { "do_leave_orphan", "()", "()" },
  { "do_leave_thread", "()", "1" },
  { "do_fork_and_exit", "(3,)", "3" },
  { "do_fork_and_return_twice", "()", "1" },
  { "do_leak", "(10000000,)", "uint64 10000000" },
  { "do_log_critical", "()", NULL, PROCFUN_ERROR_CRASHED, "*do_log_critical()*SIG*" },
  { "do_call_serve", "()", "1" },
};

static void
test_hostile_child (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call = calls_new (hostile_children[i].function, hostile_children[i].arguments);

      if (hostile_children[i].result != NULL)
        calls_assert_result (executor, call, async, hostile_children[i].result);
      else
        calls_assert_error (executor, call, async, PROCFUN_ERROR, hostile_children[i].code,
                            hostile_children[i].message);
    }
}

/* Every signal by its name. Those that don't end a process by default do nothing here, either. */
static void
test_signals (void)
{
  static const int harmless[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (int signum = 1; signum <= SIGSYS; signum++)
    {
      const char *name = sigabbrev_np (signum);
      g_autofree char *pattern = g_strdup_printf ("*do_raise()*SIG%s*", name);
      gboolean ends = TRUE;

      for (gsize i = 0; i < G_N_ELEMENTS (harmless); i++)
        ends = ends && signum != harmless[i];
      if (signum == SIGSTOP || signum == SIGTSTP || signum == SIGTTIN || signum == SIGTTOU)
        continue;
      if (ends)
        calls_assert_error (executor, do_raise_call (signum), FALSE, PROCFUN_ERROR,
                            signum == SIGKILL ? PROCFUN_ERROR_KILLED : PROCFUN_ERROR_CRASHED,
                            pattern);
      else
        calls_assert_result (executor, do_raise_call (signum), FALSE, "()");
    }
  calls_assert_error (executor, do_raise_call (SIGRTMIN + 3), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_CRASHED, "*do_raise()*SIGRTMIN+3*");
}

/* Bytes that a function writes to the channel, which is not its own. */
static const struct
{
  const char *name;
  FrameHeader header;
  gint code;
  const char *message;
} frames[] = {
  { "text",
    { 'r', 'e', 's', 'u', 0x746c, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*do_write_to_channel()*no frame*" },
  { "version",
    { 0xf5, 99, FRAME_RESULT, 0, 0, 0 },
    PROCFUN_ERROR_MISMATCH,
    "*do_write_to_channel()*version 99*" },
  { "type",
    { 0xf5, FRAME_VERSION, 200, 0, 0, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*do_write_to_channel()*200*" },
  { "too-large",
    { 0xf5, FRAME_VERSION, FRAME_RESULT, 0, 0, G_MAXUINT64 },
    PROCFUN_ERROR_LIMIT,
    "*do_write_to_channel()*18446744073709551615*" },
  { "descriptors",
    { 0xf5, FRAME_VERSION, FRAME_RESULT, 3, 0, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*do_write_to_channel()*descriptors*" },
  { "hello-again",
    { 0xf5, FRAME_VERSION, FRAME_HELLO, 0, 0, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*do_write_to_channel()*out of turn*" },
  { "setup",
    { 0xf5, FRAME_VERSION, FRAME_SETUP, 0, 0, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*out of turn*" },
  { "call", { 0xf5, FRAME_VERSION, FRAME_CALL, 0, 0, 0 }, PROCFUN_ERROR_PROTOCOL, "*out of turn*" },
  { "empty-result",
    { 0xf5, FRAME_VERSION, FRAME_RESULT, 0, 0, 0 },
    PROCFUN_ERROR_DECODE,
    "*result of do_write_to_channel()*" },
  { "half-a-result",
    { 0xf5, FRAME_VERSION, FRAME_RESULT, 0, 0, 10 },
    PROCFUN_ERROR_DECODE,
    "*result of do_write_to_channel()*" },
  { "long-event",
    { 0xf5, FRAME_VERSION, FRAME_EVENT, 0, 0, 1024 * 1024 },
    PROCFUN_ERROR_LIMIT,
    "*1048576*4096*" },
  { "long-hello",
    { 0xf5, FRAME_VERSION, FRAME_HELLO, 0, 0, 257 },
    PROCFUN_ERROR_LIMIT,
    "*257*256*" },
  { "short-exit",
    { 0xf5, FRAME_VERSION, FRAME_EXIT, 0, 0, 3 },
    PROCFUN_ERROR_PROTOCOL,
    "*malformed*exit*" },
  { "event-with-descriptors",
    { 0xf5, FRAME_VERSION, FRAME_EVENT, 3, 0, sizeof (FrameEvent) },
    PROCFUN_ERROR_PROTOCOL,
    "*malformed*event*" },
  { "empty-error",
    { 0xf5, FRAME_VERSION, FRAME_ERROR, 0, 0, 0 },
    PROCFUN_ERROR_PROTOCOL,
    "*cannot be read*" },
};

static void
test_frame (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GBytes) bytes = g_bytes_new (&frames[i].header, sizeof frames[i].header);

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (executor, do_write_to_channel_call (bytes), async, PROCFUN_ERROR,
                        frames[i].code, frames[i].message);
}

/* Nothing more comes, and the process ends: there was no whole frame, so there is no result. */
static void
test_death_in_frame (void)
{
  static const char result[] = "1";
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  const ProcfunUsage usage = { 0 };
  FrameHeader header;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                      procfun_codec_get_json ());
  frame_header_init (&header, FRAME_RESULT, 0, 0, sizeof usage + sizeof result - 1);
  g_byte_array_append (whole, (const guint8 *)&header, sizeof header);
  g_byte_array_append (whole, (const guint8 *)&usage, sizeof usage);
  g_byte_array_append (whole, (const guint8 *)result, sizeof result - 1);
  for (guint cut = 0; cut <= whole->len; cut++)
    {
      g_autoptr (GBytes) part = g_bytes_new (whole->data, cut);

      if (cut < whole->len)
        calls_assert_error (executor, do_write_to_channel_and_crash_call (part), FALSE,
                            PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*SIGSEGV*");
      else
        calls_assert_result (executor, do_write_to_channel_and_crash_call (part), FALSE, "1");
    }
}

/* A result that the function made up, which keeps to what a frame may have but not to the limit. */
static void
test_forged_result (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (executor), 5);
  calls_assert_error (executor, do_forge_result_call (6), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                      "*result of do_forge_result()*6*5*");
}

/* A message far longer than a socket holds. */
static void
test_long_error (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autofree char *message = g_strnfill (1024 * 1024, 'e');

  calls_assert_error (executor, fail_call ("some-quark", 7, message), FALSE,
                      g_quark_from_static_string ("some-quark"), 7, message);
}

/* Nested calls */

static void
test_nested (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  calls_assert_result (executor, nest_call (0), FALSE, "1");
  calls_assert_result (executor, nest_call (7), FALSE, "8");
  calls_assert_error (executor, nest_call (8), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_NESTED,
                      "*nest()*8 deep*");
}

/* Through two processes, an error is still the same. */
static void
test_nested_errors (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  calls_assert_result (executor, relay_call ("echo_string", "('x',)"), FALSE, "\"'x'\"");
  calls_assert_error (executor, relay_call ("fail_void", "(3,)"), FALSE, G_FILE_ERROR, 3,
                      "failed with 3");
  calls_assert_error (executor, relay_call ("do_crash", "()"), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_CRASHED, "do_crash()*SIGSEGV*");
  calls_assert_error (executor, relay_call ("relay", "('do_exit', '(4,)')"), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_EXITED, "do_exit()*exit (4)*");
}

/* The system */

/* However many descriptors are free, the call succeeds or says that there are too few. */
static void
test_no_descriptors (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  struct rlimit before, few;
  guint n_succeeded = 0;

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  few = before;
  few.rlim_cur = fixture_count_descriptors () + 40;
  for (guint n = 0; n < 32; n++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      GArray *taken;

      procfun_call_set_executor (call, executor);
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &few));
      taken = fixture_take_descriptors (n);
      result = procfun_call_run (call, NULL, &error);
      fixture_give_descriptors_back (taken);
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
      if (result == NULL)
        calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                           "*add()*Too many open files*");
      else
        n_succeeded++;
      if (n < 4)
        g_assert_null (result);
    }
  g_assert_cmpuint (n_succeeded, >, 0);
}

/* As one who may not start processes. root may always, so it becomes somebody else first. */
static gboolean
forbid_processes (void)
{
  const struct rlimit none = { 0, 0 };

  if (getuid () == 0
      && (access ("/proc/self/exe", X_OK) != 0 || setgroups (0, NULL) != 0
          || setresgid (65534, 65534, 65534) != 0 || setresuid (65534, 65534, 65534) != 0))
    return FALSE;
  prctl (PR_SET_DUMPABLE, 1);
  return setrlimit (RLIMIT_NPROC, &none) == 0;
}

static void
test_no_processes (void)
{
  g_autoptr (ProcfunExecutor) executor = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  if (!forbid_processes ())
    {
      g_test_skip ("cannot be forbidden to start processes here");
      return;
    }
  executor = calls_new_executor ();
  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (executor, add_call (1, 2), async, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                        "*add()*Resource temporarily unavailable*");
  _exit (0); /* LeakSanitizer could start no process, either */
}

/* It runs from a file that is gone, in which a crash still finds its names. */
static void
run_from_removed_file (void)
{
  g_autofree char *own_path = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) aborted = do_abort_call ();
  g_autoptr (GError) error = NULL;
  const char *const *stack;
  gboolean is_named = FALSE;

  g_assert_no_errno (g_unlink (own_path));
  g_assert_cmpint (add_process (1, 2, &error), ==, 3);
  g_assert_no_error (error);
  procfun_call_set_executor (aborted, executor);
  g_assert_null (procfun_call_run (aborted, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  stack = procfun_failure_get_backtrace (procfun_call_get_failure (aborted));
  for (guint i = 0; stack != NULL && stack[i] != NULL; i++)
    is_named = is_named || strstr (stack[i], "do_abort") != NULL;
  g_assert_true (is_named || fixture_has_sanitizers ());
}

/* The program's file is removed while it runs: it is still what runs. */
static void
test_vanished (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("TMPDIR"), "copy", NULL);
  g_autofree char *program = NULL;
  g_autoptr (GSubprocess) copy = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (g_test_subprocess ())
    {
      run_from_removed_file ();
      return;
    }
  g_assert_true (g_file_get_contents ("/proc/self/exe", &program, &size, NULL));
  g_assert_true (
      g_file_set_contents_full (path, program, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  copy = g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, path, "--GTestSubprocess", "-p",
                           g_test_get_path (), NULL);
  g_assert_no_error (error);
  g_subprocess_wait_check (copy, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
add_for_each (const char *folder, const char *name, gsize i, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("%s%" G_GSIZE_FORMAT "-%s", folder, i, name);

  calls_add_data_func (path, GSIZE_TO_POINTER (i), func);
}

/* A function with a handler of its own, which calls the one before. */
static struct sigaction before;

static void
be_killed_afterwards (int signum, siginfo_t *info, void *context)
{
  before.sa_sigaction (signum, info, context);
  kill (getpid (), SIGKILL);
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_abort_and_be_killed, void)
{
  const struct sigaction action = { .sa_sigaction = be_killed_afterwards, .sa_flags = SA_SIGINFO };

  sigaction (SIGABRT, &action, &before);
  raise (SIGABRT);
}

static void
test_two_signals (void)
{
  g_autoptr (ProcfunCall) call = do_abort_and_be_killed_call ();
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, NULL);
  ProcfunFailure *failure = procfun_call_get_failure (call);
  g_autofree char *text = procfun_failure_to_string (failure);
  g_autoptr (GVariant) variant = procfun_failure_to_variant (failure);
  gint32 died_of = 0;

  g_assert_null (result);
  g_assert_cmpint (procfun_failure_get_signal (failure), ==, SIGABRT);
  g_assert_true (g_variant_lookup (variant, "wait-signal", "i", &died_of));
  g_assert_cmpint (died_of, ==, SIGKILL);
  g_assert_nonnull (strstr (text, "died of signal: 9, Killed"));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (hostile_children); i++)
    add_for_each ("/spawner/hostile-child/", hostile_children[i].function, i, test_hostile_child);
  calls_add_func ("/spawner/every-signal-is-named", test_signals);
  for (gsize i = 0; i < G_N_ELEMENTS (frames); i++)
    add_for_each ("/spawner/frame/", frames[i].name, i, test_frame);
  calls_add_func ("/spawner/the-first-signal-is-told", test_two_signals);
  calls_add_func ("/spawner/a-death-within-a-frame-is-no-result", test_death_in_frame);
  calls_add_func ("/spawner/a-forged-result-meets-the-limit", test_forged_result);
  calls_add_func ("/spawner/a-long-message-arrives", test_long_error);
  calls_add_func ("/spawner/nested/calls-nest-to-a-depth", test_nested);
  calls_add_func ("/spawner/nested/errors-cross-two-processes", test_nested_errors);
  calls_add_func ("/spawner/missing-descriptors-are-an-error", test_no_descriptors);
  calls_add_func ("/spawner/missing-processes-are-an-error", test_no_processes);
  calls_add_func ("/spawner/a-removed-program-still-calls", test_vanished);
  return fixture_run ();
}
