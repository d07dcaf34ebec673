/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/fds.h"
#include "procfun/platform/local-socket.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/openmetrics.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <sys/socket.h>
#include <sys/wait.h>

static char *
get_runtime_folder (void)
{
  return g_build_filename (g_get_user_runtime_dir (), "procfun", NULL);
}

static char *
get_path (int pid)
{
  g_autofree char *folder = get_runtime_folder ();
  g_autofree char *name = g_strdup_printf ("%d.sock", pid);

  return g_build_filename (folder, name, NULL);
}

static void
open_monitor (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_monitor_open (&error));
  g_assert_no_error (error);
}

static int
connect_client (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("%d.sock", (int)getpid ());
  auto_fd int folder = local_folder_open (FALSE, &error);
  int fd = local_socket_connect (folder, name, &error);
  const struct timeval for_ever = { 0 };

  g_assert_no_error (error);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever), ==, 0);
  return fd;
}

static void
say (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, strlen (text));
}

/* Until @end, which is a whole line. */
static char *
hear (int fd, const char *end)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  gsize n = strlen (end);
  char c;

  while (heard->len < n || memcmp (heard->str + heard->len - n, end, n) != 0)
    {
      g_assert_cmpint (recv (fd, &c, 1, 0), ==, 1);
      g_string_append_c (heard, c);
    }
  return g_strndup (heard->str, heard->len);
}

/* A socket that is closed with unread data looks like a reset. */
static void
assert_closed (int fd)
{
  char c;

  g_assert_cmpint (recv (fd, &c, 1, 0), <=, 0);
}

static JsonNode *
ask (int fd)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  say (fd, "json\n");
  text = hear (fd, "\n");
  node = json_from_string (text, &error);
  g_assert_no_error (error);
  return node;
}

static JsonObject *
find_executor (JsonNode *node, ProcfunExecutor *executor)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (executor);
  JsonArray *executors = json_object_get_array_member (json_node_get_object (node), "executors");

  for (guint i = 0; i < json_array_get_length (executors); i++)
    {
      JsonObject *object = json_array_get_object_element (executors, i);

      if (json_object_get_int_member (object, "number")
          == procfun_statistics_get_executor_number (statistics))
        return object;
    }
  return NULL;
}

/* The socket */

static void
test_open_and_close (void)
{
  g_autofree char *path = get_path (getpid ());
  g_autofree char *folder = get_runtime_folder ();
  GStatBuf status;

  for (guint i = 0; i < 2; i++)
    {
      open_monitor ();
      open_monitor ();
      g_assert_cmpint (g_stat (path, &status), ==, 0);
      g_assert_cmpint (status.st_mode, ==, S_IFSOCK | 0600);
      g_assert_cmpint (g_stat (folder, &status), ==, 0);
      g_assert_cmpint (status.st_mode, ==, S_IFDIR | 0700);
      procfun_monitor_close ();
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      procfun_monitor_close ();
    }
}

/* A process that had the same number, and was killed. */
static void
test_stale (void)
{
  g_autofree char *name = g_strdup_printf ("%d.sock", (int)getpid ());
  g_autoptr (GError) error = NULL;
  auto_fd int folder = local_folder_open (TRUE, &error);
  auto_fd int first = local_socket_listen (folder, name, &error);
  auto_fd int client = -1;

  g_assert_no_error (error);
  g_assert_false (procfun_monitor_open (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
  fd_clear (&first);
  open_monitor ();
  client = connect_client ();
  json_node_unref (ask (client));
  procfun_monitor_close ();
}

static void
test_folder_of_others (void)
{
  g_autofree char *folder = get_runtime_folder ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_cmpint (g_chmod (folder, 0755), ==, 0);
  g_assert_false (procfun_monitor_open (&error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_assert_cmpint (g_chmod (folder, 0700), ==, 0);
  procfun_monitor_close ();
}

/* Answers */

static void
test_json (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (JsonNode) before = NULL;
  g_autoptr (JsonNode) after = NULL;
  auto_fd int client = -1;

  open_monitor ();
  client = connect_client ();
  before = ask (client);
  calls_assert_result (executor, add_call (1, 2), FALSE, "3");
  after = ask (client);
  procfun_monitor_close ();
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (before), "pid"), ==,
                   getpid ());
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (before), "program"), ==,
                   g_get_prgname ());
  g_assert_cmpint (json_object_get_int_member (find_executor (before, executor), "succeeded"), ==,
                   0);
  g_assert_cmpint (json_object_get_int_member (find_executor (after, executor), "succeeded"), ==,
                   1);
  g_assert_cmpstr (json_object_get_string_member (find_executor (after, executor), "executor"), ==,
                   "ProcfunInline");
}

