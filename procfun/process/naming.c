/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/naming.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/platform/memfd.h"
#include "procfun/platform/process.h"
#include "procfun/platform/spawn.h"
#include "procfun/platform/worker-path.h"
#include "procfun/wire/names.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* A process that has not run in such a time was stopped, or waits for a file that does not come. A
 * busy machine lets it run, and its CPU time is bounded by the process itself. */
#define STEP_US (250 * G_TIME_SPAN_MILLISECOND)
#define MAX_US (2 * G_TIME_SPAN_SECOND)

/* A process that was killed is gone within moments, in which a main loop need not wait for it. */
#define END_US G_TIME_SPAN_SECOND
#define END_STEP_MS 1
#define END_TRIES 500

#define READ_SIZE 16384

struct _Naming
{
  GBytes *request;
  Process *process;   /* (nullable) */
  int fd;             /* of the answer */
  GByteArray *answer; /* (nullable): it was not started */
  gint64 cpu_time;    /* of the process when it was looked at last */
  gint64 look_at;     /* the next time */
  gint64 end_at;
};

Naming *
naming_new (GBytes *request)
{
  Naming *self = g_new0 (Naming, 1);

  self->request = g_bytes_ref (request);
  self->fd = -1;
  return self;
}

/* The program itself may have reaped it. */
static void
end_process (Process *process)
{
  struct pollfd poll_fd = { .fd = process_get_pidfd (process), .events = POLLIN };

  if (!process_is_own (process))
    return;
  process_signal_alone (process, SIGKILL);
  for (guint i = 0; i < END_TRIES && !process_has_died (process); i++)
    poll (&poll_fd, 1, END_STEP_MS);
  while (waitpid (process_get_pid (process), NULL, WNOHANG) < 0 && errno == EINTR)
    ;
}

void
naming_free (Naming *self)
{
  if (self->process != NULL)
    end_process (self->process);
  g_clear_pointer (&self->process, process_free);
  fd_clear (&self->fd);
  g_clear_pointer (&self->answer, g_byte_array_unref);
  g_bytes_unref (self->request);
  g_free (self);
}

static int
open_request (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  const struct iovec part = { .iov_base = (gpointer)data, .iov_len = size };

  return memfd_new_sealed ("procfun-names", &part, 1);
}

gboolean
naming_start (Naming *self)
{
  const char *const argv[] = { worker_path_get (), NAMES_ARGUMENT, NULL };
  auto_fd int request = open_request (self->request);
  auto_fd int nothing = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  auto_fd int answer = -1;
  int fds[2];
  pid_t pid;

  self->answer = g_byte_array_new ();
  if (request < 0 || nothing < 0 || !fds_move_up (&nothing) || !fds_open_pipe (fds, NULL))
    return FALSE;
  self->fd = fds[0];
  answer = fds[1];
  if (!spawn_command (argv, (const int[]){ request, answer, nothing }, &pid, NULL))
    return FALSE;
  self->process = process_new (pid, NULL, NULL, NULL);
  self->look_at = g_get_monotonic_time () + STEP_US;
  self->end_at = g_get_monotonic_time () + MAX_US;
  return TRUE;
}

int
naming_get_fd (Naming *self)
{
  return self->fd >= 0 ? self->fd : process_get_pidfd (self->process);
}

gint64
naming_get_wake_time (Naming *self)
{
  return self->fd >= 0 ? MIN (self->look_at, self->end_at) : self->look_at;
}

/* FALSE: no more comes. */
static gboolean
receive (Naming *self)
{
  guint8 buffer[READ_SIZE];
  gssize n;

  while (self->answer->len < NAMES_ANSWER_MAX)
    {
      n = read (self->fd, buffer, sizeof buffer);
      if (n > 0)
        g_byte_array_append (self->answer, buffer, (guint)n);
      else if (n == 0 || errno != EINTR)
        return n != 0 && errno == EAGAIN;
    }
  return FALSE;
}

/* FALSE: it does not run. */
static gboolean
look (Naming *self, gint64 now)
{
  const gint64 before = self->cpu_time;

  if (now < self->look_at)
    return TRUE;
  self->cpu_time = limits_read_cpu_time (process_get_pid (self->process));
  self->look_at = now + STEP_US;
  return self->cpu_time > before;
}

/* Where the kernel has no pidfds, its end is looked for all the time. */
static void
end_answer (Naming *self, gint64 now)
{
  fd_clear (&self->fd);
  process_signal_alone (self->process, SIGKILL);
  self->end_at = now + END_US;
  self->look_at = process_get_pidfd (self->process) >= 0 ? self->end_at : 0;
}

gboolean
naming_advance (Naming *self)
{
  const gint64 now = g_get_monotonic_time ();

  if (self->fd >= 0 && (!receive (self) || now >= self->end_at || !look (self, now)))
    end_answer (self, now);
  return self->fd < 0 && (process_has_died (self->process) || now >= self->end_at);
}

GBytes *
naming_get_answer (Naming *self)
{
  return self->answer != NULL ? g_bytes_new (self->answer->data, self->answer->len) : NULL;
}

GBytes *
naming_get_request (Naming *self)
{
  return self->request;
}

pid_t
naming_get_pid (Naming *self)
{
  return process_get_pid (self->process);
}

GBytes *
naming_run (GBytes *request)
{
  g_autoptr (Naming) self = naming_new (request);

  if (!naming_start (self))
    return naming_get_answer (self);
  while (!naming_advance (self))
    {
      GPollFD poll_fd = { .fd = naming_get_fd (self), .events = G_IO_IN };
      const gint64 left = naming_get_wake_time (self) - g_get_monotonic_time ();

      fds_poll (&poll_fd, 1, (int)(CLAMP (left, 0, END_US) / 1000) + 1);
    }
  return naming_get_answer (self);
}
