/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/zygote.h"

#include "procfun/base/intl.h"
#include "procfun/child/crash.h"
#include "procfun/child/setup.h"
#include "procfun/child/warm-up.h"
#include "procfun/platform/descendants.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/forks.h"
#include "procfun/platform/schedule.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/error-frame.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER G_MAXINT64

/* A process that was forked for a call which waits is not to leave before the call comes, however
 * busy the machine is. */
#define FIRST_IDLE_MS 2000

/* Between calls that follow each other without a pause. */
#define LOOK_MS 2
#define LOOK_MAX_US 50000

typedef struct
{
  Server *server;
  Channel *channel;
  int death_fd;         /* readable when a child has died */
  int caller_fd;        /* readable when the caller has died; -1: not known */
  GHashTable *children; /* (element-type gint): their numbers */
  int idle;             /* time without children before it ends, in ms; -1: any time */
  gboolean stays;       /* it was prepared at some price, and ends with its caller alone */
  gint64 left_since;    /* when a child died that may have left something behind, or NEVER */
} ZygoteServer;

/* The two ends of each connection between a child and the caller. */
typedef struct
{
  int caller[FRAME_CHILD_N_FDS];
  int child[FRAME_CHILD_N_FDS];
} Ends;

static void
clear_fds (int fds[FRAME_CHILD_N_FDS])
{
  for (int i = 0; i < FRAME_CHILD_N_FDS; i++)
    fd_clear (&fds[i]);
}

static gboolean
open_ends (Ends *self, GError **error)
{
  for (int i = 0; i < FRAME_CHILD_N_FDS; i++)
    self->caller[i] = self->child[i] = -1;
  for (int i = FRAME_CHILD_CHANNEL; i < FRAME_CHILD_N_FDS; i++)
    {
      int fds[2];

      if (!(i == FRAME_CHILD_CHANNEL ? fds_open_socketpair (fds, error)
                                     : fds_open_pipe (fds, error)))
        {
          clear_fds (self->caller);
          clear_fds (self->child);
          return FALSE;
        }
      self->caller[i] = fds[0];
      self->child[i] = fds[1];
    }
  return TRUE;
}

/* Files that the program has opened before stay open, as in a process that was executed;
 * descriptors of the zygote are closed. */
static void
be_child (ZygoteServer *self, Ends *ends, pid_t parent, const FrameFork *what)
{
  const int idle = what->idle > 0 ? (int)what->idle : -1;
  const int first_idle = idle > 0 && !what->is_ahead ? MAX (idle, FIRST_IDLE_MS) : idle;

  if (!channel_out_is_empty (&self->channel->out))
    channel_free (self->channel); /* and descriptors of others that wait in it */
  fd_clear (&self->death_fd);
  fd_clear (&self->caller_fd);
  clear_fds (ends->caller);
  setup_forked_process (parent, ends->child[FRAME_CHILD_CHANNEL], ends->child[FRAME_CHILD_REPORT],
                        ends->child[FRAME_CHILD_STDOUT], ends->child[FRAME_CHILD_STDERR]);
  clear_fds (ends->child);
  crash_install (SETUP_REPORT_FD);
  warm_up_unless_called (self->server);
  schedule_go_to (what->cpu);
  schedule_give_way (FALSE);
  server_run (self->server, first_idle, idle);
}

static void
send_error (ZygoteServer *self, GError *error)
{
  g_autoptr (GBytes) bytes = error_to_bytes (error);

  channel_send (self->channel, FRAME_ERROR, 0, NULL, 0, bytes, NULL);
  g_error_free (error);
}

static void
send_child (ZygoteServer *self, pid_t pid, Ends *ends)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array (ends->caller, FRAME_CHILD_N_FDS);
  const gint32 number = pid;

  channel_send (self->channel, FRAME_CHILD, 0, &number, sizeof number, NULL, fds);
  channel_out_flush (&self->channel->out);
}

