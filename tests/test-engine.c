/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An engine of a program's own, as a module would have it: calls go through it to a host, and
 * answers come back. Callers and hosts meet at a socket whose packets are the messages. */

#include "procfun/remote/engine.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKET_MAX (64 * 1024)
#define SLOTS 2

/* Names of hosts whose calls are delivered once more than they should be, or not at all. */
#define AGAIN "again"
#define FULL "full"

PROCFUN_DEFINE_STATIC_FUNCTION (kill_host, gint)
{
  kill ((pid_t)remotes_get_host_process (), SIGKILL);
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (spin, void)
{
  for (volatile guint i = 0;; i++)
    ;
}

/* The engine */

typedef enum
{
  PACKET_HELLO,
  PACKET_CALL,
  PACKET_WORD
} PacketType;

/* Behind it come the profile, the head and the payload. */
typedef struct
{
  PacketType type;
  guint kind;
  ProcfunMessageFlags flags;
  guint n; /* deliveries, or slots */
  guint64 id;
  gsize sizes[3];
} Packet;

typedef struct
{
  ProcfunEngine parent_instance;

  char *path; /* of the socket */
  int listener;
  int fd;
  GBytes *profile;
  GThread *reader;
  GPid host; /* of a caller */
} SocketEngine;

typedef ProcfunEngineClass SocketEngineClass;

GType socket_engine_get_type (void);
G_DEFINE_TYPE (SocketEngine, socket_engine, PROCFUN_TYPE_ENGINE)

static SocketEngine *
get_engine (ProcfunEngine *engine)
{
  return (SocketEngine *)engine;
}

static void
set_error (GError **error, const char *what)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, "%s: %s", what, g_strerror (errno));
}

static void
send_packet (SocketEngine *self, const Packet *packet, GBytes *const parts[3])
{
  Packet header = *packet;
  g_autoptr (GByteArray) all = g_byte_array_new ();

  g_byte_array_set_size (all, sizeof header);
  for (gsize i = 0; i < 3; i++)
    if (parts[i] != NULL)
      {
        header.sizes[i] = g_bytes_get_size (parts[i]);
        g_byte_array_append (all, g_bytes_get_data (parts[i], NULL), (guint)header.sizes[i]);
      }
  memcpy (all->data, &header, sizeof header);
  if (send (self->fd, all->data, all->len, MSG_NOSIGNAL) < 0)
    g_assert_cmpint (errno, ==, EPIPE);
}

static void
take_packet (SocketEngine *self, const Packet *packet, GBytes *const parts[3])
{
  ProcfunEngine *engine = (ProcfunEngine *)self;
  const ProcfunMessage message = { packet->kind, packet->flags, parts[1], parts[2] };

  switch (packet->type)
    {
    case PACKET_HELLO:
      procfun_engine_host_up (engine, "first of all", packet->n, parts[0]);
      procfun_engine_set_room (engine, packet->n);
      break;
    case PACKET_CALL:
      procfun_engine_request (engine, packet->id, packet->n, parts[0], &message);
      break;
    case PACKET_WORD:
    default:
      procfun_engine_message (engine, packet->id, self->host > 0 ? "first of all" : NULL, &message);
    }
}

/* FALSE: there is no more. */
static gboolean
read_packet (SocketEngine *self)
{
  g_autofree guint8 *data = g_malloc (PACKET_MAX);
  const gssize n = recv (self->fd, data, PACKET_MAX, 0);
  const guint8 *at = data + sizeof (Packet);
  GBytes *parts[3];
  Packet packet;

  if (n < (gssize)sizeof packet)
    return FALSE;
  memcpy (&packet, data, sizeof packet);
  for (gsize i = 0; i < 3; i++)
    {
      parts[i] = g_bytes_new (at, packet.sizes[i]);
      at += packet.sizes[i];
    }
  take_packet (self, &packet, parts);
  for (gsize i = 0; i < 3; i++)
    g_bytes_unref (parts[i]);
  return TRUE;
}