static void
test_openmetrics (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunExecutor) other = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (GHashTable) samples = NULL;
  g_autofree char *text = NULL;
  auto_fd int client = -1;

  g_assert_true (executor != other);
  open_monitor ();
  client = connect_client ();
  say (client, "openmetrics\n");
  text = hear (client, "# EOF\n");
  samples = openmetrics_read (text);
  g_assert_cmpuint (g_hash_table_size (samples), >, 100);
  procfun_monitor_close ();
}

/* An executor that is gone is no longer told of. */
static void
test_executors_come_and_go (void)
{
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (JsonNode) before = NULL;
  g_autoptr (JsonNode) after = NULL;
  auto_fd int client = -1;
  guint n;

  open_monitor ();
  client = connect_client ();
  before = ask (client);
  g_assert_nonnull (find_executor (before, executor));
  n = json_array_get_length (
      json_object_get_array_member (json_node_get_object (before), "executors"));
  g_object_unref (executor);
  after = ask (client);
  g_assert_cmpuint (json_array_get_length (
                        json_object_get_array_member (json_node_get_object (after), "executors")),
                    ==, n - 1);
  procfun_monitor_close ();
}

static gpointer
make_and_drop (gpointer user_data)
{
  for (guint i = 0; i < 1000; i++)
    g_object_unref (procfun_inline_new ());
  return NULL;
}

static void
test_executors_in_threads (void)
{
  GThread *thread;
  auto_fd int client = -1;

  open_monitor ();
  client = connect_client ();
  thread = g_thread_new ("maker", make_and_drop, NULL);
  for (guint i = 0; i < 50; i++)
    json_node_unref (ask (client));
  g_thread_join (thread);
  procfun_monitor_close ();
}

/* Clients */

static void
test_pieces (void)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  auto_fd int client = -1;

  open_monitor ();
  client = connect_client ();
  say (client, "js");
  say (client, "on\njson\nopen");
  first = hear (client, "\n");
  second = hear (client, "\n");
  g_assert_true (g_str_has_prefix (second, "{\"pid\":"));
  say (client, "metrics\n");
  g_free (hear (client, "# EOF\n"));
  shutdown (client, SHUT_WR);
  assert_closed (client);
  procfun_monitor_close ();
}

static void
test_wrong_requests (void)
{
  static const char *const requests[]
      = { "\n", "JSON\n", "json \n", "GET / HTTP/1.1\r\n",
          "a line that does not end, and that is longer than any request would be, by far …" };

  open_monitor ();
  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      auto_fd int client = connect_client ();

      say (client, requests[i]);
      assert_closed (client);
    }
  procfun_monitor_close ();
}

/* Clients that ask and do not listen, or say nothing, do not keep it from others. The answers
 * are more than what the kernel holds of them. */
static void
test_stuck_clients (void)
{
  g_autoptr (GPtrArray) executors = g_ptr_array_new_with_free_func (g_object_unref);
  int stuck[7];

  for (guint i = 0; i < 200; i++)
    g_ptr_array_add (executors, procfun_inline_new ());
  open_monitor ();
  for (gsize i = 0; i < G_N_ELEMENTS (stuck); i++)
    {
      stuck[i] = connect_client ();
      for (guint k = 0; i < 2 && k < 12; k++)
        say (stuck[i], "json\n");
    }
  for (guint i = 0; i < 3; i++)
    {
      auto_fd int client = connect_client ();

      json_node_unref (ask (client));
    }
  procfun_monitor_close ();
  for (gsize i = 0; i < G_N_ELEMENTS (stuck); i++)
    close (stuck[i]);
}

/* More than it takes at once: they wait, and those who have waited are closed with it. */
static void
test_too_many_clients (void)
{
  int clients[12];

  open_monitor ();
  for (gsize i = 0; i < G_N_ELEMENTS (clients); i++)
    clients[i] = connect_client ();
  fd_clear (&clients[0]);
  json_node_unref (ask (clients[8]));
  procfun_monitor_close ();
  for (gsize i = 1; i < G_N_ELEMENTS (clients); i++)
    {
      assert_closed (clients[i]);
      close (clients[i]);
    }
}

