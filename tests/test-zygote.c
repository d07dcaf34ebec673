/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Zygotes that are not as they should be: where one cannot fork, or nothing it says can be
 * trusted, a process is executed for each call, and nobody waits for ever. This program is one of
 * these when TEST_ZYGOTE says so. */

#include "tests/calls.h"
#include "tests/faults.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include "procfun/wire/frame.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define VARIABLE "TEST_ZYGOTE"
#define FILE_FD 60

PROCFUN_DEFINE_STATIC_FUNCTION (has_file, gboolean) { return fcntl (FILE_FD, F_GETFD) >= 0; }

/* Work of constructors, in each process of a call */

static gpointer
stay (gpointer nothing)
{
  for (;;)
    pause ();
  return NULL;
}

static void
start_thread (void)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, stay, NULL) != 0)
    abort ();
}

static void
open_eventfd (void)
{
  eventfd (0, 0);
}

static void
open_epoll (void)
{
  epoll_create1 (0);
}

static void
open_inotify (void)
{
  inotify_init1 (0);
}

static void
open_timerfd (void)
{
  timerfd_create (CLOCK_MONOTONIC, 0);
}

static void
start_process (void)
{
  if (fork () == 0)
    stay (NULL);
}

static void
open_file (void)
{
  int fd = open ("/dev/null", O_RDONLY);

  dup2 (fd, FILE_FD);
  close (fd);
}

static void
print (void)
{
  printf ("words of a constructor");
}

/* And in a zygote alone */

static void
exit_at_once (void)
{
  _exit (0);
}

static void
be_silent (void)
{
  stay (NULL);
}

static void
be_slow (void)
{
  g_usleep (G_USEC_PER_SEC);
}

static void
say (const void *data, gsize size)
{
  if (write (SETUP_CHANNEL_FD, data, size) != (gssize)size)
    abort ();
}

static void
say_garbage (void)
{
  say ("garbage, and no frame at all", 28);
}

static void
say_half (void)
{
  FrameHeader header;

  frame_header_init (&header, FRAME_HELLO, 0, 0, 100);
  say (&header, sizeof header);
  _exit (0);
}

static void
say_much (void)
{
  FrameHeader header;

  frame_header_init (&header, FRAME_HELLO, 0, 0, G_MAXSIZE);
  say (&header, sizeof header);
}

static void
say_who_else (void)
{
  FrameHeader header;

  frame_header_init (&header, FRAME_HELLO, 0, 0, 4);
  say (&header, sizeof header);
  say ("else", 4);
  stay (NULL);
}

/* Children without their descriptors, a death of another size, and frames that only a caller sends:
 * such a zygote is ended, and calls are executed. */
static void
say_nonsense (void)
{
  static const FrameType types[] = { FRAME_CHILD, FRAME_EXITED, FRAME_RESULT, FRAME_SETUP };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      FrameHeader header;

      frame_header_init (&header, types[i], 0, 0, 4);
      say (&header, sizeof header);
      say ("\0\0\0\0", 4);
    }
}

static void
die_forking (void)
{
  pthread_atfork (exit_at_once, NULL, NULL);
}

static const struct
{
  const char *name;
  void (*behave) (void);
  gboolean in_zygote; /* else in each process */
  gboolean forks;     /* all the same */
} kinds[] = {
  { "thread", start_thread },
  { "eventfd", open_eventfd },
  { "epoll", open_epoll },
  { "inotify", open_inotify },
  { "timerfd", open_timerfd },
  { "process", start_process },
  { "file", open_file, FALSE, TRUE },
  { "prints", print, FALSE, TRUE },
  { "exits", exit_at_once, TRUE },
  { "aborts", abort, TRUE },
  { "silent", be_silent, TRUE },
  { "slow", be_slow, TRUE, TRUE },
  { "garbage", say_garbage, TRUE },
  { "half-a-frame", say_half, TRUE },
  { "too-large", say_much, TRUE },
  { "somebody-else", say_who_else, TRUE },
  { "nonsense", say_nonsense, TRUE },
  { "dies-forking", die_forking, TRUE },
};