static gpointer
read_packets (gpointer user_data)
{
  SocketEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  if (self->listener >= 0)
    self->fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC);
  while (self->fd >= 0 && read_packet (self))
    ;
  error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, "no more packets");
  if (self->host > 0)
    procfun_engine_host_lost ((ProcfunEngine *)self, "first of all", error);
  procfun_engine_fail ((ProcfunEngine *)self, error);
  return NULL;
}

static struct sockaddr_un
make_address (SocketEngine *self)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  return address;
}

/* A host of this program, as somebody might have started it elsewhere. */
static gboolean
start_host (SocketEngine *self, GError **error)
{
  const char *const argv[] = { "/proc/self/exe", "--procfun-host", "--slots=2", NULL };
  g_autofree char *url = g_strconcat ("socket:", self->path, NULL);
  g_auto (GStrv) env = g_get_environ ();

  env = g_environ_setenv (env, "PROCFUN_COMMAND_LINE", "1", TRUE);
  env = g_environ_setenv (env, "PROCFUN_HOST_ENGINE", url, TRUE);
  return g_spawn_async (NULL, (char **)argv, env, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                        &self->host, error);
}

static gboolean
socket_engine_open (ProcfunEngine *engine, GBytes *profile, gint64 heartbeat, GError **error)
{
  SocketEngine *self = get_engine (engine);
  struct sockaddr_un address;

  self->path = g_strdup_printf ("%s/procfun-test-%d", g_get_tmp_dir (), getpid ());
  address = make_address (self);
  self->profile = g_bytes_ref (profile);
  unlink (self->path);
  self->listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (bind (self->listener, (struct sockaddr *)&address, sizeof address) != 0
      || listen (self->listener, 1) != 0)
    {
      set_error (error, self->path);
      return FALSE;
    }
  if (!start_host (self, error))
    return FALSE;
  self->reader = g_thread_new ("reader", read_packets, self);
  return TRUE;
}

static void
socket_engine_submit (ProcfunEngine *engine, guint64 id, guint64 contract,
                      const ProcfunMessage *call, int priority, gint64 expires)
{
  SocketEngine *self = get_engine (engine);
  const gboolean is_again = g_str_has_suffix (procfun_engine_get_url (engine), AGAIN);
  const Packet packet = { PACKET_CALL, call->kind, call->flags, is_again ? 2 : 1, id, { 0 } };
  GBytes *const parts[] = { self->profile, call->head, call->payload };
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (contract, !=, 0);
  if (!g_str_has_suffix (procfun_engine_get_url (engine), FULL))
    {
      send_packet (self, &packet, parts);
      return;
    }
  error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_BUSY, "the queue is full");
  procfun_engine_fail_call (engine, id, error);
}

static void
socket_engine_say (ProcfunEngine *engine, guint64 id, const ProcfunMessage *word)
{
  const Packet packet = { PACKET_WORD, word->kind, word->flags, 0, id, { 0 } };
  GBytes *const parts[] = { NULL, word->head, word->payload };

  send_packet (get_engine (engine), &packet, parts);
}

static gboolean
socket_engine_attach (ProcfunEngine *engine, GBytes *profile, guint slots, GError **error)
{
  SocketEngine *self = get_engine (engine);
  const Packet packet = { PACKET_HELLO, 0, PROCFUN_MESSAGE_NONE, slots, 0, { 0 } };
  GBytes *const parts[] = { profile, NULL, NULL };
  struct sockaddr_un address;

  self->path = g_strdup (procfun_engine_get_url (engine) + strlen ("socket:"));
  address = make_address (self);
  self->fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connect (self->fd, (struct sockaddr *)&address, sizeof address) != 0)
    {
      set_error (error, self->path);
      return FALSE;
    }
  send_packet (self, &packet, parts);
  self->reader = g_thread_new ("reader", read_packets, self);
  return TRUE;
}

