/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/hostile-children.h"

#include "procfun/base/usage.h"
#include "procfun/wire/frame.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL_FD 3

/* Not plain NULL: a compiler may leave out what can only be undefined. */
static volatile int *volatile nowhere;

/* By a signal, also where a sanitizer would rather exit. */
__attribute__ ((no_sanitize ("undefined"))) static int
crash (void)
{
  return *nowhere;
}

static void
stay (void)
{
  for (;;)
    pause ();
}

static void
say_ready (int fd)
{
  if (write (fd, "!", 1) != 1)
    abort ();
}

static void
write_bytes (int fd, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (gssize n = 0; size > 0 && n >= 0; data += n, size -= (gsize)n)
    n = write (fd, data, size);
}

static void
close_all (void)
{
  for (int fd = 0; fd < 1024; fd++)
    close (fd);
}

PROCFUN_DEFINE_FUNCTION (do_crash, gint) { return crash (); }

PROCFUN_DEFINE_FUNCTION (do_abort, void) { abort (); }

PROCFUN_DEFINE_FUNCTION (do_raise, void, (gint, signum)) { raise (signum); }

PROCFUN_DEFINE_FUNCTION (do_exit, void, (gint, code)) { exit (code); }

PROCFUN_DEFINE_FUNCTION (do_exit_at_once, void, (gint, code)) { _exit (code); }

static gpointer
exit_in_thread (gpointer code)
{
  exit (GPOINTER_TO_INT (code));
}

PROCFUN_DEFINE_FUNCTION (do_exit_in_thread, void, (gint, code))
{
  g_thread_join (g_thread_new ("exits", exit_in_thread, GINT_TO_POINTER (code)));
}

PROCFUN_DEFINE_FUNCTION (do_execute, void, (const char *, path)) { execl (path, path, NULL); }

PROCFUN_DEFINE_FUNCTION (do_stay, void, (ProcfunFd, fd))
{
  say_ready (fd);
  stay ();
}

PROCFUN_DEFINE_FUNCTION (do_spin, void, (ProcfunFd, fd))
{
  say_ready (fd);
  for (volatile guint i = 0;; i++)
    ;
}

PROCFUN_DEFINE_FUNCTION (do_stop, void, (ProcfunFd, fd))
{
  say_ready (fd);
  raise (SIGSTOP);
  stay ();
}

PROCFUN_DEFINE_FUNCTION (do_ignore_signals, void, (ProcfunFd, fd))
{
  sigset_t all;

  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, NULL);
  for (int signum = 1; signum < NSIG; signum++)
    signal (signum, SIG_IGN);
  say_ready (fd);
  stay ();
}

PROCFUN_DEFINE_FUNCTION (do_return_null, char *) { return NULL; }

PROCFUN_DEFINE_FUNCTION (do_return_latin1, char *) { return g_strdup ("caf\xe9"); }

PROCFUN_DEFINE_FUNCTION (do_print, gint, (const char *, to_stdout), (const char *, to_stderr))
{
  fputs (to_stdout, stdout);
  fputs (to_stderr, stderr);
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_write_to_channel, gint, (GBytes *, bytes))
{
  write_bytes (CHANNEL_FD, bytes);
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_write_to_channel_and_crash, gint, (GBytes *, bytes))
{
  write_bytes (CHANNEL_FD, bytes);
  return crash ();
}

PROCFUN_DEFINE_FUNCTION (do_forge_result, void, (guint, size))
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  const ProcfunUsage usage = { 0 };
  FrameHeader header;

  frame_header_init (&header, FRAME_RESULT, 0, 0, sizeof usage + size);
  g_byte_array_append (frame, (const guint8 *)&header, sizeof header);
  g_byte_array_append (frame, (const guint8 *)&usage, sizeof usage);
  for (guint i = 0; i < size; i++)
    g_byte_array_append (frame, (const guint8 *)"1", 1);
  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&frame));
  write_bytes (CHANNEL_FD, bytes);
}

PROCFUN_DEFINE_FUNCTION (do_close_channel, gint) { return close (CHANNEL_FD); }

PROCFUN_DEFINE_FUNCTION (do_shut_channel_down, gint) { return shutdown (CHANNEL_FD, SHUT_WR); }

PROCFUN_DEFINE_FUNCTION (do_close_all, gint)
{
  close_all ();
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_close_all_and_stay, gint)
{
  close_all ();
  stay ();
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_close_all_and_crash, gint)
{
  close_all ();
  return crash ();
}

PROCFUN_DEFINE_FUNCTION (do_leave_child, gint)
{
  if (fork () == 0)
    stay ();
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_leave_child_and_crash, gint)
{
  if (fork () == 0)
    stay ();
  return crash ();
}

/* A process of another program, which has none of the function's descriptors but stdin, stdout and
 * stderr. It is there for certain when its end of the pipe is closed. */
static void
leave_program (void)
{
  int ends[2];
  char byte;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    abort ();
  if (fork () == 0)
    {
      execlp ("sleep", "sleep", "600", NULL);
      _exit (127);
    }
  close (ends[1]);
  if (read (ends[0], &byte, 1) != 0)
    abort ();
  close (ends[0]);
}

PROCFUN_DEFINE_FUNCTION (do_leave_program, void) { leave_program (); }

PROCFUN_DEFINE_FUNCTION (do_leave_program_and_crash, void)
{
  leave_program ();
  crash ();
}

/* Its parent is gone at once. */
PROCFUN_DEFINE_FUNCTION (do_leave_orphan, void)
{
  pid_t child = fork ();

  if (child == 0)
    {
      if (fork () == 0)
        stay ();
      _exit (0);
    }
  waitpid (child, NULL, 0);
}

static gpointer
stay_in_thread (gpointer user_data)
{
  stay ();
  return NULL;
}

PROCFUN_DEFINE_FUNCTION (do_leave_thread, gint)
{
  g_thread_unref (g_thread_new ("stays", stay_in_thread, NULL));
  return 1;
}

/* The child of a function that forks is no child of procfun: its end is not the end of the call. */
PROCFUN_DEFINE_FUNCTION (do_fork_and_exit, gint, (gint, code))
{
  pid_t child = fork ();
  int status;

  if (child == 0)
    exit (code);
  waitpid (child, &status, 0);
  return WEXITSTATUS (status);
}

PROCFUN_DEFINE_FUNCTION (do_fork_and_return_twice, gint)
{
  pid_t child = fork ();

  if (child == 0)
    return 2;
  waitpid (child, NULL, 0);
  return 1;
}

PROCFUN_DEFINE_FUNCTION (do_leak, guint64, (guint64, bytes))
{
  volatile char *leaked = g_malloc (bytes);

  for (guint64 i = 0; i < bytes; i += 1024) /* memset() to what nobody reads is left out */
    leaked[i] = 1;
  return bytes;
}

PROCFUN_DEFINE_FUNCTION (do_change_folder, char *, (const char *, path))
{
  return chdir (path) == 0 ? g_get_current_dir () : g_strdup ("");
}

PROCFUN_DEFINE_FUNCTION (do_log_critical, gint)
{
  g_return_val_if_fail (FALSE, 1);
  return 0;
}

/* It must return at once. */
PROCFUN_DEFINE_FUNCTION (do_call_serve, gint)
{
  procfun_registry_serve (procfun_registry_get_default ());
  return 1;
}