static void
fork_one (ZygoteServer *self, const FrameFork *what)
{
  pid_t parent = getpid ();
  GError *error = NULL;
  Ends ends;
  pid_t pid;

  if (!forks_are_safe (&error) || !open_ends (&ends, &error))
    {
      send_error (self, error);
      return;
    }
  pid = fork ();
  if (pid == 0)
    be_child (self, &ends, parent, what);
  if (pid > 0)
    ends.caller[FRAME_CHILD_PIDFD] = forks_open_pidfd (pid);
  if (pid < 0 || ends.caller[FRAME_CHILD_PIDFD] < 0)
    {
      int error_number = errno;

      if (pid > 0)
        kill (pid, SIGKILL);
      clear_fds (ends.caller);
      clear_fds (ends.child);
      send_error (self,
                  g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                               _ ("no process can be forked: %s"), g_strerror (error_number)));
      return;
    }
  g_hash_table_add (self->children, GINT_TO_POINTER (pid));
  send_child (self, pid, &ends); /* which closes the caller's ends here */
  clear_fds (ends.child);
}

static void
handle_fork (ZygoteServer *self, const Frame *frame)
{
  FrameFork what = { 0 };

  if (g_bytes_get_size (frame->payload) == sizeof what)
    memcpy (&what, g_bytes_get_data (frame->payload, NULL), sizeof what);
  self->idle = what.idle > 0 && !self->stays ? (int)what.idle : -1;
  schedule_give_way (what.is_ahead);
  for (guint32 i = 0; i < what.n; i++)
    fork_one (self, &what);
}

/* FALSE: it cannot be reaped, and would be found for ever. */
static gboolean
reap (pid_t pid, int *wait_status)
{
  pid_t reaped;

  do
    reaped = waitpid (pid, wait_status, __WALL);
  while (reaped < 0 && errno == EINTR);
  return reaped == pid;
}

/* A function may have itself traced by this process: then waitid() tells of each stop, too, and of
 * the same one until it is taken. */
static gboolean
take_stop (const siginfo_t *info)
{
  siginfo_t stop;

  return info->si_code != CLD_EXITED && info->si_code != CLD_KILLED && info->si_code != CLD_DUMPED
         && waitid (P_PID, (id_t)info->si_pid, &stop, WSTOPPED | WNOHANG | __WALL) == 0;
}

static gboolean
handle_death (ZygoteServer *self, const siginfo_t *info)
{
  FrameExited exited = { .pid = info->si_pid };
  gboolean is_ours = g_hash_table_remove (self->children, GINT_TO_POINTER (info->si_pid));

  if (is_ours)
    kill (-info->si_pid, SIGKILL); /* nobody else has the number until it is reaped */
  if (!reap (info->si_pid, &exited.wait_status))
    return FALSE;
  if (!is_ours)
    return TRUE;
  self->left_since = MIN (self->left_since, g_get_monotonic_time ());
  channel_send (self->channel, FRAME_EXITED, 0, &exited, sizeof exited, NULL, NULL);
  channel_out_flush (&self->channel->out);
  return TRUE;
}

static void
handle_deaths (ZygoteServer *self)
{
  siginfo_t info = { 0 };

  forks_clear_death_fd (self->death_fd);
  while (waitid (P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 && info.si_pid != 0
         && (take_stop (&info) || handle_death (self, &info)))
    info.si_pid = 0;
}

/* A process that a dead child left behind has become a child of this one, and so cannot hide. These
 * are looked for when there is nothing else to do, or @now after a long wait. */
static void
look_for_leftovers (ZygoteServer *self, gboolean idle)
{
  if (self->left_since == NEVER
      || (!idle && g_get_monotonic_time () - self->left_since < LOOK_MAX_US))
    return;
  self->left_since = NEVER;
  descendants_kill_others (self->children);
}

/* Everything below this process ends with it. */
static void
end (void)
{
  setup_end ();
}

static void
refuse (ZygoteServer *self, GError *error)
{
  send_error (self, error);
  channel_flush_blocking (self->channel);
  end ();
}

/* They could not be told from processes that calls leave behind. */
static gboolean
check_children (GError **error)
{
  if (!descendants_exist ())
    return TRUE;
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                       _ ("no process can be forked from one that has started others"));
  return FALSE;
}

