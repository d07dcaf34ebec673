/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two processes with GDBus between them, and no bus. */

#include "bench/contender.h"
#include "bench/pipeline.h"

#include <gio/gio.h>

#define PATH "/bench"
#define INTERFACE "bench.Adder"

static GDBusConnection *connections[PIPELINE_WORKERS];

static GDBusConnection *
connect_to (int fd, GDBusConnectionFlags flags)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);
  g_autoptr (GSocketConnection) stream = NULL;
  g_autofree char *guid = g_dbus_generate_guid ();
  gboolean is_server = flags & G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER;
  GDBusConnection *connection = NULL;

  if (socket != NULL)
    {
      stream = g_socket_connection_factory_create_connection (socket);
      connection = g_dbus_connection_new_sync (G_IO_STREAM (stream), is_server ? guid : NULL, flags,
                                               NULL, NULL, &error);
    }
  if (connection == NULL)
    g_error ("%s", error->message);
  return connection;
}

static void
on_method (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
           const char *method, GVariant *args, GDBusMethodInvocation *invocation, gpointer data)
{
  gint32 a, b;

  g_variant_get (args, "(ii)", &a, &b);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(i)", a + b));
}

static void
serve (int fd)
{
  static const GDBusInterfaceVTable vtable = { on_method, NULL, NULL, { NULL } };
  GDBusConnection *connection
      = connect_to (fd, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                            | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING);
  g_autoptr (GDBusNodeInfo) node
      = g_dbus_node_info_new_for_xml ("<node><interface name='" INTERFACE "'><method name='Add'>"
                                      "<arg type='i' direction='in'/><arg type='i' direction='in'/>"
                                      "<arg type='i' direction='out'/></method></interface></node>",
                                      NULL);

  g_dbus_connection_register_object (connection, PATH, node->interfaces[0], &vtable, NULL, NULL,
                                     NULL);
  g_dbus_connection_start_message_processing (connection);
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
    connections[i] = connect_to (fds[i], G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT);
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

static void
check (GVariant *reply, const GError *error)
{
  gint32 sum = 0;

  if (reply == NULL)
    g_error ("%s", error->message);
  g_variant_get (reply, "(i)", &sum);
  if (sum != 3)
    g_error ("this is not the answer");
}

static void
call (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      connections[0], NULL, PATH, INTERFACE, "Add", g_variant_new ("(ii)", 1, 2),
      G_VARIANT_TYPE ("(i)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

  check (reply, error);
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer worker)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  check (reply, error);
  pipeline_answered (GPOINTER_TO_UINT (worker));
}

static void
send (guint worker)
{
  g_dbus_connection_call (connections[worker], NULL, PATH, INTERFACE, "Add",
                          g_variant_new ("(ii)", 1, 2), G_VARIANT_TYPE ("(i)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_reply, GUINT_TO_POINTER (worker));
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
