/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The account of a process that a call is given: its usage, in the bounds of what is possible, and
 * its output, which is passed on and of which the end is kept. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/core/call.h"
#include "procfun/core/failure.h"
#include "procfun/platform/fds.h"
#include "procfun/process/outcome.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TAIL_SIZE 4096

static void
test_impossible_usage (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  const ProcfunUsage told = { .wall_time = G_MAXINT64,
                              .user_time = G_MAXINT64,
                              .system_time = -1,
                              .peak_memory = G_MAXUINT64,
                              .minor_faults = G_MAXUINT64 };
  const guint64 memory = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
  gint64 now;
  Outcome outcome;

  outcome_init (&outcome, call, 1);
  outcome_set_told_usage (&outcome, &told);
  now = g_get_monotonic_time ();
  g_assert_true (outcome.has_usage);
  g_assert_cmpint (outcome.usage.wall_time, >=, 0);
  g_assert_cmpint (outcome.usage.wall_time, <=, now);
  g_assert_cmpint (outcome.usage.user_time, <, G_MAXINT64);
  g_assert_cmpint (outcome.usage.system_time, ==, 0);
  g_assert_cmpuint (outcome.usage.peak_memory, ==, memory);
  g_assert_cmpuint (outcome.usage.minor_faults, <, G_MAXUINT64);
  outcome_clear (&outcome);
}

static void
test_negative_time (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  const ProcfunUsage told = { .wall_time = -5, .peak_memory = 4096 };
  Outcome outcome;

  outcome_init (&outcome, call, 1);
  outcome_set_told_usage (&outcome, &told);
  g_assert_cmpint (outcome.usage.wall_time, ==, 0);
  g_assert_cmpuint (outcome.usage.peak_memory, ==, 4096);
  outcome_clear (&outcome);
}

/* Descriptors that came with a result go with it. */
static void
test_revoked (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  GUnixFDList *fd_list = g_unix_fd_list_new ();
  Outcome outcome;

  g_object_add_weak_pointer (G_OBJECT (fd_list), (gpointer *)&fd_list);
  outcome_init (&outcome, call, 1);
  outcome_succeed (&outcome, g_variant_ref_sink (g_variant_new_int32 (3)));
  procfun_call_take_result_fd_list (call, fd_list);
  outcome_revoke_result (&outcome);
  g_assert_false (outcome_is_known (&outcome));
  g_assert_null (fd_list);
  outcome_clear (&outcome);
}