static gboolean
is_zygote (void)
{
  char text[4096];
  int fd = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  gssize n = read (fd, text, sizeof text);

  close (fd);
  return n > 0 && memmem (text, (gsize)n, "=" SETUP_ZYGOTE, sizeof "=" SETUP_ZYGOTE - 1) != NULL;
}

/* "call errno first onward", in a zygote. */
static void
set_fault (const char *text)
{
  static char call[32];
  static Fault faults[2];

  if (sscanf (text, "fault %31s %d %d %d", call, &faults[0].error, &faults[0].first,
              &faults[0].onward)
      != 4)
    return;
  faults[0].call = call;
  faults_set (faults);
}

static void behave (void) __attribute__ ((constructor));

static void
behave (void)
{
  const char *wanted = getenv (VARIABLE);

  if (wanted == NULL || !procfun_is_child ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].name, wanted) == 0 && (!kinds[i].in_zygote || is_zygote ()))
      kinds[i].behave ();
  if (is_zygote ())
    set_fault (wanted);
}

/* Its outcome */

static gboolean
is_forked (ProcfunExecutor *executor, gboolean async)
{
  ProcfunCall *call = get_parent_id_call ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, async, NULL, &error);
  g_assert_no_error (error);
  return g_variant_get_int32 (result) != getpid ();
}

static void
test_kind (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  gint64 begin = g_get_monotonic_time ();

  g_setenv (VARIABLE, kinds[i].name, TRUE);
  for (guint k = 0; k < 4; k++)
    g_assert_cmpint (is_forked (executor, k % 2 != 0), ==, kinds[i].forks);
  calls_assert_result (executor, has_file_call (), FALSE,
                       kinds[i].behave == open_file ? "true" : "false");
  g_unsetenv (VARIABLE);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 60 * G_TIME_SPAN_SECOND);
}

/* A program that takes long before its main(), or for ever, is waited for no longer than the caller
 * says. */
#define PATIENCE_US (200 * G_TIME_SPAN_MILLISECOND)
#define FAR_LESS_THAN_A_START_US (5 * G_USEC_PER_SEC)

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

typedef ProcfunExecutor *(*MakeFunc) (void);

static void
assert_impatient (ProcfunExecutor *executor, ProcfunCall *call, GCancellable *cancellable,
                  GQuark domain, gint code)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  g_assert_null (calls_run (call, FALSE, cancellable, &error));
  g_assert_error (error, domain, code);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, FAR_LESS_THAN_A_START_US);
}

static void
test_deadline (gconstpointer make)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)make) ();

  g_setenv (VARIABLE, "silent", TRUE);
  for (guint i = 0; i < 3; i++)
    {
      ProcfunCall *call = add_call (1, 2);

      procfun_call_set_deadline (call, PATIENCE_US);
      assert_impatient (executor, call, NULL, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
    }
  g_unsetenv (VARIABLE);
}

static gpointer
cancel_later (gpointer cancellable)
{
  g_usleep (PATIENCE_US);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancellable (gconstpointer make)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)make) ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread;

  g_setenv (VARIABLE, "silent", TRUE);
  thread = g_thread_new ("canceller", cancel_later, cancellable);
  assert_impatient (executor, add_call (1, 2), cancellable, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_unsetenv (VARIABLE);
}

/* A start that one call does not wait for goes on, and serves the next. */
static void
test_slow_start (gconstpointer make)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)make) ();
  ProcfunCall *call = add_call (1, 2);

  g_setenv (VARIABLE, "slow", TRUE);
  procfun_call_set_deadline (call, PATIENCE_US);
  assert_impatient (executor, call, NULL, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_assert_true (is_forked (executor, FALSE));
  g_unsetenv (VARIABLE);
}

static void
count (guint *n)
{
  ++*n;
}

