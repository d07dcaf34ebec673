/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/setup.h"

#include "procfun/platform/descendants.h"
#include "procfun/platform/fds.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Nobody but the caller leaves an unnamed, connected socket and a pipe just there: names on a
 * command line alone make no child. */
gboolean
setup_has_descriptors (void)
{
  struct stat st;
  struct sockaddr_un address;
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

/* The other end of the lifeline is open as long as the caller's process lives, and nothing is ever
 * written. So the only event is its end, upon which the kernel kills the group, even in a busy
 * loop. */
static void
tie_to_lifeline (void)
{
  struct pollfd poll_fd = { .fd = SETUP_LIFELINE_FD };

  fcntl (SETUP_LIFELINE_FD, F_SETOWN, -getpgrp ());
  fcntl (SETUP_LIFELINE_FD, F_SETSIG, SIGKILL);
  fcntl (SETUP_LIFELINE_FD, F_SETFL, O_ASYNC | O_NONBLOCK);
  if (poll (&poll_fd, 1, 0) > 0) /* it ended before it was tied */
    setup_end ();
}

void
setup_process (gboolean close, gboolean is_zygote)
{
  setsid ();
  reset_signals ();
  if (close)
    fds_close_from (SETUP_REPORT_FD + 1);
  fds_fill_standard ();
  fcntl (SETUP_CHANNEL_FD, F_SETFD, FD_CLOEXEC);
  fcntl (SETUP_LIFELINE_FD, F_SETFD, FD_CLOEXEC);
  fcntl (SETUP_REPORT_FD, F_SETFD, FD_CLOEXEC);
  descendants_adopt ();
  if (!is_zygote)
    tie_to_lifeline ();
}

void
setup_forked_process (pid_t parent, int channel_fd, int report_fd, int stdout_fd, int stderr_fd)
{
  sigset_t none;

  if (!descendants_end_with (parent))
    _exit (0);
  setsid ();
  dup3 (channel_fd, SETUP_CHANNEL_FD, O_CLOEXEC);
  dup3 (report_fd, SETUP_REPORT_FD, O_CLOEXEC);
  dup2 (stdout_fd, STDOUT_FILENO);
  dup2 (stderr_fd, STDERR_FILENO);
  descendants_adopt ();
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

void
setup_end (void)
{
  descendants_kill ();
  _exit (0);
}
