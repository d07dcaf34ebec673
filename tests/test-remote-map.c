/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps on hosts that this machine plays, whose elements travel in chunks. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/map-functions.h"
#include "tests/maps.h"
#include "tests/remotes.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static GVariant *
make_numbers (gint n)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(i)"));
  for (gint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "(i)", i);
  return g_variant_builder_end (&builder);
}

static guint64
count_chunks (ProcfunRemotePool *hosts)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (hosts));

  return procfun_statistics_get_submitted (statistics);
}

static void
assert_sums (GVariant *sums, gsize n)
{
  gsize n_sums;
  const gint32 *values = g_variant_get_fixed_array (sums, &n_sums, sizeof *values);

  g_assert_cmpuint (n_sums, ==, n);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpint (values[i], ==, (gint)i + 1);
}

/* Chunks */

static void
test_few_calls (gconstpointer async)
{
  const gsize n = 20000;
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  procfun_map_set_array (map, maps_make_pairs (n));
  sums = maps_run (map, async, NULL, &error);
  g_assert_no_error (error);
  assert_sums (sums, n);
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, n);
  g_assert_cmpuint (count_chunks (hosts), <, n / 10);
  g_clear_object (&map);
  remotes_close (hosts);
}

/* It says how many elements go at once. */
static void
test_chunk_size (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  procfun_map_set_array (map, maps_make_pairs (100));
  procfun_map_set_chunk_size (map, 10);
  sums = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  assert_sums (sums, 100);
  g_assert_cmpuint (count_chunks (hosts), ==, 10);
  g_clear_object (&map);
  remotes_close (hosts);
}

/* Those of any size lie one behind the other, too. */
static void
test_texts (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), make_text_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) texts = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(t)"));
  for (guint64 i = 0; i < 300; i++)
    g_variant_builder_add (&builder, "(t)", i % 17);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (map, 50);
  texts = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (texts), ==, 300);
  for (gsize i = 0; i < 300; i++)
    {
      const char *text;

      g_variant_get_child (texts, i, "&s", &text);
      g_assert_cmpuint (strlen (text), ==, i % 17);
    }
  g_clear_object (&map);
  remotes_close (hosts);
}

/* Elements are begun until the chunk has had its time, and the host with time for more takes what
 * is left. */
static void
test_slow_elements_are_given_back (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), take_time_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) times = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(x)"));
  for (gint i = 0; i < 500; i++)
    g_variant_builder_add (&builder, "(x)", (gint64)(i % 100 == 99 ? 30000 : 0));
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  times = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (times), ==, 500);
  for (gsize i = 0; i < 500; i++)
    {
      gint64 us;

      g_variant_get_child (times, i, "x", &us);
      g_assert_cmpint (us, ==, i % 100 == 99 ? 30000 : 0);
    }
  g_clear_object (&map);
  remotes_close (hosts);
}

/* Errors */