/* The function may do what it likes but leave what a fork would share. */
static void
handle_preload (ZygoteServer *self, const Frame *frame)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  setup_zygote_ends_at_once (TRUE);
  forks_watch_deaths (FALSE);
  ok = server_run_preload (self->server, self->channel, frame, &error);
  forks_watch_deaths (TRUE);
  setup_zygote_ends_at_once (FALSE);
  fflush (NULL);
  self->stays = TRUE;
  if (!ok || !forks_become_safe (&error) || !check_children (&error)
      || !forks_check_descriptors (self->death_fd, &error))
    refuse (self, server_make_initial_error (self->server, error));
  server_say_hello (self->server, self->channel);
}

static void
handle_frames (ZygoteServer *self)
{
  for (;;)
    {
      g_auto (Frame) frame = { 0 };
      ChannelStatus status = channel_receive (self->channel, &frame, NULL);

      if (status == CHANNEL_AGAIN)
        return;
      if (status != CHANNEL_FRAME)
        end ();
      if (frame.type == FRAME_SETUP && !server_handle_setup (self->server, self->channel, &frame))
        end ();
      else if (frame.type == FRAME_SETUP)
        {
          server_say_hello (self->server, self->channel);
          warm_up (self->server);
        }
      else if (frame.type == FRAME_CALL)
        handle_preload (self, &frame);
      else if (frame.type == FRAME_FORK)
        handle_fork (self, &frame);
    }
}

static int
get_timeout (ZygoteServer *self)
{
  if (self->left_since < NEVER)
    return LOOK_MS;
  return g_hash_table_size (self->children) == 0 ? self->idle : -1;
}

void
zygote_serve (Server *server)
{
  ZygoteServer *self = g_new0 (ZygoteServer, 1);
  GError *error = NULL;

  self->server = server;
  self->channel = channel_new (SETUP_CHANNEL_FD, G_MAXSIZE / 4);
  self->children = g_hash_table_new (NULL, NULL);
  self->left_since = NEVER;
  self->idle = -1;
  self->caller_fd = forks_open_peer (SETUP_CHANNEL_FD);
  if (!forks_check_descriptors (-1, &error) || !forks_are_safe (&error) || !check_children (&error)
      || !forks_check_pidfd (&error) || !forks_open_death_fd (&self->death_fd, &error))
    refuse (self, error);
  fflush (NULL); /* or each child would write it again */
  server_prepare_to_fork (server);
  for (;;)
    {
      struct pollfd fds[]
          = { { .fd = SETUP_CHANNEL_FD,
                .events = POLLIN | (!channel_out_is_empty (&self->channel->out) ? POLLOUT : 0) },
              { .fd = self->death_fd, .events = POLLIN },
              { .fd = self->caller_fd, .events = POLLIN } };
      int n = poll (fds, G_N_ELEMENTS (fds), get_timeout (self));

      if (n < 0 && errno != EINTR) /* it cannot wait, so it looks */
        {
          g_usleep (LOOK_MS * G_TIME_SPAN_MILLISECOND);
          fds[0].revents = fds[1].revents = POLLIN;
          fds[2].revents = 0;
          n = 1;
        }
      if (n == 0
          && self->left_since == NEVER) /* a caller that asks just now has a process executed */
        end ();
      look_for_leftovers (self, n == 0);
      if (n < 0)
        continue;
      if (fds[2].revents != 0) /* the channel may be open in a process that it has forked */
        end ();
      if (fds[1].revents != 0)
        handle_deaths (self);
      channel_out_flush (&self->channel->out);
      if ((fds[0].revents & ~POLLOUT) != 0)
        handle_frames (self);
    }
}
