/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/brokers.h"

#include "tests/calls.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_US 1000

#define NOBODY 65534

/* Debian has it where only administrators look. */
static char *
find_server (void)
{
  char *path = g_find_program_in_path ("nats-server");

  if (path == NULL && g_file_test ("/usr/sbin/nats-server", G_FILE_TEST_IS_EXECUTABLE))
    path = g_strdup ("/usr/sbin/nats-server");
  return path;
}

/* (nullable) */
static char *
find_modules (void)
{
  g_autofree char *folder
      = g_test_build_filename (G_TEST_BUILT, "..", "engines", "nats", ".libs", NULL);
  g_autofree char *module = g_build_filename (folder, "libprocfun-nats.so", NULL);

  if (g_getenv ("PROCFUN_ENGINES") != NULL)
    return g_strdup (g_getenv ("PROCFUN_ENGINES"));
  return g_file_test (module, G_FILE_TEST_EXISTS) ? g_steal_pointer (&folder) : NULL;
}

gboolean
brokers_are_there (void)
{
  g_autofree char *server = find_server ();
  g_autofree char *modules = find_modules ();

  if (modules != NULL)
    g_setenv ("PROCFUN_ENGINES", modules, TRUE);
  return server != NULL && modules != NULL;
}

/* The server */

/* Whether everybody gets there. */
static gboolean
is_reachable (const char *folder)
{
  g_autofree char *parent = g_path_get_dirname (folder);
  GStatBuf info;

  return g_stat (folder, &info) == 0 && (info.st_mode & S_IXOTH) != 0
         && (strcmp (parent, folder) == 0 || is_reachable (parent));
}

/* A server that root starts is nobody's, unless its configuration names files that only root reads:
 * FALSE. */
static gboolean
give_away (Broker *self)
{
  g_autofree char *parent = g_path_get_dirname (self->folder);
  GStatBuf info;

  if (geteuid () != 0 || self->config != NULL || g_stat (parent, &info) < 0)
    return FALSE;
  if ((info.st_mode & 07777) == 0700) /* the fixture's own */
    g_assert_cmpint (g_chmod (parent, 0711), ==, 0);
  return is_reachable (parent) && chown (self->folder, NOBODY, NOBODY) == 0;
}

/* The order matters: who changes its user is not told any more that its parent has died. */
static void
begin_child (gpointer is_given_away)
{
  if (GPOINTER_TO_INT (is_given_away)
      && ((setgroups (0, NULL) < 0 && errno != EPERM) || setgid (NOBODY) < 0
          || setuid (NOBODY) < 0))
    _exit (127);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* It writes where it listens into a file, whole: for clients, and for other servers. */
static int
wait_for_port (Broker *self)
{
  g_autofree char *name = g_strdup_printf ("nats-server_%d.ports", self->pid);
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autofree char *text = NULL;
  const char *colon;

  while (!g_file_get_contents (path, &text, NULL, NULL) || strchr (text, ']') == NULL)
    {
      g_clear_pointer (&text, g_free);
      g_assert_cmpint (waitpid (self->pid, NULL, WNOHANG), ==, 0);
      g_usleep (STEP_US);
    }
  *strchr (text, ']') = '\0';
  colon = strrchr (text, ':');
  return atoi (colon + 1);
}

void
broker_start (Broker *self)
{
  g_autofree char *server = find_server ();
  g_autofree char *store = g_build_filename (self->folder, "store", NULL);
  g_autofree char *log = g_build_filename (self->folder, "log", NULL);
  g_autofree char *port = g_strdup_printf ("%d", self->port > 0 ? self->port : -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;

  g_strv_builder_add_many (builder, server, "-a", "127.0.0.1", "-p", port, "-js", "-sd", store,
                           "--ports_file_dir", self->folder, "-l", log, NULL);
  if (self->config != NULL)
    g_strv_builder_add_many (builder, "-c", self->config, NULL);
  argv = g_strv_builder_end (builder);
  g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, begin_child,
                 GINT_TO_POINTER (give_away (self)), &self->pid, &error);
  g_assert_no_error (error);
  self->port = wait_for_port (self);
}

void
broker_kill (Broker *self)
{
  kill (self->pid, SIGKILL);
  g_assert_cmpint (waitpid (self->pid, NULL, 0), ==, self->pid);
  self->pid = 0;
}

void
broker_forget (Broker *self, const char *pool)
{
  g_autofree char *stream = g_strconcat ("PF_", pool, NULL);
  g_autofree char *state = g_build_filename (self->folder, "store", "jetstream", "$G", "streams",
                                             stream, "obs", "hosts", "o.dat", NULL);

  broker_kill (self);
  g_remove (state);
  broker_start (self);
}

Broker *
broker_new (const char *config)
{
  Broker *self = g_new0 (Broker, 1);
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("procfun-broker-XXXXXX", &error);
  g_assert_no_error (error);
  if (config != NULL)
    {
      self->config = g_build_filename (self->folder, "config", NULL);
      g_file_set_contents (self->config, config, -1, &error);
      g_assert_no_error (error);
    }
  broker_start (self);
  self->url = g_strdup_printf ("nats://127.0.0.1:%d", self->port);
  return self;
}

static void
remove_all (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_all (inner);
    }
  g_remove (path);
}