static void
test_errors_in_a_chunk (gconstpointer async)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map
      = maps_new_deaths (hosts, "fail,,crash,fail,,exit,cancel,,kill,", path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) crash = NULL;
  ProcfunFailure *failure;
  g_autoptr (GVariant) results = NULL;
  g_autofree char *text = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_chunk_size (map, 10);
  results = maps_run (map, async, NULL, &error);
  g_assert_no_error (error);
  text = g_variant_print (results, FALSE);
  g_assert_cmpstr (text, ==,
                   "[nothing, 10, nothing, nothing, 40, nothing, nothing, 70, nothing, 90]");
  maps_assert_error (map, 0, G_IO_ERROR, G_IO_ERROR_BUSY);
  maps_assert_error (map, 3, G_IO_ERROR, G_IO_ERROR_BUSY);
  maps_assert_error (map, 5, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
  maps_assert_error (map, 6, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  maps_assert_error (map, 8, PROCFUN_ERROR, PROCFUN_ERROR_KILLED);
  crash = procfun_map_get_error (map, 2);
  g_assert_error (crash, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  failure = procfun_error_get_failure (crash);
  g_assert_cmpint (procfun_failure_get_signal (failure), ==, SIGSEGV);
  g_assert_cmpstr (procfun_failure_get_host (failure), ==, "local*2");
  g_assert_cmpuint (count_chunks (hosts), ==, 1);
  g_clear_object (&map);
  remotes_close (hosts);
  maps_assert_called_once (path, 10);
}

/* The elements behind it are not called for. */
static void
test_error_ends_its_chunk (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (hosts, ",,fail,,", path);
  g_autoptr (GError) error = NULL;
  g_autofree guint *calls = NULL;
  GVariant *results;

  procfun_map_set_chunk_size (map, 5);
  results = procfun_map_run (map, NULL, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_null (results);
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 2);
  g_clear_object (&map);
  remotes_close (hosts);
  calls = maps_count_calls (path, 5);
  g_assert_cmpuint (calls[2], ==, 1);
  g_assert_cmpuint (calls[3] + calls[4], ==, 0);
}

static void
test_large_element (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunMap) map
      = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), string_length_function ());
  g_autofree char *large = g_strnfill (4096, 'x');
  const char *texts[] = { "a", "bb", large, "dddd" };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autofree char *text = NULL;
  GVariantBuilder builder;

  procfun_remote_pool_set_max_payload (hosts, 1024);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(s)"));
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_variant_builder_add (&builder, "(s)", texts[i]);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_chunk_size (map, 4);
  results = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  text = g_variant_print (results, FALSE);
  g_assert_cmpstr (text, ==, "[1, 2, nothing, 4]");
  maps_assert_error (map, 2, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
  g_clear_object (&map);
  remotes_close (hosts);
}

/* Lost hosts */

/* The first element kills its host, unless there is a file @path, which it makes before. */
static gint
strike (gint n, const char *path)
{
  if (n > 0 || g_file_test (path, G_FILE_TEST_EXISTS))
    return n;
  g_file_set_contents (path, "", 0, NULL);
  kill (remotes_get_host_process (), SIGKILL);
  for (;;)
    pause ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (strike_host, gint, (gint, n), (const char *, path))
{
  return strike (n, path);
}

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (strike_again, gint, (gint, n), (const char *, path))
{
  return strike (n, path);
}

static GVariant *
run_strikes (ProcfunRemotePool *hosts, ProcfunFunction *function, ProcfunMap **map)
{
  g_autofree char *folder = g_dir_make_tmp ("procfun-remote-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "struck", NULL);
  g_autoptr (GError) error = NULL;
  GVariantBuilder builder;
  GVariant *results;

  *map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), function);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(is)"));
  for (gint i = 0; i < 12; i++)
    g_variant_builder_add (&builder, "(is)", i, path);
  procfun_map_set_array (*map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (*map, 4);
  procfun_map_set_on_error (*map, PROCFUN_MAP_COLLECT);
  results = procfun_map_run (*map, NULL, &error);
  g_assert_no_error (error);
  g_unlink (path);
  g_rmdir (folder);
  return results;
}

/* It is not known which elements of its chunk have run. */
static void
test_lost_host (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1");
  g_autoptr (ProcfunMap) map = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autofree char *text = NULL;

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  results = run_strikes (hosts, strike_host_function (), &map);
  text = g_variant_print (results, FALSE);
  g_assert_cmpstr (text, ==, "[nothing, nothing, nothing, nothing, 4, 5, 6, 7, 8, 9, 10, 11]");
  for (guint64 i = 0; i < 4; i++)
    maps_assert_error (map, i, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  g_clear_object (&map);
  remotes_close (hosts);
}

static void
test_lost_host_of_idempotent_function (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1, local*1");
  g_autoptr (ProcfunMap) map = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autofree char *text = NULL;

  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  results = run_strikes (hosts, strike_again_function (), &map);
  text = g_variant_print (results, FALSE);
  g_assert_cmpstr (text, ==, "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]");
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 0);
  g_clear_object (&map);
  remotes_close (hosts);
}

/* Ends */

/* Says that it runs, and never ends. */
PROCFUN_DEFINE_STATIC_FUNCTION (hold_on, gint, (gint, n), (const char *, path))
{
  const int fd = open (path, O_WRONLY);

  if (fd < 0 || write (fd, "!", 1) != 1)
    g_error ("nobody waits at %s", path);
  for (;;)
    pause ();
  return n;
}

typedef struct
{
  char *folder;
  char *path;
  GCancellable *cancellable;
} Held;

/* When the first element of the chunk runs. */
static gpointer
cancel_when_held (gpointer user_data)
{
  Held *self = user_data;
  const int fd = open (self->path, O_RDONLY);
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  g_close (fd, NULL);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
test_cancelled_chunk (gconstpointer async)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), hold_on_function ());
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Held held
      = { .folder = g_dir_make_tmp ("procfun-remote-XXXXXX", NULL), .cancellable = cancellable };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  GVariantBuilder builder;
  GThread *thread;

  held.path = g_build_filename (held.folder, "held", NULL);
  g_assert_no_errno (mkfifo (held.path, 0600));
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(is)"));
  for (gint i = 0; i < 8; i++)
    g_variant_builder_add (&builder, "(is)", i, held.path);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (map, 8);
  thread = g_thread_new ("canceller", cancel_when_held, &held);
  results = maps_run (map, async, cancellable, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (results);
  g_thread_join (thread);
  g_clear_object (&map);
  remotes_close (hosts);
  g_unlink (held.path);
  g_rmdir (held.folder);
  g_free (held.path);
  g_free (held.folder);
}