/* It was written before the calls were made, and is part of none. */
static void
test_words (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  g_setenv (VARIABLE, "prints", TRUE);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      guint n_lines = 0;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
      g_signal_connect_swapped (call, "output", G_CALLBACK (count), &n_lines);
      g_assert_cmpint (add_run (call, NULL, &error), ==, 3);
      g_assert_no_error (error);
      g_assert_cmpuint (n_lines, ==, 0);
    }
  g_unsetenv (VARIABLE);
}

/* System calls that fail in a zygote, or in a process that it has forked. */
static const struct
{
  const char *call;
  int error;
  gboolean onward;
  gboolean may_fail; /* the call, too: a process that cannot write or read has no result */
} faults[] = {
  { "fork", EAGAIN, FALSE },
  { "fork", EAGAIN, TRUE },
  { "fork", ENOMEM, TRUE },
  { "socketpair", EMFILE, FALSE },
  { "socketpair", EMFILE, TRUE },
  { "pipe2", EMFILE, FALSE },
  { "pipe2", ENFILE, TRUE },
  { "pidfd_open", ENOSYS, TRUE },
  { "pidfd_open", EMFILE, FALSE },
  { "signalfd", EMFILE, TRUE },
  { "open", EMFILE, TRUE },
  { "poll", EINTR, FALSE },
  { "sendmsg", EINTR, FALSE },
  { "sendmsg", EAGAIN, FALSE },
  { "sendmsg", ETOOMANYREFS, FALSE, TRUE },
  { "sendmsg", ENOMEM, TRUE, TRUE },
  { "recvmsg", EINTR, FALSE },
  { "recvmsg", ENOMEM, FALSE, TRUE },
  { "recvmsg", ENOMEM, TRUE, TRUE },
};

#define N_PLACES 8

static void
test_fault (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  for (int first = 1; first <= N_PLACES; first++)
    {
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
      g_autofree char *text = g_strdup_printf ("fault %s %d %d %d", faults[i].call, faults[i].error,
                                               first, faults[i].onward);

      g_setenv (VARIABLE, text, TRUE);
      for (guint k = 0; k < 6; k++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (ProcfunCall) call = add_call (1, 2);
          g_autoptr (GVariant) result = NULL;

          procfun_call_set_executor (call, executor);
          result = calls_run (g_object_ref (call), k % 2 != 0, NULL, &error);
          if (result == NULL && faults[i].may_fail)
            g_assert_cmpuint (error->domain, ==, PROCFUN_ERROR);
          else
            g_assert_no_error (error);
        }
      g_unsetenv (VARIABLE);
    }
}

int
main (int argc, char *argv[])
{
  static const struct rlimit no_core = { 0, 0 };

  fixture_init (&argc, &argv);
  setrlimit (RLIMIT_CORE, &no_core);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strconcat ("/zygote/", kinds[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_kind);
    }
  fixture_add_data_func ("/zygote/deadline-ends-wait-for-start/fork-server", make_fork_server,
                         test_deadline);
  fixture_add_data_func ("/zygote/deadline-ends-wait-for-start/pool", make_pool, test_deadline);
  fixture_add_data_func ("/zygote/cancellable-ends-wait-for-start/fork-server", make_fork_server,
                         test_cancellable);
  fixture_add_data_func ("/zygote/cancellable-ends-wait-for-start/pool", make_pool,
                         test_cancellable);
  fixture_add_data_func ("/zygote/slow-start-serves-the-next-call/fork-server", make_fork_server,
                         test_slow_start);
  fixture_add_data_func ("/zygote/slow-start-serves-the-next-call/pool", make_pool,
                         test_slow_start);
  fixture_add_func ("/zygote/prints/constructors-output-comes-once", test_words);
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/zygote/faults/%s/%s%s", faults[i].call,
                             strerrorname_np (faults[i].error), faults[i].onward ? "/onward" : "");

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_fault);
    }
  return fixture_run ();
}
