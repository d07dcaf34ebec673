/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread Fault *current;

void
faults_set (Fault *faults)
{
  current = faults;
}

/* An errno, or 0. */
static int
find_fault (const char *call)
{
  for (Fault *fault = current; fault != NULL && fault->call != NULL; fault++)
    if (strcmp (fault->call, call) == 0)
      {
        fault->n_seen++;
        if (fault->n_seen == fault->first && fault->meanwhile != NULL)
          fault->meanwhile ();
        if (fault->n_seen == fault->first || (fault->onward && fault->n_seen > fault->first))
          return fault->error;
      }
  return 0;
}

static gboolean
fails (const char *call)
{
  int error = find_fault (call);

  if (error != 0)
    errno = error;
  return error != 0;
}

/* The C library's own, or that of a sanitizer. */
#define REAL(name) ((__typeof__ (&name))find_real (#name))

static gpointer
find_real (const char *name)
{
  return dlsym (RTLD_NEXT, name);
}

int
socketpair (int domain, int type, int protocol, int fds[2])
{
  return fails ("socketpair") ? -1 : REAL (socketpair) (domain, type, protocol, fds);
}

int
close_range (unsigned first, unsigned last, int flags)
{
  return fails ("close_range") ? -1 : REAL (close_range) (first, last, flags);
}

int
pipe2 (int fds[2], int flags)
{
  return fails ("pipe2") ? -1 : REAL (pipe2) (fds, flags);
}

int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  return fails ("poll") ? -1 : REAL (poll) (fds, n, timeout);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  return fails ("sendmsg") ? -1 : REAL (sendmsg) (fd, message, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  return fails ("recvmsg") ? -1 : REAL (recvmsg) (fd, message, flags);
}

pid_t
fork (void)
{
  return fails ("fork") ? -1 : REAL (fork) ();
}

int
signalfd (int fd, const sigset_t *mask, int flags)
{
  return fails ("signalfd") ? -1 : REAL (signalfd) (fd, mask, flags);
}

int
waitid (idtype_t type, id_t id, siginfo_t *info, int options)
{
  return fails ("waitid") ? -1 : REAL (waitid) (type, id, info, options);
}

/* These return the errno. */

int
posix_spawn (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
  int error = find_fault ("posix_spawn");

  return error != 0 ? error : REAL (posix_spawn) (pid, path, actions, attributes, argv, envp);
}

int
posix_spawnp (pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
              const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
  int error = find_fault ("posix_spawn");

  return error != 0 ? error : REAL (posix_spawnp) (pid, path, actions, attributes, argv, envp);
}

/* Those of a number of arguments that nobody knows: they have as much room as the most of them
 * need. */

int
ioctl (int fd, unsigned long request, ...)
{
  va_list arguments;
  gpointer argument;

  va_start (arguments, request);
  argument = va_arg (arguments, gpointer);
  va_end (arguments);
  return fails ("ioctl") ? -1 : REAL (ioctl) (fd, request, argument);
}

int
open (const char *path, int flags, ...)
{
  va_list arguments;
  int mode;

  va_start (arguments, flags);
  mode = va_arg (arguments, int);
  va_end (arguments);
  return fails ("open") ? -1 : REAL (open) (path, flags, mode);
}

static const char *
name_system_call (long number, unsigned long fourth)
{
  if (number == SYS_pidfd_open)
    return "pidfd_open";
  return number == SYS_pidfd_send_signal && fourth != 0 ? "pidfd_send_signal" : "another";
}

/* It reads six arguments, also where fewer were given. */
__attribute__ ((no_sanitize ("address"))) long
syscall (long number, ...)
{
  va_list arguments;
  unsigned long a[6];

  va_start (arguments, number);
  for (gsize i = 0; i < G_N_ELEMENTS (a); i++)
    a[i] = va_arg (arguments, unsigned long);
  va_end (arguments);
  if (fails (name_system_call (number, a[3])))
    return -1;
  return REAL (syscall) (number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