PROCFUN_DEFINE_STATIC_FUNCTION (say, gint, (gint, n))
{
  printf ("says %d\n", n);
  fflush (stdout);
  return n;
}

/* Output of elements is printed here. */
static void
test_output (void)
{
  if (g_test_subprocess ())
    {
      ProcfunRemotePool *hosts = remotes_new ("local*1");
      g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), say_function ());
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) results = NULL;

      procfun_map_set_array (map, make_numbers (5));
      procfun_map_set_chunk_size (map, 5);
      results = procfun_map_run (map, NULL, &error);
      g_assert_no_error (error);
      g_clear_object (&map);
      remotes_close (hosts);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*says 0\nsays 1\nsays 2\nsays 3\nsays 4\n*");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_data_func ("/remote-map/chunks/blocking/are-fewer-than-elements", NULL,
                         test_few_calls);
  fixture_add_data_func ("/remote-map/chunks/async/are-fewer-than-elements", "", test_few_calls);
  fixture_add_func ("/remote-map/chunks/have-the-size-that-is-set", test_chunk_size);
  fixture_add_func ("/remote-map/chunks/hold-results-of-any-size", test_texts);
  fixture_add_func ("/remote-map/chunks/give-back-what-they-have-no-time-for",
                    test_slow_elements_are_given_back);
  fixture_add_data_func ("/remote-map/errors/blocking/are-of-their-elements", NULL,
                         test_errors_in_a_chunk);
  fixture_add_data_func ("/remote-map/errors/async/are-of-their-elements", "",
                         test_errors_in_a_chunk);
  fixture_add_func ("/remote-map/errors/end-their-chunk", test_error_ends_its_chunk);
  fixture_add_func ("/remote-map/errors/large-element-fails-alone", test_large_element);
  fixture_add_func ("/remote-map/lost-host/fails-the-elements-that-it-had", test_lost_host);
  fixture_add_func ("/remote-map/lost-host/idempotent-elements-run-again",
                    test_lost_host_of_idempotent_function);
  fixture_add_data_func ("/remote-map/ends/blocking/cancelled-map-ends-its-chunks", NULL,
                         test_cancelled_chunk);
  fixture_add_data_func ("/remote-map/ends/async/cancelled-map-ends-its-chunks", "",
                         test_cancelled_chunk);
  fixture_add_func ("/remote-map/output-comes-to-the-caller", test_output);

  return fixture_run ();
}