void
broker_free (Broker *self)
{
  if (self->pid != 0)
    broker_kill (self);
  remove_all (self->folder);
  g_free (self->config);
  g_free (self->folder);
  g_free (self->url);
  g_free (self);
}

/* Pools */

static GIOExtension *
find_extension (const char *scheme)
{
  GIOExtensionPoint *point = g_io_extension_point_register (PROCFUN_ENGINE_EXTENSION_POINT_NAME);
  GIOExtension *extension = g_io_extension_point_get_extension_by_name (point, scheme);

  if (extension != NULL)
    return extension;
  g_io_modules_scan_all_in_directory (g_getenv ("PROCFUN_ENGINES"));
  return g_io_extension_point_get_extension_by_name (point, scheme);
}

gboolean
brokers_set_up (const char *url, GError **error)
{
  g_autofree char *scheme = g_strndup (url, strcspn (url, ":"));
  GIOExtension *extension = find_extension (scheme);
  g_autoptr (ProcfunEngine) engine = NULL;

  g_assert_nonnull (extension);
  engine = g_object_new (g_io_extension_get_type (extension), "url", url, NULL);
  return PROCFUN_ENGINE_GET_CLASS (engine)->setup (engine, error);
}

char *
broker_make_pool (Broker *self, const char *pool, const char *words)
{
  char *url = g_strdup_printf ("%s/%s%s%s", self->url, pool, words != NULL ? "?" : "",
                               words != NULL ? words : "");
  g_autoptr (GError) error = NULL;

  brokers_set_up (url, &error);
  g_assert_no_error (error);
  return url;
}

/* Messages as they are on the wire */

typedef struct
{
  GSocketConnection *connection;
  GDataInputStream *input;
} Wire;

static void
wire_send (Wire *self, gconstpointer data, gsize size)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (output, data, size, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
wire_say (Wire *self, const char *text)
{
  wire_send (self, text, strlen (text));
}

static void
wire_open (Wire *self, Broker *broker)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;

  self->connection
      = g_socket_client_connect_to_host (client, "127.0.0.1", (guint16)broker->port, NULL, &error);
  g_assert_no_error (error);
  self->input
      = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (self->connection)));
  g_data_input_stream_set_newline_type (self->input, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  wire_say (self, "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n");
}

static void
wire_close (Wire *self)
{
  g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_object_unref (self->input);
  g_object_unref (self->connection);
}

/* The next message, its header in front. */
static char *
wire_read (Wire *self)
{
  g_autoptr (GError) error = NULL;

  for (;;)
    {
      g_autofree char *line = g_data_input_stream_read_line (self->input, NULL, NULL, &error);
      char *text;
      gsize size;

      g_assert_no_error (error);
      g_assert_nonnull (line);
      if (strcmp (line, "PING") == 0)
        wire_say (self, "PONG\r\n");
      if (!g_str_has_prefix (line, "MSG ") && !g_str_has_prefix (line, "HMSG "))
        continue;
      size = (gsize)atoi (strrchr (line, ' ') + 1);
      text = g_malloc0 (size + 3);
      g_input_stream_read_all (G_INPUT_STREAM (self->input), text, size + 2, NULL, NULL, &error);
      g_assert_no_error (error);
      text[size] = '\0';
      return text;
    }
}

char *
broker_ask (Broker *self, const char *subject, const char *text)
{
  g_autofree char *lines
      = g_strdup_printf ("SUB inbox 1\r\nPUB %s inbox %zu\r\n%s\r\n", subject, strlen (text), text);
  Wire wire;
  char *answer;

  wire_open (&wire, self);
  wire_say (&wire, lines);
  answer = wire_read (&wire);
  wire_close (&wire);
  return answer;
}

void
broker_renew_consumer (Broker *self, const char *pool, const char *words)
{
  g_autofree char *subject = g_strdup_printf ("$JS.API.CONSUMER.DELETE.PF_%s.hosts", pool);

  g_free (broker_ask (self, subject, ""));
  g_free (broker_make_pool (self, pool, words));
}