static void
socket_engine_close (ProcfunEngine *engine, gboolean at_once)
{
  SocketEngine *self = get_engine (engine);

  if (at_once && self->host > 0)
    kill (self->host, SIGKILL);
  if (self->listener >= 0)
    shutdown (self->listener, SHUT_RDWR);
  if (self->fd >= 0)
    shutdown (self->fd, SHUT_RDWR);
  g_clear_pointer (&self->reader, g_thread_join);
  if (self->host > 0)
    waitpid (self->host, NULL, 0);
}

static void
socket_engine_finalize (GObject *object)
{
  SocketEngine *self = (SocketEngine *)object;

  if (self->fd >= 0)
    close (self->fd);
  if (self->listener >= 0)
    {
      close (self->listener);
      unlink (self->path);
    }
  g_free (self->path);
  g_clear_pointer (&self->profile, g_bytes_unref);
  G_OBJECT_CLASS (socket_engine_parent_class)->finalize (object);
}

static void
socket_engine_class_init (SocketEngineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = socket_engine_finalize;
  klass->open = socket_engine_open;
  klass->submit = socket_engine_submit;
  klass->send = socket_engine_say;
  klass->attach = socket_engine_attach;
  klass->answer = socket_engine_say;
  klass->close = socket_engine_close;
}

static void
socket_engine_init (SocketEngine *self)
{
  self->listener = self->fd = -1;
}

/* An engine that is nothing, neither for callers nor for hosts. */

typedef ProcfunEngine IdleEngine;
typedef ProcfunEngineClass IdleEngineClass;

GType idle_engine_get_type (void);
G_DEFINE_TYPE (IdleEngine, idle_engine, PROCFUN_TYPE_ENGINE)

static void
idle_engine_class_init (IdleEngineClass *klass)
{
}

static void
idle_engine_init (IdleEngine *self)
{
}

/* The program is a host before its main(), as a program with a module would be. */
__attribute__ ((constructor)) static void
offer (void)
{
  g_io_extension_point_register (PROCFUN_ENGINE_EXTENSION_POINT_NAME);
  g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, socket_engine_get_type (),
                                  "socket", 0);
  g_io_extension_point_implement (PROCFUN_ENGINE_EXTENSION_POINT_NAME, idle_engine_get_type (),
                                  "idle", 0);
}

/* Tests */

static void
test_results (void)
{
  ProcfunRemotePool *hosts = remotes_new ("socket:here");
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), async, "5");
      calls_assert_error (PROCFUN_EXECUTOR (hosts), fail_void_call (3), async, G_FILE_ERROR, 3,
                          "failed with 3");
    }
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (procfun_call_get_host (call), ==, "first of all");
  g_assert_cmpuint (procfun_remote_pool_get_n_hosts (hosts), ==, 1);
  g_assert_cmpuint (procfun_remote_pool_get_n_slots (hosts), ==, SLOTS);
  remotes_close (hosts);
}

static void
test_cancel (void)
{
  ProcfunRemotePool *hosts = remotes_new ("socket:here");

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = spin_call ();

      procfun_call_set_timeout (call, 100000);
      calls_assert_error (PROCFUN_EXECUTOR (hosts), g_steal_pointer (&call), async, PROCFUN_ERROR,
                          PROCFUN_ERROR_TIMED_OUT, "spin()*");
    }
  remotes_close (hosts);
}

/* The host that had it before may have begun it. */
static void
test_second_delivery (void)
{
  ProcfunRemotePool *hosts = remotes_new ("socket:" AGAIN);

  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_WORKER_LOST, "*host that had it before*");
  remotes_close (hosts);
}

static void
test_failed_call (void)
{
  ProcfunRemotePool *hosts = remotes_new ("socket:" FULL);

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), async, PROCFUN_ERROR,
                        PROCFUN_ERROR_BUSY, "add() cannot be called: the queue is full");
  remotes_close (hosts);
}

