/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/process.h"

#include "procfun/platform/family.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* From linux/pidfd.h of Linux 6.15, which Debian 12's headers do not have yet. The kernel fills in
 * what it knows up to the size in the request's number. */
typedef struct
{
  guint64 mask;
  guint64 cgroup_id;
  guint32 ids[11];
  gint32 exit_code;
} PidfdInfo;
#define PIDFD_INFO_EXIT_MASK (1UL << 3)
#define PIDFD_GET_INFO_REQUEST _IOWR (0xFF, 11, PidfdInfo)

/* linux/pidfd.h of Linux 6.9 */
#define PIDFD_SIGNAL_GROUP (1UL << 2)

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* How long the status of a process that was just reaped is waited for. */
#define KEPT_STATUS_TRIES 50
#define KEPT_STATUS_STEP_US 100

/* Descendants that are held by a descriptor each, of which a program may not have many. */
#define NOTED_MAX 64

struct _Process
{
  pid_t pid;
  int pidfd;
  guint owner; /* the one of the program's processes that started it: see platform/inherited-state.h
                */
  gboolean gone; /* it had died before it could be held */
  ProcessStatusFunc status;
  gpointer user_data;
  GDestroyNotify destroy;
  GArray *noted; /* (nullable) (element-type int): pidfds of descendants */
};