/* The signal that the process reports, and the one that it died of. */
static void
test_signals (void)
{
  static const struct
  {
    int reported, died_of, signum, wait_signum;
  } cases[] = { { 0, SIGKILL, SIGKILL, 0 },
                { SIGABRT, SIGABRT, SIGABRT, 0 },
                { SIGABRT, SIGKILL, SIGABRT, SIGKILL } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
      Output outputs[2] = { { .fd = -1 }, { .fd = -1 } };
      const OutcomeRemains remains = { .greeted = TRUE,
                                       .has_status = TRUE,
                                       .wait_status = cases[i].died_of,
                                       .report = nothing,
                                       .outputs = { &outputs[0], &outputs[1] } };
      ProcfunFailure *failure;
      Outcome outcome;

      outcome_init (&outcome, call, 1);
      outcome_fail (&outcome, PROCFUN_CAUSE_CRASHED,
                    g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "it crashed"));
      outcome.failure->signum = cases[i].reported;
      outcome_settle (&outcome, &remains);
      failure = procfun_call_peek_failure (call);
      g_assert_cmpint (failure->signum, ==, cases[i].signum);
      g_assert_cmpint (failure->wait_signum, ==, cases[i].wait_signum);
      outcome_clear (&outcome);
    }
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* Without a grace period a process is killed at once, and not asked. */
static void
test_no_grace (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL;
  ProcfunFailure *failure;
  Signal ready;

  signal_open (&ready);
  call = do_stay_call (ready.ends[1]);
  procfun_call_set_executor (call, executor);
  procfun_call_set_grace_period (call, 0);
  procfun_call_run_async (call, NULL, keep_result, &result);
  signal_await (&ready);
  procfun_call_abort (call);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = procfun_call_run_finish (call, result, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  failure = procfun_call_get_failure (call);
  g_assert_cmpint (procfun_failure_get_step (failure), ==, PROCFUN_STEP_KILL);
  g_assert_cmpint (procfun_failure_get_signal (failure), ==, SIGKILL);
  g_object_unref (result);
  signal_close (&ready);
}

/* Output */

typedef struct
{
  Output output;
  int end;
} Pipe;

static void
pipe_init (Pipe *self, ProcfunOutputMode mode)
{
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  output_init (&self->output, fds[0], PROCFUN_STREAM_STDERR, mode, 0);
  self->end = fds[1];
}

static void
pipe_clear (Pipe *self)
{
  output_clear (&self->output);
  close (self->end);
}

static void
write_through (Pipe *self, ProcfunCall *call, const char *data, gsize size)
{
  g_assert_cmpint (write (self->end, data, size), ==, size);
  output_advance (&self->output, call);
}

static void
test_tail (void)
{
  static const gsize sizes[] = { 1, TAIL_SIZE - 1, TAIL_SIZE, TAIL_SIZE + 1, 3 * TAIL_SIZE };
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  char data[3 * TAIL_SIZE];

  for (gsize i = 0; i < sizeof data; i++)
    data[i] = (char)(i % 251);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      const gsize expected = MIN (sizes[i], TAIL_SIZE);
      g_autoptr (GBytes) tail = NULL;
      Pipe out;

      pipe_init (&out, PROCFUN_OUTPUT_DISCARD);
      write_through (&out, call, data, sizes[i]);
      tail = output_get_tail (&out.output);
      g_assert_cmpmem (g_bytes_get_data (tail, NULL), g_bytes_get_size (tail),
                       data + sizes[i] - expected, expected);
      g_assert_cmpuint (output_get_size (&out.output), ==, sizes[i]);
      pipe_clear (&out);
    }
}

/* The program's own standard error is a pipe that nobody reads: no signal comes, or is left. */
static void
test_broken_pipe (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  sigset_t before, after, pending;
  int stderr_fd = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
  int fds[2];
  Pipe out;

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  close (fds[0]);
  pipe_init (&out, PROCFUN_OUTPUT_INHERIT);
  pthread_sigmask (SIG_SETMASK, NULL, &before);
  g_assert_cmpint (dup2 (fds[1], STDERR_FILENO), ==, STDERR_FILENO);
  write_through (&out, call, "text\n", 5);
  g_assert_cmpint (dup2 (stderr_fd, STDERR_FILENO), ==, STDERR_FILENO);
  pthread_sigmask (SIG_SETMASK, NULL, &after);
  sigpending (&pending);
  g_assert_cmpint (sigismember (&after, SIGPIPE), ==, sigismember (&before, SIGPIPE));
  g_assert_cmpint (sigismember (&after, SIGPIPE), ==, 0);
  g_assert_cmpint (sigismember (&pending, SIGPIPE), ==, 0);
  g_assert_false (output_is_held_up (&out.output));
  pipe_clear (&out);
  close (fds[1]);
  close (stderr_fd);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/outcome/usage-that-cannot-be-is-cut", test_impossible_usage);
  fixture_add_func ("/outcome/negative-time-is-none", test_negative_time);
  fixture_add_func ("/outcome/revoked-result-has-no-descriptors", test_revoked);
  fixture_add_func ("/outcome/signal-of-the-end-stands-beside-that-of-the-report", test_signals);
  fixture_add_func ("/outcome/without-grace-a-process-is-killed", test_no_grace);
  fixture_add_func ("/outcome/last-output-has-a-bound", test_tail);
  fixture_add_func ("/outcome/broken-pipe-raises-no-signal", test_broken_pipe);
  return fixture_run ();
}
