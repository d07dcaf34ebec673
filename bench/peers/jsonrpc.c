/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two processes with jsonrpc-glib between them. */

#include "bench/contender.h"
#include "bench/pipeline.h"

#include <jsonrpc-glib.h>

static JsonrpcClient *clients[PIPELINE_WORKERS];

static GIOStream *
make_stream (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  if (socket == NULL)
    g_error ("%s", error->message);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

static gint64
get_number (GVariant *params, gsize i)
{
  g_autoptr (GVariant) element = g_variant_get_child_value (params, i);
  g_autoptr (GVariant) number = g_variant_get_variant (element);

  return g_variant_get_int64 (number);
}

/* Numbers of JSON are 64 bits wide, and its arrays become arrays of variants. */
static void
on_add (JsonrpcServer *server, JsonrpcClient *client, const char *method, GVariant *id,
        GVariant *params, gpointer user_data)
{
  g_autoptr (GVariant) sum
      = g_variant_ref_sink (g_variant_new_int64 (get_number (params, 0) + get_number (params, 1)));

  jsonrpc_client_reply_async (client, id, sum, NULL, NULL, NULL);
}

static void
serve (int fd)
{
  JsonrpcServer *server = jsonrpc_server_new ();
  g_autoptr (GIOStream) stream = make_stream (fd);

  jsonrpc_server_add_handler (server, "add", on_add, NULL, NULL);
  jsonrpc_server_accept_io_stream (server, stream);
  g_main_loop_run (g_main_loop_new (NULL, FALSE));
}

/* All processes are made before the first thread. */
static void
set_up (guint n)
{
  int fds[PIPELINE_WORKERS];

  for (guint i = 0; i < n; i++)
    fds[i] = contender_fork_server (serve);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GIOStream) stream = make_stream (fds[i]);

      clients[i] = jsonrpc_client_new (stream);
      jsonrpc_client_start_listening (clients[i]);
    }
}

static void
set_up_one (void)
{
  set_up (1);
}

static void
set_up_all (void)
{
  set_up (PIPELINE_WORKERS);
}

static GVariant *
make_params (void)
{
  GVariant *numbers[] = { g_variant_new_variant (g_variant_new_int64 (1)),
                          g_variant_new_variant (g_variant_new_int64 (2)) };

  return g_variant_new_array (G_VARIANT_TYPE_VARIANT, numbers, G_N_ELEMENTS (numbers));
}

static void
check (gboolean answered, GVariant *reply, const GError *error)
{
  if (!answered)
    g_error ("%s", error->message);
  if (g_variant_get_int64 (reply) != 3)
    g_error ("this is not the answer");
}

static void
call (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  gboolean answered = jsonrpc_client_call (clients[0], "add", make_params (), NULL, &reply, &error);

  check (answered, reply, error);
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  gboolean answered = jsonrpc_client_call_finish (JSONRPC_CLIENT (source), result, &reply, &error);

  check (answered, reply, error);
  pipeline_answered (GPOINTER_TO_UINT (worker));
}

static void
send (guint worker)
{
  jsonrpc_client_call_async (clients[worker], "add", make_params (), NULL, on_reply,
                             GUINT_TO_POINTER (worker));
}

static double
run_pipelined (guint n)
{
  return pipeline_run (n, send);
}

int
main (int argc, char **argv)
{
  static const Contender contenders[]
      = { { "warm", .set_up = set_up_one, .call = call },
          { "pipelined", .set_up = set_up_all, .batch = run_pipelined } };

  return contend (contenders, G_N_ELEMENTS (contenders), argc, argv);
}
