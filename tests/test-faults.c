/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call works, or brings an error that says so, when a system call fails on the caller's side. The
 * same with kernels that lack what this one has. */

#include "tests/calls.h"
#include "tests/faults.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/platform/fds.h"
#include "procfun/wire/frame.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <procfun.h>
#include <string.h>
#include <sys/syscall.h>

/* More often than any is made in a call; where it is reached, something goes round in circles. */
#define MANY 200

typedef enum
{
  WORKS = 1 << 0,
  FAILS = 1 << 1
} Outcome;

static const struct
{
  const char *call;
  int error;
  Outcome outcome;
} cases[] = {
  { "socketpair", EMFILE, FAILS },
  { "socketpair", ENOMEM, FAILS },
  { "pipe2", ENFILE, FAILS },
  { "open", EMFILE, WORKS | FAILS },
  { "posix_spawn", EAGAIN, FAILS },
  { "posix_spawn", ENOMEM, FAILS },
  { "posix_spawn", ENOENT, FAILS },
  { "pidfd_open", EMFILE, WORKS },
  { "pidfd_open", ENOSYS, WORKS },
  { "pidfd_send_signal", EINVAL, WORKS },
  { "waitid", EINVAL, WORKS },
  { "ioctl", ENOTTY, WORKS },
  { "poll", EINTR, WORKS },
  { "recvmsg", EINTR, WORKS },
  { "recvmsg", ENOMEM, WORKS | FAILS },
  { "sendmsg", EINTR, WORKS },
  { "sendmsg", EAGAIN, WORKS },
  { "sendmsg", ENOBUFS, WORKS },
  { "sendmsg", ENOMEM, FAILS },
  { "sendmsg", ETOOMANYREFS, FAILS },
};

static void
check_outcome (Outcome expected, int error_number, GVariant *result, const GError *error)
{
  if (result != NULL)
    {
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
      g_assert_true ((expected & WORKS) != 0);
      return;
    }
  g_assert_cmpuint (error->domain, ==, PROCFUN_ERROR);
  g_assert_nonnull (strstr (error->message, "add()"));
  g_test_message ("%s", error->message);
  /* valgrind refuses to execute /proc/self/exe, which is taken where the program is not found. */
  g_assert_true (strstr (error->message, g_strerror (error_number)) != NULL
                 || strstr (error->message, "did not start") != NULL);
  g_assert_true ((expected & FAILS) != 0);
}

/* A process is executed when none can be forked. */
static Outcome
get_outcome (gsize i)
{
  gboolean forks = PROCFUN_IS_FORK_SERVER (procfun_executor_get_default ());

  return cases[i].outcome | (forks ? WORKS : 0);
}

/* Each one in turn, until there is none that could fail. */
static void
test_fault (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  gboolean async = GPOINTER_TO_SIZE (data) % 2;

  if (g_str_equal (cases[i].call, "waitid") && !fixture_has_pidfds ())
    {
      g_test_skip ("without pidfds, there is no other way to wait");
      return;
    }
  for (int nth = 1; nth < MANY; nth++)
    {
      Fault faults[] = { { cases[i].call, cases[i].error, nth }, { NULL } };
      ProcfunCall *call = add_call (1, 2);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      faults_set (faults);
      result = calls_run (call, async, NULL, &error);
      faults_set (NULL);
      check_outcome (faults[0].n_seen < nth ? WORKS : get_outcome (i), cases[i].error, result,
                     error);
      if (faults[0].n_seen < nth)
        return;
    }
  g_test_fail_printf ("%s is called without end", cases[i].call);
}

#define N_FRAMES 1000

/* It is killed for the first one, and not again for each of the others. */
static void
test_frames_out_of_turn (void)
{
  Fault faults[] = { { "pidfd_send_signal", EINVAL, MANY }, { NULL } };
  g_autoptr (GByteArray) frames = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  FrameHeader header;

  frame_header_init (&header, FRAME_HELLO, 0, 0, 0);
  for (guint i = 0; i < N_FRAMES; i++)
    g_byte_array_append (frames, (const guint8 *)&header, sizeof header);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&frames));
  faults_set (faults);
  g_assert_null (calls_run (do_write_to_channel_call (bytes), FALSE, NULL, &error));
  faults_set (NULL);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  g_assert_cmpint (faults[0].n_seen, <, 20);
}

/* Result that all of these kernels must bring about. */

static const struct
{
  const char *function;
  int code; /* -1: none */
} deaths[] = { { "nothing", -1 },
               { "do_crash", PROCFUN_ERROR_CRASHED },
               { "do_exit_at_once", PROCFUN_ERROR_EXITED },
               { "do_leave_child", -1 },
               { "do_leave_child_and_crash", PROCFUN_ERROR_CRASHED },
               { "do_leave_program_and_crash", PROCFUN_ERROR_CRASHED },
               { "do_leave_orphan", -1 } };

