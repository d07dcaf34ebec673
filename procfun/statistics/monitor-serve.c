/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Thread that answers clients of the monitor, and waits for all of them at once. Clients are not
 * trusted: each has little memory, and little time to ask and to take its answer. */

#include "procfun/statistics/monitor.h"

#include "procfun/base/readable.h"
#include "procfun/codecs/json-text.h"
#include "procfun/core/executor.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/local-socket.h"
#include "procfun/statistics/statistics.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define CLIENTS_MAX 8
#define REQUEST_MAX 64
#define PATIENCE_US (10 * G_USEC_PER_SEC)
#define PAUSE_MS 100 /* pause when a client cannot be accepted */

typedef struct
{
  int fd; /* -1: none */
  gint64 until;
  char request[REQUEST_MAX];
  gsize n_read;
  Buffer answer; /* empty: all is sent */
  gsize n_sent;
} Client;

/* Answers */

/* (transfer full) (element-type ProcfunStatistics) */
static GPtrArray *
look_at_executors (void)
{
  g_autoptr (GPtrArray) executors = executor_list_ref_all ();
  GPtrArray *statistics = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_statistics_unref);

  for (guint i = 0; i < executors->len; i++)
    g_ptr_array_add (statistics, procfun_statistics_new (executors->pdata[i]));
  return statistics;
}

static void
answer_json (Buffer *out)
{
  g_autoptr (GPtrArray) statistics = look_at_executors ();
  const char *name = g_get_prgname ();
  g_autofree char *program
      = readable_line (name != NULL ? name : program_invocation_short_name, -1);
  g_autofree char *pid = g_strdup_printf ("{\"pid\":%d,\"program\":", (int)getpid ());

  buffer_append (out, pid, strlen (pid));
  wire_json_append_text (out, program, strlen (program));
  JSON_LITERAL (out, ",\"executors\":[");
  for (guint i = 0; i < statistics->len; i++)
    {
      if (i > 0)
        buffer_append_byte (out, ',');
      statistics_append_json (statistics->pdata[i], out);
    }
  JSON_LITERAL (out, "]}\n");
}

static void
answer_openmetrics (Buffer *out)
{
  g_autoptr (GPtrArray) statistics = look_at_executors ();
  g_autofree char *text = statistics_list_to_openmetrics (
      (ProcfunStatistics *const *)statistics->pdata, statistics->len);

  buffer_append (out, text, strlen (text));
}

static const struct
{
  const char *request;
  void (*answer) (Buffer *out);
} answers[] = { { "json", answer_json }, { "openmetrics", answer_openmetrics } };

/* Clients: FALSE from these functions ends the client */

/* Takes a line; the buffer must hold one. */
static gboolean
client_answer (Client *self, const char *end)
{
  gsize size = (gsize)(end - self->request);
  gsize i = 0;

  while (i < G_N_ELEMENTS (answers)
         && (strlen (answers[i].request) != size
             || memcmp (answers[i].request, self->request, size) != 0))
    i++;
  if (i == G_N_ELEMENTS (answers))
    return FALSE;
  self->n_read -= size + 1;
  memmove (self->request, end + 1, self->n_read);
  self->n_sent = 0;
  answers[i].answer (&self->answer);
  return TRUE;
}

static gboolean
client_receive (Client *self)
{
  gssize size
      = recv (self->fd, self->request + self->n_read, REQUEST_MAX - self->n_read, MSG_DONTWAIT);

  if (size <= 0)
    return size < 0 && (errno == EAGAIN || errno == EINTR);
  self->n_read += (gsize)size;
  return TRUE;
}

static gboolean
client_send (Client *self)
{
  gssize size = send (self->fd, self->answer.data + self->n_sent,
                      self->answer.length - self->n_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

  if (size < 0)
    return errno == EAGAIN || errno == EINTR;
  self->n_sent += (gsize)size;
  if (self->n_sent < self->answer.length)
    return TRUE;
  wire_buffer_clear (&self->answer);
  self->until = g_get_monotonic_time () + PATIENCE_US;
  return TRUE;
}

static const char *
client_find_line (Client *self)
{
  return memchr (self->request, '\n', self->n_read);
}

/* One step only: a client that asks without end must not keep the others waiting. */
static gboolean
client_advance (Client *self)
{
  const char *end;

  if (self->answer.length > 0)
    return client_send (self);
  if ((end = client_find_line (self)) != NULL)
    return client_answer (self, end);
  return self->n_read < REQUEST_MAX && client_receive (self);
}

static void
client_clear (Client *self)
{
  wire_buffer_clear (&self->answer);
  fd_clear (&self->fd);
}

static short
client_get_events (Client *self)
{
  return self->answer.length > 0 || client_find_line (self) != NULL ? POLLOUT : POLLIN;
}

/* The thread */

static Client *
find_free (Client *clients)
{
  for (guint i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].fd < 0)
      return &clients[i];
  return NULL;
}

/* FALSE: no client can be accepted now, for instance for lack of descriptors. */
static gboolean
accept_client (int listener, Client *client)
{
  auto_fd int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0)
    return errno == EAGAIN || errno == ECONNABORTED;
  if (!fds_move_up (&fd) || !local_socket_is_of_user (fd))
    return TRUE;
  *client = (Client){ .fd = g_steal_fd (&fd), .until = g_get_monotonic_time () + PATIENCE_US };
  return TRUE;
}

/* In ms, for poll() */
static int
get_timeout (const Client *clients, gint64 now)
{
  gint64 until = G_MAXINT64;

  for (guint i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].fd >= 0)
      until = MIN (until, clients[i].until);
  return until == G_MAXINT64 ? -1 : (int)(MAX (until - now, 0) / 1000 + 1);
}

static void
serve_clients (Client *clients, const struct pollfd *polled)
{
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < CLIENTS_MAX; i++)
    if (clients[i].fd >= 0 && polled[i].fd == clients[i].fd
        && ((polled[i].revents != 0 && !client_advance (&clients[i])) || clients[i].until <= now))
      client_clear (&clients[i]);
}

void
monitor_serve (int listener, int end)
{
  Client clients[CLIENTS_MAX] = { 0 };
  struct pollfd polled[CLIENTS_MAX + 2] = { 0 };
  struct pollfd *of_end = &polled[CLIENTS_MAX];
  struct pollfd *of_listener = &polled[CLIENTS_MAX + 1];

  for (guint i = 0; i < CLIENTS_MAX; i++)
    clients[i].fd = -1;
  *of_end = (struct pollfd){ .fd = end, .events = POLLIN };
  for (;;)
    {
      Client *room = find_free (clients);

      for (guint i = 0; i < CLIENTS_MAX; i++)
        polled[i]
            = (struct pollfd){ .fd = clients[i].fd, .events = client_get_events (&clients[i]) };
      *of_listener = (struct pollfd){ .fd = room != NULL ? listener : -1, .events = POLLIN };
      if (poll (polled, G_N_ELEMENTS (polled), get_timeout (clients, g_get_monotonic_time ())) < 0
          || of_end->revents != 0)
        break;
      serve_clients (clients, polled);
      if (of_listener->revents != 0 && !accept_client (listener, room))
        poll (of_end, 1, PAUSE_MS);
    }
  for (guint i = 0; i < CLIENTS_MAX; i++)
    client_clear (&clients[i]);
}
