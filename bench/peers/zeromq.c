/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two processes with ZeroMQ between them, and the codec of the mark. */

#include "bench/contender.h"
#include "bench/message.h"
#include "bench/pipeline.h"

#include <unistd.h>
#include <zmq.h>

static char *address; /* of the next process */
static void *context;
static void *sockets[PIPELINE_WORKERS];

static void
receive (void *socket, Message *message)
{
  if (zmq_recv (socket, message, sizeof *message, 0) != sizeof *message)
    g_error ("receiving: %s", zmq_strerror (zmq_errno ()));
}

static void
send (void *socket, Message message)
{
  if (zmq_send (socket, &message, sizeof message, 0) != sizeof message)
    g_error ("sending: %s", zmq_strerror (zmq_errno ()));
}

static void
serve (int type)
{
  void *socket = zmq_socket (zmq_ctx_new (), type);
  Message message;

  if (zmq_bind (socket, address) != 0)
    g_error ("%s: %s", address, zmq_strerror (zmq_errno ()));
  for (;;)
    {
      receive (socket, &message);
      send (socket, message_answer (&message));
    }
}

static void
serve_one_by_one (int fd)
{
  serve (ZMQ_REP);
}

static void
serve_pipelined (int fd)
{
  serve (ZMQ_DEALER);
}

/* All processes are made before the first thread. */
static void
set_up (guint n, int type, void (*server) (int fd))
{
  char *addresses[PIPELINE_WORKERS];

  for (guint i = 0; i < n; i++)
    {
      address = addresses[i] = g_strdup_printf ("ipc://@procfun-bench-%d-%u", getpid (), i);
      contender_fork_server (server);
    }
  context = zmq_ctx_new ();
  for (guint i = 0; i < n; i++)
    {
      sockets[i] = zmq_socket (context, type);
      if (zmq_connect (sockets[i], addresses[i]) != 0)
        g_error ("%s: %s", addresses[i], zmq_strerror (zmq_errno ()));
      g_free (addresses[i]);
    }
}

static void
set_up_one (void)
{
  set_up (1, ZMQ_REQ, serve_one_by_one);
}

static void
set_up_all (void)
{
  set_up (PIPELINE_WORKERS, ZMQ_DEALER, serve_pipelined);
}

static void
call (void)
{
  Message message;

  send (sockets[0], message_ask ());
  receive (sockets[0], &message);
  message_check (&message);
}

static double
run_pipelined (guint n)
{
  double start = contender_get_ns ();
  guint sent = 0;

  while (sent < PIPELINE_WORKERS * PIPELINE_IN_FLIGHT && sent < n)
    send (sockets[sent++ % PIPELINE_WORKERS], message_ask ());
  for (guint received = 0; received < n; received++)
    {
      void *socket = sockets[received % PIPELINE_WORKERS];
      Message message;

      receive (socket, &message);
      message_check (&message);
      if (sent++ < n)
        send (socket, message_ask ());
    }
  return (contender_get_ns () - start) / n;
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "warm", .set_up = set_up_one, .call = call },
          { "pipelined", .set_up = set_up_all, .batch = run_pipelined } };

  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
