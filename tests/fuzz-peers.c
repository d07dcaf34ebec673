/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The other side of a conversation: a host, a client of the monitor, a hostile process of a real
 * call, and a hostile caller of a real process. */

#include "tests/calls.h"
#include "tests/fuzz-targets.h"

#include "procfun/child/serve.h"
#include "procfun/core/failure.h"
#include "procfun/platform/fds.h"
#include "procfun/remote/message.h"
#include "procfun/statistics/monitor.h"
#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* No answer of a process takes so long. */
#define PATIENCE_MS 8000

/* As much as goes in. The other side may have closed its end. */
static void
write_all (int fd, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  while (size > 0)
    {
      gssize n = send (fd, data, size, MSG_NOSIGNAL);

      if (n < 0 && errno == ENOTSOCK)
        n = write (fd, data, size);
      if (n <= 0)
        return;
      data += n;
      size -= (gsize)n;
    }
}

static gsize
read_to_end (int fd)
{
  gsize n_read = 0;

  for (;;)
    {
      struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
      guint8 buffer[4096];
      gssize n;

      if (poll (&poll_fd, 1, PATIENCE_MS) == 0)
        g_error ("the other side does not end");
      n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return n_read;
      n_read += (gsize)MAX (n, 0);
    }
}

/* A host */

static void
read_end (const LinkMessage *message)
{
  g_autoptr (ProcfunFailure) failure = NULL;
  g_autoptr (GError) error = remote_end_unpack (message->payload, "fuzzed", &failure);

  g_assert_nonnull (error);
  if (failure != NULL)
    {
      g_autofree char *text = procfun_failure_to_string (failure);

      g_assert_true (g_utf8_validate (text, -1, NULL));
    }
}

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  g_auto (RemoteHello) hello = { 0 };
  g_autoptr (GError) error = NULL;
  RemoteEndHead head;

  fuzz_touch (g_bytes_get_data (message->payload, NULL), g_bytes_get_size (message->payload));
  g_assert_nonnull (link_type_get_name (message->type));
  g_assert_true (remote_hello_read (&hello, message->head, &error) == (error == NULL));
  if (message->type == LINK_END)
    read_end (message);
  remote_head_read (message->head, &head, sizeof head);
}

static void
on_link_end (Link *link, const GError *error, gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
}

void
fuzz_hello (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (Link) link = NULL;
  gboolean is_over = FALSE;
  int fds[2];

  if (!fds_open_socketpair (fds, NULL))
    return;
  link = link_new (fds[0], fds[0], 64 * 1024, NULL, on_message, on_link_end, &is_over);
  write_all (fds[1], bytes);
  shutdown (fds[1], SHUT_WR);
  while (!is_over)
    g_main_context_iteration (NULL, TRUE);
  link_flush (link, 0);
  close (fds[1]);
}

/* A client of the monitor */

static struct
{
  int listener;
  int ends[2];
  struct sockaddr_un address;
  socklen_t address_size;
  GThread *thread;
} monitor;

static gpointer
serve_monitor (gpointer user_data)
{
  monitor_serve (monitor.listener, monitor.ends[0]);
  return NULL;
}

/* The kernel gives the socket a name that no file has. */
static void
start_monitor (void)
{
  monitor.address.sun_family = AF_UNIX;
  monitor.address_size = sizeof monitor.address;
  monitor.listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  g_assert_cmpint (
      bind (monitor.listener, (struct sockaddr *)&monitor.address, sizeof (sa_family_t)), ==, 0);
  g_assert_cmpint (listen (monitor.listener, 8), ==, 0);
  g_assert_cmpint (
      getsockname (monitor.listener, (struct sockaddr *)&monitor.address, &monitor.address_size),
      ==, 0);
  g_assert_true (fds_open_pipe (monitor.ends, NULL));
  monitor.thread = g_thread_new ("monitor", serve_monitor, NULL);
}

void
fuzz_monitor (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  auto_fd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (monitor.thread == NULL)
    start_monitor ();
  g_assert_cmpint (connect (fd, (struct sockaddr *)&monitor.address, monitor.address_size), ==, 0);
  write_all (fd, bytes);
  shutdown (fd, SHUT_WR);
  read_to_end (fd);
}

void
fuzz_monitor_clear (void)
{
  if (monitor.thread == NULL)
    return;
  g_assert_cmpint (write (monitor.ends[1], "", 1), ==, 1);
  g_clear_pointer (&monitor.thread, g_thread_join);
  close (monitor.listener);
  close (monitor.ends[0]);
  close (monitor.ends[1]);
}

/* A process that a caller has started */

