/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/setup.h"

#include "procfun/platform/descendants.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/leave.h"
#include "procfun/wire/crash.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Only the caller leaves an unnamed, connected socket and a pipe at these numbers: names on a
 * command line alone make no child. */
gboolean
setup_has_descriptors (void)
{
  struct stat st;
  struct sockaddr_un address = { .sun_family = AF_UNSPEC };
  socklen_t size = sizeof address;

  return fstat (SETUP_LIFELINE_FD, &st) == 0 && S_ISFIFO (st.st_mode)
         && fstat (SETUP_REPORT_FD, &st) == 0 && S_ISFIFO (st.st_mode)
         && fstat (SETUP_CHANNEL_FD, &st) == 0 && S_ISSOCK (st.st_mode)
         && getpeername (SETUP_CHANNEL_FD, (struct sockaddr *)&address, &size) == 0
         && address.sun_family == AF_UNIX && size == sizeof (sa_family_t);
}

/* Handled signals are the default again after exec, ignored and blocked ones are not. */
static void
reset_signals (void)
{
  struct sigaction action;
  sigset_t none;

  for (int signum = 1; signum < NSIG; signum++)
    if (sigaction (signum, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
      signal (signum, SIG_DFL);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* The caller's process keeps the other end of the lifeline open as long as it lives, and writes
 * nothing. So the only event is its end, at which the kernel sends the signal, even in a busy loop
 * or to a process that is stopped. @owner: see F_SETOWN in fcntl(2). */
static void
tie_to_lifeline (pid_t owner, int signum)
{
  struct pollfd poll_fd = { .fd = SETUP_LIFELINE_FD };

  fcntl (SETUP_LIFELINE_FD, F_SETOWN, owner);
  fcntl (SETUP_LIFELINE_FD, F_SETSIG, signum);
  fcntl (SETUP_LIFELINE_FD, F_SETFL, O_ASYNC | O_NONBLOCK);
  if (poll (&poll_fd, 1, 0) > 0) /* it ended before it was tied */
    setup_end ();
}

/* This process and its parent, if that is the caller and no launcher. */
static pid_t self, parent;

void
setup_check_parent (void)
{
  if (self == getpid () && getppid () != parent)
    kill (0, SIGKILL);
}

/* The lifeline is also open in processes that the caller has forked and that live longer. So the
 * kernel also sends a signal when the parent ends, or one of its threads. Its handler then looks.
 */
static void
tie_to_parent (void)
{
  struct ucred caller = { 0 };
  socklen_t size = sizeof caller;

  parent = getppid ();
  if (getsockopt (SETUP_CHANNEL_FD, SOL_SOCKET, SO_PEERCRED, &caller, &size) != 0 || parent == 0
      || caller.pid != parent)
    return;
  self = getpid ();
  if (!descendants_end_with (parent, CRASH_STACKS_SIGNAL))
    setup_end ();
}

void
setup_zygote_ends_at_once (gboolean at_once)
{
  if (at_once)
    tie_to_lifeline (-getpgrp (), SIGKILL);
  else
    tie_to_lifeline (getpid (), SIGCONT);
}

/* A zygote ends in order, with its children first: when it is stopped, it has to go on for that. */
/* A collector of sysprof would write to this descriptor of the program, which is another here. */
static void
leave_profiler (void)
{
  unsetenv ("SYSPROF_CONTROL_FD");
}

/* All of the group is ended with this process, and that must not be the caller's. */
static void
begin_session (void)
{
  if (setsid () < 0 && getpgrp () != getpid ())
    leave_process (1);
}

void
setup_process (gboolean close, gboolean is_zygote)
{
  leave_profiler ();
  begin_session ();
  reset_signals ();
  if (close)
    fds_close_from (SETUP_REPORT_FD + 1);
  fds_fill_standard ();
  fcntl (SETUP_CHANNEL_FD, F_SETFD, FD_CLOEXEC);
  fcntl (SETUP_LIFELINE_FD, F_SETFD, FD_CLOEXEC);
  fcntl (SETUP_REPORT_FD, F_SETFD, FD_CLOEXEC);
  descendants_adopt ();
  if (is_zygote)
    setup_zygote_ends_at_once (FALSE);
  else
    {
      tie_to_lifeline (-getpgrp (), SIGKILL);
      tie_to_parent ();
    }
}

/* A process without its descriptors is useless. */
static void
put (int fd, int where, int flags)
{
  while (dup3 (fd, where, flags) < 0)
    if (errno != EINTR && errno != EBUSY)
      leave_process (1);
}

/* The zygote may be stopped, so that it does not end with the caller: each child has a file
 * description of its own, whose owner it is. */
static void
open_own_lifeline (void)
{
  static const char path[] = "/proc/self/fd/" G_STRINGIFY (SETUP_LIFELINE_FD);
  auto_fd int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  if (fd < 0)
    return;
  put (fd, SETUP_LIFELINE_FD, O_CLOEXEC);
  tie_to_lifeline (-getpgrp (), SIGKILL);
}

void
setup_forked_process (pid_t zygote, int channel_fd, int report_fd, int stdout_fd, int stderr_fd)
{
  sigset_t none;

  if (!descendants_end_with (zygote, SIGKILL))
    leave_process (0);
  begin_session ();
  put (channel_fd, SETUP_CHANNEL_FD, O_CLOEXEC);
  put (report_fd, SETUP_REPORT_FD, O_CLOEXEC);
  put (stdout_fd, STDOUT_FILENO, 0);
  put (stderr_fd, STDERR_FILENO, 0);
  open_own_lifeline ();
  descendants_adopt ();
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

/* Before GLib works. The status is that of a shell for a command that cannot be executed. */
static void end_with_message (const char *message) G_GNUC_NORETURN;

static void
end_with_message (const char *message)
{
  if (write (STDERR_FILENO, message, strlen (message)) < 0)
    _exit (126);
  _exit (126);
}

void
setup_end_without_descriptors (void)
{
  end_with_message ("procfun: this process was started for a call, but its descriptors are closed: "
                    "the launcher must leave them open\n");
}

void
setup_end_without_command_line (void)
{
  end_with_message ("procfun: this process may have been started for a call, but cannot read its "
                    "command line\n");
}

void
setup_end (void)
{
  descendants_kill ();
  leave_process (0);
}