/* A client that hangs up in the middle of an answer. */
static void
test_hang_up (void)
{
  open_monitor ();
  for (guint i = 0; i < 20; i++)
    {
      auto_fd int client = connect_client ();

      say (client, "json\njson\n");
    }
  procfun_monitor_close ();
}

/* By the environment, in programs of their own */

PROCFUN_DEFINE_STATIC_FUNCTION (has_monitor, gboolean)
{
  g_autofree char *path = get_path (getpid ());
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  return executor != NULL && g_file_test (path, G_FILE_TEST_EXISTS);
}

static const struct
{
  const char *value; /* (nullable) */
  gboolean opens;
} environments[] = { { "1", TRUE }, { "0", FALSE }, { "", FALSE }, { NULL, FALSE } };

static void
test_environment (void)
{
  g_autofree char *folder = get_runtime_folder ();
  g_autoptr (GDir) dir = NULL;

  if (g_test_subprocess ())
    {
      g_autofree char *path = get_path (getpid ());
      g_autoptr (GError) error = NULL;

      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_false (has_monitor_process (&error)); /* the child's own */
      g_assert_no_error (error);
      g_assert_cmpint (g_file_test (path, G_FILE_TEST_EXISTS), ==,
                       g_strcmp0 (g_getenv ("PROCFUN_MONITOR"), "1") == 0);
      exit (0);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (environments); i++)
    {
      if (environments[i].value != NULL)
        g_setenv ("PROCFUN_MONITOR", environments[i].value, TRUE);
      else
        g_unsetenv ("PROCFUN_MONITOR");
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
    }
  dir = g_dir_open (folder, 0, NULL);
  g_assert_null (dir != NULL ? g_dir_read_name (dir) : NULL);
}

/* A fork that exits leaves the socket to the process that opened it. */
static void
test_fork (void)
{
  auto_fd int client = -1;
  pid_t pid;

  open_monitor ();
  pid = fixture_fork ();
  if (pid == 0)
    {
      procfun_monitor_close ();
      fixture_exit_fork (TRUE);
    }
  fixture_wait_for_fork (pid);
  client = connect_client ();
  json_node_unref (ask (client));
  procfun_monitor_close ();
}

/* The folder stays from one test to the next, so it is not where the fixture looks. */
int
main (int argc, char **argv)
{
  g_autofree char *runtime = g_build_filename (g_get_tmp_dir (), "procfun-runtime-XXXXXX", NULL);
  g_autofree char *folder = NULL;
  int status;

  fixture_init (&argc, &argv);
  if (!g_test_subprocess ())
    g_setenv ("XDG_RUNTIME_DIR", g_mkdtemp (runtime), TRUE);
  fixture_add_func ("/monitor/the-socket-comes-and-goes", test_open_and_close);
  fixture_add_func ("/monitor/a-stale-socket-is-replaced", test_stale);
  fixture_add_func ("/monitor/a-folder-of-others-is-refused", test_folder_of_others);
  fixture_add_func ("/monitor/json-is-answered", test_json);
  fixture_add_func ("/monitor/openmetrics-is-answered", test_openmetrics);
  fixture_add_func ("/monitor/executors-come-and-go", test_executors_come_and_go);
  fixture_add_func ("/monitor/executors-of-threads-come-and-go", test_executors_in_threads);
  fixture_add_func ("/monitor/requests-arrive-in-pieces", test_pieces);
  fixture_add_func ("/monitor/wrong-requests-are-refused", test_wrong_requests);
  fixture_add_func ("/monitor/stuck-clients-hold-up-nobody", test_stuck_clients);
  fixture_add_func ("/monitor/surplus-clients-wait", test_too_many_clients);
  fixture_add_func ("/monitor/a-client-may-hang-up", test_hang_up);
  fixture_add_func ("/monitor/the-variable-opens-it", test_environment);
  fixture_add_func ("/monitor/a-fork-leaves-the-socket-alone", test_fork);
  status = fixture_run ();
  if (!g_test_subprocess ())
    {
      folder = get_runtime_folder ();
      g_rmdir (folder);
      g_rmdir (runtime);
    }
  return status;
}