Process *
process_new (pid_t pid, ProcessStatusFunc status, gpointer user_data, GDestroyNotify destroy)
{
  Process *self = g_new0 (Process, 1);

  self->pid = pid;
  self->owner = inherited_state_get_process ();
  self->pidfd = pid > 0 ? (int)syscall (SYS_pidfd_open, pid, 0) : -1;
  self->gone = pid <= 0 || (self->pidfd < 0 && errno == ESRCH);
  if (self->pidfd >= 0 && !fds_move_up (&self->pidfd))
    fd_clear (&self->pidfd);
  self->status = status;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

Process *
process_new_for_pidfd (pid_t pid, int pidfd, ProcessStatusFunc status, gpointer user_data,
                       GDestroyNotify destroy)
{
  Process *self = g_new0 (Process, 1);

  self->pid = pid;
  self->owner = inherited_state_get_process ();
  self->pidfd = pidfd;
  self->status = status;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

void
process_free (Process *self)
{
  fd_clear (&self->pidfd);
  g_clear_pointer (&self->noted, g_array_unref);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self);
}

pid_t
process_get_pid (Process *self)
{
  return self->pid;
}

int
process_get_pidfd (Process *self)
{
  return self->pidfd;
}

gboolean
process_is_own (Process *self)
{
  return self->owner == inherited_state_get_process ();
}

/* proc(5), /proc/pid/fdinfo: the number that the process has here; 0 where it has none, -1 once it
 * was reaped. */
pid_t
process_find_number (int pidfd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fdinfo/%d", pidfd);
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  line = strstr (text, "\nPid:\t");
  return line != NULL ? (pid_t)strtol (line + strlen ("\nPid:\t"), NULL, 10) : 0;
}

/* FALSE: it was reaped. Else @info says whether, and how, it ended. */
static gboolean
peek (Process *self, siginfo_t *info)
{
  idtype_t type = self->pidfd >= 0 ? (idtype_t)P_PIDFD : P_PID;
  int id = self->pidfd >= 0 ? self->pidfd : self->pid;

  info->si_pid = 0;
  if (waitid (type, (id_t)id, info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return FALSE;
  if (info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED)
    info->si_pid = 0; /* it has itself traced */
  return TRUE;
}

/* Where the kernel has no means to wait. A child of another process counts as dead when that has
 * reaped it. */
static gboolean
is_dead_or_reaped (Process *self)
{
  siginfo_t info;

  if (peek (self, &info))
    return info.si_pid != 0;
  return syscall (SYS_pidfd_send_signal, self->pidfd, 0, NULL, 0) != 0 && errno == ESRCH;
}

/* Without pidfds the number is this process's until it is reaped. */
gboolean
process_has_died (Process *self)
{
  struct pollfd poll_fd = { .fd = self->pidfd, .events = POLLIN };
  siginfo_t info;
  int n;

  if (self->gone)
    return TRUE;
  if (self->pidfd >= 0)
    {
      n = poll (&poll_fd, 1, 0);
      return n < 0 ? is_dead_or_reaped (self) : n > 0;
    }
  return !peek (self, &info) || info.si_pid != 0;
}

/* proc(5), /proc/pid/status */
gboolean
process_is_examined (Process *self)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", (int)self->pid);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL) || process_has_died (self))
    return FALSE;
  return strstr (text, "\nCoreDumping:\t1\n") != NULL
         || (strstr (text, "\nTracerPid:\t") != NULL && strstr (text, "\nTracerPid:\t0\n") == NULL);
}

/* Reaping takes some microseconds, in which it is neither there nor gone. */
#define REAP_TRIES 100

/* The number of a group is not given to others as long as the group lives. So a group with a number
 * that no process has is the one whose leader has died. The number of a child of another process is
 * only known to be its own as long as the child lives. */
static gboolean
owns_group_number (Process *self)
{
  siginfo_t info;

  if (!process_has_died (self) || peek (self, &info))
    return TRUE;
  for (int i = 0; i < REAP_TRIES; i++)
    {
      if (kill (self->pid, 0) != 0 && errno == ESRCH)
        return TRUE;
      sched_yield ();
    }
  return FALSE;
}

void
process_signal_alone (Process *self, int signum)
{
  if (!process_is_own (self))
    return;
  if (self->pidfd >= 0
      && (syscall (SYS_pidfd_send_signal, self->pidfd, signum, NULL, 0) == 0 || errno == ESRCH))
    return;
  if (!process_has_died (self)) /* valgrind 3.19 does not know the call, only the descriptor */
    kill (self->pid, signum);
}

gboolean
process_may_be_signalled (Process *self)
{
  return self->pidfd < 0 || syscall (SYS_pidfd_send_signal, self->pidfd, 0, NULL, 0) == 0
         || errno != EPERM;
}

/* Before Linux 6.9 a pidfd cannot address the group. */
void
process_signal (Process *self, int signum)
{
  if (self->pid <= 0 || !process_is_own (self))
    return;
  if (self->pidfd >= 0
      && syscall (SYS_pidfd_send_signal, self->pidfd, signum, NULL, PIDFD_SIGNAL_GROUP) == 0)
    return;
  if (owns_group_number (self) && kill (-self->pid, signum) == 0)
    return;
  process_signal_alone (self, signum); /* it leads no group yet */
}

static int
status_from_siginfo (const siginfo_t *info)
{
  return info->si_code == CLD_EXITED ? (info->si_status & 0xff) << 8 : info->si_status & 0x7f;
}

/* From Linux 6.15 on the kernel tells the status even of a process that was reaped. */
static gboolean
read_kept_status (Process *self, int *wait_status)
{
  PidfdInfo info = { .mask = PIDFD_INFO_EXIT_MASK };

  errno = 0;
  if (self->pidfd < 0 || ioctl (self->pidfd, PIDFD_GET_INFO_REQUEST, &info) != 0
      || (info.mask & PIDFD_INFO_EXIT_MASK) == 0)
    return FALSE;
  *wait_status = info.exit_code;
  return TRUE;
}

/* proc(5): the last field of /proc/PID/stat, which is 0 for those who may not see it, too. The
 * number is nobody else's as long as the process can be signalled, even though it is dead. */
#define STAT_EXIT_CODE 52

/* The party that reaps it may be slow. FALSE: it was reaped, or may have succeeded. */
static gboolean
read_zombie_status (Process *self, int *wait_status)
{
  char path[64];
  char text[PROC_STAT_SIZE];

  if (self->pidfd < 0 || self->pid <= 0)
    return FALSE;
  g_snprintf (path, sizeof path, "/proc/%d/stat", (int)self->pid);
  if (!proc_read_stat (path, text) || strstr (text, ") Z ") == NULL
      || syscall (SYS_pidfd_send_signal, self->pidfd, 0, NULL, 0) != 0)
    return FALSE;
  *wait_status = (int)proc_get_field (text, STAT_EXIT_CODE);
  return *wait_status != 0;
}

/* The kernel keeps the status a moment after the process cannot be waited for any more. */
static gboolean
await_kept_status (Process *self, int *wait_status)
{
  for (guint i = 0; i < KEPT_STATUS_TRIES; i++)
    {
      if (read_kept_status (self, wait_status))
        return TRUE;
      if (self->pidfd < 0 || errno == ENOTTY || errno == EINVAL) /* before Linux 6.15, 6.13 */
        return FALSE;
      g_usleep (KEPT_STATUS_STEP_US);
    }
  return FALSE;
}

/* The kernel is right even when the program ignores SIGCHLD or reaps with waitpid (-1), which makes
 * GSubprocess report success; before Linux 6.15 the reaping party has to be asked. A process may be
 * reaped between the first two looks. */
gboolean
process_get_status (Process *self, int *wait_status)
{
  siginfo_t siginfo;

  if (read_kept_status (self, wait_status))
    return TRUE;
  if (!self->gone && peek (self, &siginfo) && siginfo.si_pid != 0)
    {
      *wait_status = status_from_siginfo (&siginfo);
      return TRUE;
    }
  if (read_zombie_status (self, wait_status) || await_kept_status (self, wait_status))
    return TRUE;
  return self->status != NULL && self->status (self->user_data, wait_status);
}

static void
clear_fd (gpointer fd)
{
  fd_clear (fd);
}

gboolean
process_note_descendants (Process *self)
{
  g_autoptr (GArray) pids = NULL;

  if (process_has_died (self))
    return TRUE;
  pids = family_list (self->pid);
  g_clear_pointer (&self->noted, g_array_unref);
  self->noted = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_set_clear_func (self->noted, clear_fd);
  for (guint i = 0; i < pids->len && self->noted->len <= NOTED_MAX; i++)
    {
      const pid_t pid = g_array_index (pids, pid_t, i);
      int fd = getpgid (pid) != self->pid ? (int)syscall (SYS_pidfd_open, pid, 0) : -1;

      if (fd >= 0)
        g_array_append_val (self->noted, fd);
    }
  return self->noted->len <= NOTED_MAX;
}

/* And what it has started since it was noted. */
static void
kill_noted (int pidfd)
{
  if (syscall (SYS_pidfd_send_signal, pidfd, SIGSTOP, NULL, 0) != 0)
    return;
  family_kill (process_find_number (pidfd));
  syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

void
process_kill_noted (Process *self)
{
  for (guint i = 0; self->noted != NULL && i < self->noted->len && process_is_own (self); i++)
    kill_noted (g_array_index (self->noted, int, i));
}

void
process_forget_noted (Process *self)
{
  g_clear_pointer (&self->noted, g_array_unref);
}

gboolean
process_stop_all (Process *self)
{
  if (!process_is_own (self) || process_has_died (self))
    return TRUE;
  process_signal (self, SIGSTOP);
  return family_stop (self->pid);
}

void
process_kill_all (Process *self)
{
  if (!process_is_own (self))
    return;
  if (!process_has_died (self))
    {
      process_signal (self, SIGSTOP);
      family_kill (self->pid);
    }
  process_signal (self, SIGKILL);
}