/* FALSE: the call was sent to the host that is gone, before that was known. */
static gboolean
answers (ProcfunRemotePool *hosts)
{
  g_autoptr (ProcfunCall) call = add_call (2, 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  result = procfun_call_run (call, NULL, &error);
  if (result == NULL)
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  return result != NULL;
}

static void
test_lost_host (void)
{
  ProcfunRemotePool *hosts = remotes_new ("socket:here");

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (PROCFUN_EXECUTOR (hosts), kill_host_call (), async, PROCFUN_ERROR,
                        PROCFUN_ERROR_WORKER_LOST, "kill_host()*no more packets*");
  while (!answers (hosts))
    ;
  remotes_close (hosts);
}

static void
test_no_calls_out (void)
{
  ProcfunRemotePool *hosts = remotes_new ("idle:here");

  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), async, PROCFUN_ERROR,
                        PROCFUN_ERROR_ENGINE, "*idle:here: no calls can be sent there*");
  remotes_close (hosts);
}

static void
test_no_calls_in (void)
{
  const char *const argv[] = { "/proc/self/exe", "--procfun-host", NULL };
  g_auto (GStrv) env = g_get_environ ();
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  env = g_environ_setenv (env, "PROCFUN_COMMAND_LINE", "1", TRUE);
  env = g_environ_setenv (env, "PROCFUN_HOST_ENGINE", "idle:here", TRUE);
  g_spawn_sync (NULL, (char **)argv, env, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &text,
                &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 2);
  g_assert_nonnull (strstr (text, "idle:here: no calls come from there"));
}

/* Functions that an engine leaves out are done without a word. */
static void
test_nothing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunEngine) engine = engine_new ("idle:here", &error);
  g_autofree char *url = NULL;

  g_assert_no_error (error);
  g_assert_true (engine_set_up (engine, &error));
  g_assert_no_error (error);
  g_assert_null (engine_describe (engine));
  engine_send (engine, 1, 2, PROCFUN_MESSAGE_NONE, "x", 1);
  engine_answer (engine, 1, 2, NULL, 0, PROCFUN_MESSAGE_END, g_bytes_new_static ("y", 1));
  PROCFUN_ENGINE_GET_CLASS (engine)->set_free (engine, 1);
  PROCFUN_ENGINE_GET_CLASS (engine)->detach (engine);
  engine_close (engine, TRUE);
  g_object_get (engine, "url", &url, NULL);
  g_assert_cmpstr (url, ==, "idle:here");
}

/* This program has the library in itself, and a module would bring another one. */
static void
test_module (void)
{
  g_autofree char *modules = g_test_build_filename (G_TEST_BUILT, "../engines/nats/.libs", NULL);
  ProcfunRemotePool *hosts;

  g_setenv ("PROCFUN_ENGINES", modules, TRUE);
  hosts = remotes_new ("nats://127.0.0.1:1/render");
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, "*no engine is there*nats:*");
  remotes_close (hosts);
  g_unsetenv ("PROCFUN_ENGINES");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/engine/calls/come-back", test_results);
  fixture_add_func ("/engine/calls/end-when-time-is-up", test_cancel);
  fixture_add_func ("/engine/calls/second-delivery-is-not-run", test_second_delivery);
  fixture_add_func ("/engine/calls/engine-may-fail-them", test_failed_call);
  fixture_add_func ("/engine/calls/are-lost-with-their-host", test_lost_host);
  fixture_add_func ("/engine/roles/one-may-have-no-calls-sent", test_no_calls_out);
  fixture_add_func ("/engine/roles/one-may-bring-no-calls", test_no_calls_in);
  fixture_add_func ("/engine/roles/what-is-left-out-does-nothing", test_nothing);
  fixture_add_func ("/engine/modules/are-not-loaded-beside-a-hidden-library", test_module);

  return fixture_run ();
}
