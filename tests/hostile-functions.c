/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/hostile-functions.h"

#include "procfun/wire/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_FD 3

static void
stay (void)
{
  for (;;)
    pause ();
}

static void
write_for_ever (int fd, const void *data, gsize size)
{
  while (write (fd, data, size) >= 0)
    ;
  stay ();
}

/* Floods */

PROCFUN_DEFINE_FUNCTION (do_print_for_ever, void, (gint, fd), (guint8, byte))
{
  static char bytes[64 * 1024];

  memset (bytes, byte, sizeof bytes);
  write_for_ever (fd, bytes, sizeof bytes);
}

PROCFUN_DEFINE_FUNCTION (do_send_for_ever, void, (guint, type), (guint, call_id))
{
  const FrameEvent event = { "progress", 0.5 };
  GByteArray *bytes = g_byte_array_new ();
  FrameHeader header;
  const gsize size = type == FRAME_WAKE ? 0 : sizeof event;

  frame_header_init (&header, (FrameType)type, call_id, 0, size);
  for (guint i = 0; i < 64; i++)
    {
      g_byte_array_append (bytes, (const guint8 *)&header, sizeof header);
      g_byte_array_append (bytes, (const guint8 *)&event, (guint)size);
    }
  write_for_ever (CHANNEL_FD, bytes->data, bytes->len);
}

PROCFUN_DEFINE_FUNCTION (do_send_descriptors, void)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (2 * sizeof (int))];
  } control = { 0 };
  const int fds[] = { STDIN_FILENO, STDOUT_FILENO };
  struct iovec part = { (void *)"x", 1 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  FrameHeader header;

  frame_header_init (&header, FRAME_RESULT, 0, 0, 1000);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN (sizeof fds);
  memcpy (CMSG_DATA (&control.header), fds, sizeof fds);
  if (write (CHANNEL_FD, &header, sizeof header) > 0)
    while (sendmsg (CHANNEL_FD, &message, 0) > 0)
      ;
  stay ();
}

/* As a function is meant to, but without end. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_report_for_ever, void, (guint, length))
{
  g_autofree char *message = g_strnfill (length, 'x');

  for (;;)
    procfun_report_progress (0.5, message);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (do_fail_at_length, void, (guint, length))
{
  g_autofree char *message = g_strnfill (length, 'x');

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, message);
}

PROCFUN_DEFINE_STATIC_GENERATOR (do_yield_for_ever, GBytes *, (guint, size))
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);

  for (;;)
    do_yield_for_ever_yield (bytes);
}

PROCFUN_DEFINE_STATIC_GENERATOR (do_yield_nothing, gint) { stay (); }

/* Processes and threads */

PROCFUN_DEFINE_FUNCTION (do_leave_printers, void)
{
  static char bytes[64 * 1024];

  for (guint i = 0; i < 4; i++)
    if (fork () == 0)
      {
        setsid ();
        write_for_ever (STDOUT_FILENO, bytes, sizeof bytes);
      }
  _exit (3);
}

/* It is in a session of its own and its parent is gone, as daemon() does it. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_leave_daemon, gint)
{
  const pid_t child = fork ();

  if (child == 0)
    {
      setsid ();
      signal (SIGTERM, SIG_IGN);
      if (fork () == 0)
        stay ();
      _exit (0);
    }
  return waitpid (child, NULL, 0) == child ? 1 : 0;
}

/* Another program that has the channel and all else of the function. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_hand_descriptors_on, gint)
{
  for (int fd = 0; fd < 64; fd++)
    fcntl (fd, F_SETFD, 0);
  if (fork () == 0)
    {
      execlp ("sleep", "sleep", "600", NULL);
      _exit (127);
    }
  return 1;
}

/* Each process starts two, @depth times, and none ends. */
static void
multiply (guint depth)
{
  for (guint i = 0; depth > 0 && i < 2; i++)
    if (fork () == 0)
      {
        setsid ();
        multiply (depth - 1);
        stay ();
      }
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_multiply, gint, (guint, depth), (gboolean, stays))
{
  multiply (depth);
  if (stays)
    stay ();
  return 1;
}