#define ALL(call, error)                                                                           \
  {                                                                                                \
    call, error, 1, TRUE, 0                                                                        \
  }

static const struct
{
  const char *name;
  Fault faults[3];
} kernels[] = { { "before-6.15", { ALL ("ioctl", ENOTTY) } },
                { "before-6.9", { ALL ("ioctl", ENOTTY), ALL ("pidfd_send_signal", EINVAL) } },
                { "valgrind", { ALL ("ioctl", ENOTTY), ALL ("pidfd_send_signal", ENOSYS) } },
                { "before-5.3", { ALL ("ioctl", ENOTTY), ALL ("pidfd_open", ENOSYS) } } };

static void
check_death (gsize death, gboolean async)
{
  const char *arguments = g_str_equal (deaths[death].function, "do_exit_at_once") ? "(3,)" : "()";
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result
      = calls_run (calls_new (deaths[death].function, arguments), async, NULL, &error);

  g_assert_true ((result != NULL) == (error == NULL));
  if (deaths[death].code < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, PROCFUN_ERROR, deaths[death].code);
}

typedef struct
{
  Signal signal;
  GCancellable *cancellable;
} Canceller;

static gpointer
cancel_when_running (gpointer user_data)
{
  Canceller *self = user_data;

  signal_wait (&self->signal);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
check_cancelling (gboolean async)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Canceller canceller = { .cancellable = cancellable };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  signal_open (&canceller.signal);
  thread = g_thread_new ("canceller", cancel_when_running, &canceller);
  g_assert_null (calls_run (do_spin_call (canceller.signal.ends[1]), async, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  signal_close (&canceller.signal);
}

static void
test_kernel (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data) / 2;
  gboolean async = GPOINTER_TO_SIZE (data) % 2;
  Fault faults[G_N_ELEMENTS (kernels[i].faults)];
  auto_fd int pidfd = (int)syscall (SYS_pidfd_open, getpid (), 0);

  if (pidfd < 0)
    {
      g_test_skip ("there are no pidfds here");
      return;
    }
  memcpy (faults, kernels[i].faults, sizeof faults);
  faults_set (faults);
  for (gsize k = 0; k < G_N_ELEMENTS (deaths); k++)
    check_death (k, async);
  check_cancelling (async);
  faults_set (NULL);
  g_assert_cmpint (faults[0].n_seen + faults[1].n_seen, >, 0);
}

static void
add_both (const char *path, gsize i, GTestDataFunc func)
{
  static const char *const ways[] = { "blocking", "async" };

  for (gsize async = 0; async < G_N_ELEMENTS (ways); async++)
    {
      g_autofree char *whole_path = g_strdup_printf ("%s/%s", path, ways[async]);

      calls_add_data_func (whole_path, GSIZE_TO_POINTER (2 * i + async), func);
    }
}

/* Those up to that of the last descriptor of a child which nobody has; -1 ends them. */
static int low_numbers[8];

static void
take_low_numbers (void)
{
  gsize n = 0;
  int fd;

  while ((fd = open ("/dev/null", O_RDONLY | O_CLOEXEC)) <= SETUP_REPORT_FD)
    low_numbers[n++] = fd;
  close (fd);
  low_numbers[n] = -1;
}

static void
free_low_numbers (void)
{
  for (gsize i = 0; low_numbers[i] >= 0; i++)
    close (low_numbers[i]);
}

/* Another thread closes low descriptors just when the pipes for output are opened, which get their
 * numbers: nevertheless the process knows what it is there for. */
static void
test_low_numbers (gconstpointer nth)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  ProcfunCall *call = add_call (1, 2);
  Fault faults[]
      = { { "pipe2", 0, GPOINTER_TO_INT (nth), .meanwhile = free_low_numbers }, { NULL } };

  procfun_call_set_timeout (call, 20 * G_USEC_PER_SEC);
  take_low_numbers ();
  faults_set (faults);
  calls_assert_result (executor, call, FALSE, "3");
  faults_set (NULL);
  g_assert_cmpint (faults[0].n_seen, >=, faults[0].first);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/faults/%s/%s", cases[i].call, strerrorname_np (cases[i].error));

      add_both (path, i, test_fault);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (kernels); i++)
    {
      g_autofree char *path = g_strconcat ("/faults/kernel/", kernels[i].name, NULL);

      add_both (path, i, test_kernel);
    }
  calls_add_func ("/faults/frames-out-of-turn-kill-their-process-once", test_frames_out_of_turn);
  fixture_add_data_func ("/faults/low-numbers/stdout", GINT_TO_POINTER (3), test_low_numbers);
  fixture_add_data_func ("/faults/low-numbers/stderr", GINT_TO_POINTER (4), test_low_numbers);
  return fixture_run ();
}