GHashTable *
broker_ask_many (Broker *self, const char *subject, const char *text, guint n_texts, guint n)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Wire wire;

  wire_open (&wire, self);
  wire_say (&wire, "SUB inbox.* 1\r\n");
  for (guint i = 0; i < n_texts; i++)
    {
      g_autofree char *lines
          = g_strdup_printf ("PUB %s inbox.%u %zu\r\n%s\r\n", subject, i, strlen (text), text);

      wire_say (&wire, lines);
    }
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *answer = wire_read (&wire);
      const gboolean has_status = g_str_has_prefix (answer, "NATS/1.0 ");
      char *word = has_status ? g_strndup (answer + strlen ("NATS/1.0 "), 3) : g_strdup ("");
      const guint before = GPOINTER_TO_UINT (g_hash_table_lookup (counts, word));

      g_hash_table_replace (counts, word, GUINT_TO_POINTER (before + 1));
    }
  wire_close (&wire);
  return counts;
}

gint64
broker_count_waiting (Broker *self, const char *pool)
{
  g_autofree char *subject = g_strdup_printf ("$JS.API.STREAM.INFO.PF_%s", pool);
  g_autofree char *answer = broker_ask (self, subject, "");
  const char *at = strstr (answer, "\"messages\":");

  g_assert_nonnull (at);
  return g_ascii_strtoll (at + strlen ("\"messages\":"), NULL, 10);
}

/* The bytes of a member in base64. */
static GBytes *
get_bytes (const char *json, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\"%s\":\"", name);
  const char *at = strstr (json, begin);
  g_autofree char *text = NULL;
  gsize size;
  guint8 *data;

  g_assert_nonnull (at);
  at += strlen (begin);
  text = g_strndup (at, strcspn (at, "\""));
  data = g_base64_decode (text, &size);
  return g_bytes_new_take (data, size);
}

char *
broker_send_again (Broker *self, const char *pool)
{
  g_autofree char *get = g_strdup_printf ("$JS.API.STREAM.MSG.GET.PF_%s", pool);
  g_autofree char *json = broker_ask (self, get, "{\"seq\":1}");
  g_autoptr (GBytes) head = get_bytes (json, "hdrs");
  g_autoptr (GBytes) data = get_bytes (json, "data");
  g_autofree char *line = NULL;
  g_autoptr (GByteArray) all = g_byte_array_new ();
  Wire wire;
  char *answer;

  line = g_strdup_printf ("SUB inbox 1\r\nHPUB pf.q.%s.0 inbox %zu %zu\r\n", pool,
                          g_bytes_get_size (head),
                          g_bytes_get_size (head) + g_bytes_get_size (data));
  g_byte_array_append (all, (const guint8 *)line, (guint)strlen (line));
  g_byte_array_append (all, g_bytes_get_data (head, NULL), (guint)g_bytes_get_size (head));
  g_byte_array_append (all, g_bytes_get_data (data, NULL), (guint)g_bytes_get_size (data));
  g_byte_array_append (all, (const guint8 *)"\r\n", 2);
  wire_open (&wire, self);
  wire_send (&wire, all->data, all->len);
  answer = wire_read (&wire);
  wire_close (&wire);
  return answer;
}

/* Hosts */

GPid
brokers_start_host (const char *url, guint slots)
{
  g_autofree char *option = g_strdup_printf ("--slots=%u", slots);
  const char *const argv[] = { "/proc/self/exe", "--procfun-host", option, NULL };
  g_auto (GStrv) env = g_get_environ ();
  g_autoptr (GError) error = NULL;
  GPid pid;

  env = g_environ_setenv (env, "PROCFUN_COMMAND_LINE", "1", TRUE);
  env = g_environ_setenv (env, "PROCFUN_HOST_ENGINE", url, TRUE);
  g_spawn_async (NULL, (char **)argv, env, G_SPAWN_DO_NOT_REAP_CHILD, begin_child, NULL, &pid,
                 &error);
  g_assert_no_error (error);
  return pid;
}

int
brokers_wait_for_host (GPid pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  return status;
}

void
brokers_end_host (GPid pid)
{
  kill (pid, SIGTERM);
  g_assert_cmpint (brokers_wait_for_host (pid), ==, 0);
}

/* Tests */

void
brokers_warm_up (Broker *broker)
{
  g_autofree char *url = broker_make_pool (broker, "warm-up", NULL);
  ProcfunRemotePool *hosts = remotes_new (url);
  const GPid host = brokers_start_host (url, 1);

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
  brokers_end_host (host);
}

void
brokers_skip (void)
{
  g_test_skip ("nats-server or the module for it is missing");
}