enum
{
  PLAY_IN_REPORT = 1 << 0, /* in place of the channel */
  PLAY_CLOSES = 1 << 1,    /* the channel, before it goes on */
  PLAY_LEAVES = 1 << 2,    /* without an answer */
  PLAY_DIES = 1 << 3,
  PLAY_IS_ASYNC = 1 << 4,
  PLAY_YIELDS = 1 << 5,
  PLAY_IN_POOL = 1 << 6,
  PLAY_PRINTS = 1 << 7
};

static void
play (guint how, GBytes *bytes)
{
  if ((how & PLAY_PRINTS) != 0)
    write_all (STDERR_FILENO, bytes);
  write_all ((how & PLAY_IN_REPORT) != 0 ? SETUP_REPORT_FD : SETUP_CHANNEL_FD, bytes);
  if ((how & PLAY_CLOSES) != 0)
    close (SETUP_CHANNEL_FD);
  if ((how & PLAY_LEAVES) != 0)
    _exit (0);
  if ((how & PLAY_DIES) != 0)
    raise (SIGKILL);
}

PROCFUN_DEFINE_FUNCTION (fuzz_play, gint, (guint, how), (GBytes *, bytes))
{
  play (how, bytes);
  return 1;
}

PROCFUN_DEFINE_GENERATOR (fuzz_yield, gint, (guint, how), (GBytes *, bytes))
{
  for (gint i = 0; i < 3; i++)
    {
      fuzz_yield_yield (i);
      if (i == 1)
        play (how, bytes);
    }
}

static ProcfunExecutor *executors[2];

static ProcfunExecutor *
get_executor (gboolean is_pool)
{
  if (executors[is_pool] == NULL && is_pool)
    executors[is_pool] = PROCFUN_EXECUTOR (procfun_pool_new (1));
  else if (executors[is_pool] == NULL)
    executors[is_pool] = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  return executors[is_pool];
}

void
fuzz_child (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const guint how = fuzz_take_byte (&input);
  g_autoptr (GBytes) bytes = fuzz_take_bytes (&input, 32 * 1024);
  ProcfunCall *call
      = (how & PLAY_YIELDS) != 0 ? fuzz_yield_call (how, bytes) : fuzz_play_call (how, bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, get_executor ((how & PLAY_IN_POOL) != 0));
  procfun_call_set_timeout (call, PATIENCE_MS * G_TIME_SPAN_MILLISECOND);
  procfun_call_set_grace_period (call, 0);
  result = calls_run (call, (how & PLAY_IS_ASYNC) != 0, NULL, &error);
  g_assert_true ((result == NULL) == (error != NULL));
  g_assert_true (error == NULL || g_utf8_validate (error->message, -1, NULL));
  g_assert_false (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT));
}

void
fuzz_child_clear (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      if (executors[i] != NULL)
        procfun_executor_close (executors[i], NULL, NULL);
      g_clear_object (&executors[i]);
    }
}

/* A caller. The process is forked from here, so that the sanitizers see what it does. */

static void
put (int fd, int where)
{
  if (dup2 (fd, where) != where)
    _exit (2);
}

static void be_child (const int *channel, const int *report, const int *lifeline) G_GNUC_NORETURN;

static void
be_child (const int *channel, const int *report, const int *lifeline)
{
  const ServerOptions options = { NULL };
  const int fds[] = { fcntl (channel[1], F_DUPFD, 64), fcntl (lifeline[0], F_DUPFD, 64),
                      fcntl (report[1], F_DUPFD, 64) };
  Server *server;

  close (channel[0]);
  put (fds[0], SETUP_CHANNEL_FD);
  put (fds[1], SETUP_LIFELINE_FD);
  put (fds[2], SETUP_REPORT_FD);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  setsid ();
  procfun_context_set_child ();
  server = server_new (&options);
  server_run (server, -1, -1);
}

/* A caller may give a process limits that it cannot live with. */
static void
check_end (int status)
{
  static const int allowed[] = { SIGKILL, SIGSYS, SIGXCPU, SIGXFSZ, SIGTRAP };

  if (WIFEXITED (status))
    {
      g_assert_cmpint (WEXITSTATUS (status), ==, 0);
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (allowed); i++)
    if (WTERMSIG (status) == allowed[i])
      return;
  g_error ("the process died of signal %d", WTERMSIG (status));
}

void
fuzz_caller (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, MIN (size, 32 * 1024));
  int channel[2], report[2], lifeline[2];
  int status = 0;
  pid_t pid;

  g_assert_true (fds_open_socketpair (channel, NULL) && fds_open_pipe (report, NULL)
                 && fds_open_pipe (lifeline, NULL));
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    be_child (channel, report, lifeline);
  close (channel[1]);
  write_all (channel[0], bytes);
  shutdown (channel[0], SHUT_WR);
  read_to_end (channel[0]);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  kill (-pid, SIGKILL);
  close (channel[0]);
  for (gsize i = 0; i < 2; i++)
    {
      close (report[i]);
      close (lifeline[i]);
    }
  check_end (status);
}