/* Or until a limit keeps it from that. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_fork_without_end, void, (guint, at_most))
{
  pid_t pid = 1;

  for (guint i = 0; i < at_most && pid > 0; i++)
    pid = fork ();
  stay ();
}

/* A process in two with the same channel, which both come to its end. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_vfork_and_stay, void)
{
  const pid_t pid = vfork ();

  if (pid == 0)
    execlp ("sleep", "sleep", "600", NULL);
  waitpid (pid, NULL, 0);
}

static gpointer
stay_in_thread (gpointer user_data)
{
  stay ();
  return NULL;
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_start_threads, void, (guint, at_most))
{
  for (guint i = 0; i < at_most; i++)
    {
      g_autoptr (GThread) thread = g_thread_try_new ("one-of-many", stay_in_thread, NULL, NULL);

      if (thread == NULL)
        break;
    }
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_end_thread, void) { pthread_exit (NULL); }

static gpointer
hold_stdout (gpointer is_held)
{
  flockfile (stdout);
  g_atomic_int_set ((gint *)is_held, TRUE);
  stay ();
  return NULL;
}

/* The library flushes stdout after the function. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_leave_lock, gint)
{
  static gint is_held;

  g_thread_unref (g_thread_new ("holds", hold_stdout, &is_held));
  while (!g_atomic_int_get (&is_held))
    g_thread_yield ();
  return 1;
}

/* Signals */

static sigjmp_buf gone;

static void __attribute__ ((noinline)) set_gone (void)
{
  volatile int kept = sigsetjmp (gone, 1);

  if (kept != 0)
    stay ();
}

/* To where nobody is any more; the C library may see that. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_jump_nowhere, void)
{
  set_gone ();
  memset (&gone, 0x41, sizeof gone);
  siglongjmp (gone, 1);
}

static void
on_signal (int signum)
{
}

/* All that the process does from now on is interrupted. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_interrupt_itself, gint)
{
  const struct sigaction action = { .sa_handler = on_signal };
  const struct itimerval timer = { { 0, 200 }, { 0, 200 } };

  sigaction (SIGALRM, &action, NULL);
  return setitimer (ITIMER_REAL, &timer, NULL);
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_wait_for_alarm, void)
{
  ualarm (1000, 0);
  stay ();
}

/* Each signal then stops it until its parent, which does not know of that, says more. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_be_traced, void, (gint, signum))
{
  if (ptrace (PTRACE_TRACEME, 0, NULL, NULL) == 0)
    raise (signum);
  stay ();
}

/* Files in /proc are root's then. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_hide, void)
{
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_kill_group, void) { kill (0, SIGKILL); }

/* The caller, which a sandbox keeps from it. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_kill, gint, (gint, pid))
{
  return kill (pid, SIGKILL) == 0 ? 0 : errno;
}

/* The process that forked this one, if it is not @caller. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_stop_parent, gint, (gint, caller))
{
  const pid_t parent = getppid ();

  return parent != caller && parent > 1 ? kill (parent, SIGSTOP) : 0;
}

/* Memory and descriptors */

PROCFUN_DEFINE_STATIC_FUNCTION (do_take_little, void)
{
  for (volatile char *last;;)
    {
      last = malloc (24);
      if (last == NULL)
        abort ();
      last[0] = 1;
    }
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_take_stack, gint, (guint64, size))
{
  volatile char *room = __builtin_alloca (size);

  for (guint64 i = 0; i < size; i += 4096)
    room[size - 1 - i] = 1;
  return room[0];
}

/* Pages that belong to no process. */
PROCFUN_DEFINE_STATIC_FUNCTION (do_take_memfd, gint, (guint64, size))
{
  static const char block[64 * 1024];
  const int fd = memfd_create ("taken", 0);

  for (guint64 i = 0; i < size; i += sizeof block)
    if (write (fd, block, sizeof block) < 0)
      return errno;
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_fill_descriptors, gint)
{
  while (dup (STDIN_FILENO) >= 0)
    ;
  return errno;
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_unmap_libraries, void)
{
  extern const char __executable_start;

  munmap ((void *)((guintptr)&__executable_start & ~(guintptr)4095), 4096);
  munmap ((void *)((guintptr)&procfun_report_progress & ~(guintptr)4095), 1 << 20);
  procfun_report_progress (1, NULL);
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_return_freed, char *)
{
  char *volatile text = g_strnfill (100, 'x');

  g_free (text);
  return text;
}

PROCFUN_DEFINE_STATIC_FUNCTION (do_read_stdin, gint)
{
  char bytes[64];

  return read (STDIN_FILENO, bytes, sizeof bytes) == 0 ? 1 : 0;
}
