/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lower limits of the machine: each contender does only what a call cannot do without, as plainly
 * as it can be written, in a small process with one thread that has GLib and GIO mapped. */

#include "bench/contender.h"
#include "bench/message.h"
#include "bench/pipeline.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The mark: one request, one answer. */

static int channel;

static void
serve_one_by_one (int fd)
{
  Message message;

  while (read (fd, &message, sizeof message) == sizeof message)
    {
      message = message_answer (&message);
      if (write (fd, &message, sizeof message) != sizeof message)
        return;
    }
}

static void
set_up_mark (void)
{
  channel = contender_fork_server (serve_one_by_one);
}

static void
call_mark (void)
{
  Message message = message_ask ();

  if (write (channel, &message, sizeof message) != sizeof message
      || read (channel, &message, sizeof message) != sizeof message)
    g_error ("the other process is gone");
  message_check (&message);
}

/* The same, pipelined: all that is there is read at once, and what is to be said written at once.
 */

typedef struct
{
  int fd;
  guint to_send;
  guint in_flight;
} Worker;

static Worker workers[PIPELINE_WORKERS];

/* No message is cut: there are never more under way than fit in. */
static guint
read_messages (int fd, Message messages[PIPELINE_IN_FLIGHT])
{
  gssize size = read (fd, messages, PIPELINE_IN_FLIGHT * sizeof *messages);

  return size > 0 ? (guint)((gsize)size / sizeof *messages) : 0;
}

static void
write_messages (int fd, const Message messages[PIPELINE_IN_FLIGHT], guint n)
{
  if (write (fd, messages, n * sizeof *messages) != (gssize)(n * sizeof *messages))
    g_error ("the other process is gone");
}

static void
serve_pipelined (int fd)
{
  Message messages[PIPELINE_IN_FLIGHT];
  guint n;

  while ((n = read_messages (fd, messages)) > 0)
    {
      for (guint i = 0; i < n; i++)
        messages[i] = message_answer (&messages[i]);
      write_messages (fd, messages, n);
    }
}

static void
set_up_pipelined (void)
{
  for (guint i = 0; i < PIPELINE_WORKERS; i++)
    workers[i].fd = contender_fork_server (serve_pipelined);
}

static void
worker_send (Worker *self)
{
  Message messages[PIPELINE_IN_FLIGHT];
  guint n = MIN (self->to_send, PIPELINE_IN_FLIGHT - self->in_flight);

  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    messages[i] = message_ask ();
  write_messages (self->fd, messages, n);
  self->to_send -= n;
  self->in_flight += n;
}

static void
worker_receive (Worker *self)
{
  Message messages[PIPELINE_IN_FLIGHT];
  guint n = read_messages (self->fd, messages);

  if (n == 0)
    g_error ("the other process is gone");
  for (guint i = 0; i < n; i++)
    message_check (&messages[i]);
  self->in_flight -= n;
}

static double
run_pipelined (guint n)
{
  double start = contender_get_ns ();
  struct pollfd polled[PIPELINE_WORKERS];
  guint in_flight;

  for (guint i = 0; i < PIPELINE_WORKERS; i++)
    workers[i].to_send = (n + i) / PIPELINE_WORKERS;
  do
    {
      in_flight = 0;
      for (guint i = 0; i < PIPELINE_WORKERS; i++)
        {
          worker_send (&workers[i]);
          in_flight += workers[i].in_flight;
          polled[i] = (struct pollfd){ workers[i].fd, POLLIN, 0 };
        }
      if (in_flight > 0)
        poll (polled, PIPELINE_WORKERS, -1);
      for (guint i = 0; in_flight > 0 && i < PIPELINE_WORKERS; i++)
        if (polled[i].revents != 0)
          worker_receive (&workers[i]);
    }
  while (in_flight > 0);
  return (contender_get_ns () - start) / n;
}

/* A process forked for each call. */

static void
call_fork (void)
{
  Message message = 0;
  int fds[2];
  pid_t pid;

  if (pipe2 (fds, O_CLOEXEC) != 0 || (pid = fork ()) < 0)
    g_error ("there is no second process");
  if (pid == 0)
    _exit (write (fds[1], &message, sizeof message) != sizeof message);
  close (fds[1]);
  if (read (fds[0], &message, sizeof message) != sizeof message || waitpid (pid, NULL, 0) != pid)
    g_error ("the child did not answer");
  close (fds[0]);
}

/* A process for each call, forked before it, that has already run what it is to run. */

static pid_t spare;

static void
fork_spare (void)
{
  Message message;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 || (spare = fork ()) < 0)
    g_error ("there is no second process");
  if (spare == 0)
    {
      close (fds[0]);
      message = message_ask ();
      message_answer (&message);
      serve_one_by_one (fds[1]);
      _exit (0);
    }
  close (fds[1]);
  channel = fds[0];
}

/* It is reaped, and the next one forked, when the answer has been taken. */
static double
sample_spare (void)
{
  double start = contender_get_ns ();
  double taken;

  call_mark ();
  kill (spare, SIGKILL);
  close (channel);
  taken = contender_get_ns () - start;
  waitpid (spare, NULL, 0);
  fork_spare ();
  return taken;
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "mark", .set_up = set_up_mark, .call = call_mark },
          { "mark-paused", .set_up = set_up_mark, .call = call_mark, .pause_us = 1000 },
          { "mark-pipelined", .set_up = set_up_pipelined, .batch = run_pipelined },
          { "fork", .call = call_fork },
          { "spare-paused", .set_up = fork_spare, .sample = sample_spare, .pause_us = 1000 } };

  g_type_ensure (G_TYPE_SOCKET); /* so that the linker leaves GIO in */
  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
