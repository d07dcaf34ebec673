/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps on all executors: their elements are calls, or go in chunks. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/map-functions.h"
#include "tests/maps.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

typedef struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
  gconstpointer async; /* (nullable) */
  gboolean is_apart;   /* functions have processes of their own, or one that is theirs */
} Mode;

static ProcfunExecutor *
make_spawner (void)
{
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (executor), 3);
  return executor;
}

static ProcfunExecutor *
make_fork_server (void)
{
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  procfun_process_executor_set_max_processes (PROCFUN_PROCESS_EXECUTOR (executor), 3);
  return executor;
}

static ProcfunExecutor *
make_inline (void)
{
  return PROCFUN_EXECUTOR (procfun_inline_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (3));
}

static ProcfunExecutor *
make_hosts (void)
{
  return PROCFUN_EXECUTOR (remotes_new ("local*1, local*2"));
}

static const Mode modes[] = { { "spawner/blocking", make_spawner, NULL, TRUE },
                              { "spawner/async", make_spawner, "", TRUE },
                              { "fork-server/blocking", make_fork_server, NULL, TRUE },
                              { "fork-server/async", make_fork_server, "", TRUE },
                              { "inline/blocking", make_inline, NULL, FALSE },
                              { "inline/async", make_inline, "", FALSE },
                              { "pool/blocking", make_pool, NULL, TRUE },
                              { "pool/async", make_pool, "", TRUE },
                              { "hosts/blocking", make_hosts, NULL, TRUE },
                              { "hosts/async", make_hosts, "", TRUE } };

static void
close_executor (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (executor, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (executor);
}

static void
assert_printed (GVariant *value, const char *expected)
{
  g_autofree char *text = value != NULL ? g_variant_print (value, FALSE) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

static void
test_results (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const guint cancelled = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  g_assert_true (procfun_map_get_executor (map) == executor);
  g_assert_true ((procfun_map_get_pool (map) != NULL) == PROCFUN_IS_POOL (executor));
  procfun_map_set_array (map, maps_make_pairs (50));
  sums = maps_run (map, mode->async, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (sums), ==, 50);
  for (gsize i = 0; i < 50; i++)
    {
      gint sum;

      g_variant_get_child (sums, i, "i", &sum);
      g_assert_cmpint (sum, ==, (gint)i + 1);
    }
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 50);
  g_clear_object (&map);
  g_assert_false (g_signal_has_handler_pending (cancellable, cancelled, 0, TRUE));
  close_executor (executor);
}

static void
test_nothing (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = maps_new (executor, "echo_string", "@a(s) []");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = maps_run (map, mode->async, NULL, &error);

  g_assert_no_error (error);
  assert_printed (results, "[]");
  g_clear_object (&map);
  close_executor (executor);
}

/* Each element is called for once, whatever becomes of the others. */
static void
test_errors_are_collected (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  const char *deaths = mode->is_apart ? ",crash,,fail,exit,cancel," : ",,,fail,,cancel,";
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, deaths, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_no_error (error);
  maps_assert_error (map, 3, G_IO_ERROR, G_IO_ERROR_BUSY);
  maps_assert_error (map, 5, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (mode->is_apart)
    {
      maps_assert_error (map, 1, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      maps_assert_error (map, 4, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
      assert_printed (results, "[0, nothing, 20, nothing, nothing, nothing, 60]");
    }
  else
    assert_printed (results, "[0, 10, 20, nothing, 40, nothing, 60]");
  maps_assert_called_once (path, 7);
  g_clear_object (&map);
  close_executor (executor);
}

static void
test_error_stops (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map
      = maps_new_deaths (executor, mode->is_apart ? ",,fail,hang,hang" : ",,fail,", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = maps_run (map, mode->async, NULL, &error);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_null (results);
  g_clear_object (&map);
  close_executor (executor);
}

static void
test_any_order (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  gboolean seen[30] = { FALSE };
  g_autoptr (GError) error = NULL;
  GVariant *result;
  guint64 index;
  guint n = 0;

  procfun_map_set_array (map, maps_make_pairs (G_N_ELEMENTS (seen)));
  procfun_map_set_ordered (map, FALSE);
  while ((result = maps_next (map, mode->async, &index, NULL, &error)) != NULL)
    {
      g_assert_cmpint (g_variant_get_int32 (result), ==, (gint)index + 1);
      g_assert_false (seen[index]);
      seen[index] = TRUE;
      n++;
      g_variant_unref (result);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (seen));
  g_clear_object (&map);
  close_executor (executor);
}

/* Results may be taken in another main context each time, or in none. */
static void
test_turns (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  g_autoptr (GError) error = NULL;

  procfun_map_set_array (map, maps_make_pairs (20));
  for (gint i = 0; i < 20; i++)
    {
      g_autoptr (GVariant) sum
          = maps_next (map, i % 3 == 0 ? mode->async : NULL, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (sum), ==, i + 1);
    }
  g_assert_null (maps_next (map, mode->async, NULL, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&map);
  close_executor (executor);
}

static GVariant *
next_pair (gpointer n_given)
{
  guint *n = n_given;

  return g_variant_new ("(ii)", (*n)++, 1);
}

/* Only so many are taken as can wait, where each is a call; dropping the map ends what runs. */
static void
test_endless_input (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  ProcfunMap *map = procfun_map_new_on (executor, add_function ());
  g_autoptr (GError) error = NULL;
  guint n_given = 0;

  procfun_map_set_iterator (map, next_pair, &n_given, NULL);
  for (gint i = 0; i < 10; i++)
    {
      g_autoptr (GVariant) sum = maps_next (map, mode->async, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (sum), ==, i + 1);
    }
  if (!PROCFUN_IS_POOL (executor) && !PROCFUN_IS_REMOTE_POOL (executor))
    g_assert_cmpuint (n_given, <, 100);
  g_object_unref (map);
  close_executor (executor);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (20000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, "hang,hang,hang,hang", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("canceller", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = maps_run (map, mode->async, cancellable, &error);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (results);
  g_thread_join (thread);
  g_clear_object (&map);
  close_executor (executor);
}

/* One element is cancelled */

static void
test_cancel_before_begin (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, ",hang,,hang,hang,", path);
  const guint64 cancelled[] = { 1, 3, 4, 6, G_MAXUINT64 };
  g_autofree guint *calls = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  for (gsize i = 0; i < G_N_ELEMENTS (cancelled); i++)
    procfun_map_cancel_element (map, cancelled[i]);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_no_error (error);
  assert_printed (results, "[0, nothing, 20, nothing, nothing, 50]");
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 3);
  calls = maps_count_calls (path, 6);
  for (guint i = 0; i < 6; i++)
    g_assert_cmpuint (calls[i], ==, i == 0 || i == 2 || i == 5);
  for (gsize i = 0; i < 3; i++)
    maps_assert_error (map, cancelled[i], G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object (&map);
  close_executor (executor);
}

/* The first of them, behind those before it. */
static void
test_cancel_stops (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, ",,,", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_cancel_element (map, 3);
  procfun_map_cancel_element (map, 2);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_null (results);
  calls_check_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "element 2: *cancelled");
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 2);
  g_clear_object (&map);
  close_executor (executor);
}

/* All others have their results before that. */
static void
test_cancel_running (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, ",hang,,,,", path);
  g_autoptr (GError) error = NULL;
  guint seen = 0;
  guint64 index;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_ordered (map, FALSE);
  procfun_map_set_chunk_size (map, 1);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (GVariant) result = maps_next (map, mode->async, &index, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 10 * (gint)index);
      seen |= 1U << index;
    }
  g_assert_cmpuint (seen, ==, 61);
  procfun_map_cancel_element (map, 1);
  procfun_map_cancel_element (map, 2);
  g_assert_null (maps_next (map, mode->async, &index, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (index, ==, 1);
  g_clear_error (&error);
  g_assert_null (maps_next (map, mode->async, &index, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 1);
  maps_assert_called (path, 6, 1); /* its host may not have begun with it */
  g_clear_object (&map);
  close_executor (executor);
}

static void
wait_for_call (const char *path, char n)
{
  for (;;)
    {
      g_autofree char *text = NULL;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      if (strchr (text, n) != NULL)
        return;
      g_usleep (1000);
    }
}

static void
assert_result (ProcfunMap *map, gconstpointer async, guint64 expected)
{
  g_autoptr (GError) error = NULL;
  guint64 index;
  g_autoptr (GVariant) result = maps_next (map, async, &index, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (index, ==, expected);
  g_assert_cmpint (g_variant_get_int32 (result), ==, 10 * (gint)index);
}

static void
assert_cancelled (ProcfunMap *map, gconstpointer async, guint64 expected)
{
  g_autoptr (GError) error = NULL;
  guint64 index;

  g_assert_null (maps_next (map, async, &index, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (index, ==, expected);
}

/* The worker does not end for one that it has not begun. Others of later chunks have come before.
 */
static void
test_cancel_in_chunk (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autofree char *path = maps_make_path ();
  g_autofree char *go = g_strconcat (path, ".go", NULL);
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, "wait,,,,", path);
  g_autofree guint *calls = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_ordered (map, FALSE);
  procfun_map_set_chunk_size (map, 3);
  assert_result (map, mode->async, 3);
  assert_result (map, mode->async, 4);
  wait_for_call (path, '0');
  procfun_map_cancel_element (map, 3);
  procfun_map_cancel_element (map, 1);
  g_assert_true (g_file_set_contents (go, "", 0, NULL));
  assert_result (map, mode->async, 0);
  assert_cancelled (map, mode->async, 1);
  assert_result (map, mode->async, 2);
  g_assert_null (maps_next (map, mode->async, NULL, NULL, NULL));
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 1);
  calls = maps_count_calls (path, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (calls[i], ==, i != 1);
  g_assert_no_errno (g_unlink (go));
  g_clear_object (&map);
  close_executor (executor);
}

/* Of a chunk that waits for its first element, also on a host. */
static void
test_cancel_several (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autofree char *path = maps_make_path ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, "hang,,,,,", path);
  g_autofree guint *calls = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_ordered (map, FALSE);
  procfun_map_set_chunk_size (map, 3);
  for (guint i = 3; i < 6; i++)
    assert_result (map, mode->async, i);
  procfun_map_cancel_element (map, 1);
  procfun_map_cancel_element (map, 0);
  assert_cancelled (map, mode->async, 0);
  assert_cancelled (map, mode->async, 1);
  assert_result (map, mode->async, 2);
  g_assert_null (maps_next (map, mode->async, NULL, NULL, NULL));
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 2);
  calls = maps_count_calls (path, 6);
  for (guint i = 1; i < 6; i++)
    g_assert_cmpuint (calls[i], ==, i != 1);
  g_clear_object (&map);
  close_executor (executor);
}

/* Far more than there are workers, and nothing is called. */
static void
test_cancel_all (void)
{
  ProcfunExecutor *executor = make_pool ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  const gsize n = 20000;

  procfun_map_set_array (map, maps_make_pairs (n));
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  for (gsize i = n; i-- > 1;)
    procfun_map_cancel_element (map, i);
  results = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (results), ==, n);
  g_assert_cmpuint (procfun_map_get_n_failed (map), ==, n - 1);
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 1);
  g_clear_object (&map);
  close_executor (executor);
}

static void
test_deadline (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, "hang,hang", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_deadline (map, 50000);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "the map of ten_times()"));
  g_clear_object (&map);
  close_executor (executor);
}

static void
test_timeout (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = maps_new_deaths (executor, "hang,,hang", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_timeout (map, G_USEC_PER_SEC);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_no_error (error);
  assert_printed (results, "[nothing, 10, nothing]");
  maps_assert_error (map, 0, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  maps_assert_error (map, 2, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_clear_object (&map);
  close_executor (executor);
}

static void
test_closed (gconstpointer data)
{
  const Mode *mode = data;
  ProcfunExecutor *executor = mode->make ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, add_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_array (map, maps_make_pairs (5));
  close_executor (g_object_ref (executor));
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_clear_object (&map);
  g_object_unref (executor);
}

/* Where no call could begin, the map has failed, and not its elements. */
static void
test_hosts_out_of_reach (gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts = procfun_remote_pool_new ("exec:/nowhere/at/all {}", &error);
  g_autoptr (ProcfunMap) map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (GVariant) results = NULL;

  g_assert_no_error (error);
  procfun_map_set_array (map, maps_make_pairs (5));
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  results = maps_run (map, mode->async, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE);
  g_clear_object (&map);
  close_executor (PROCFUN_EXECUTOR (hosts));
}

/* No more at once than the executor has processes. */
static void
test_bound (void)
{
  ProcfunExecutor *executor = make_fork_server ();
  g_autoptr (ProcfunMap) map = maps_new (executor, "take_time", NULL);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  GVariantBuilder builder;
  guint n_max = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(x)"));
  for (guint i = 0; i < 12; i++)
    g_variant_builder_add (&builder, "(x)", (gint64)5000);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  g_main_context_push_thread_default (context);
  procfun_map_run_async (map, NULL, maps_on_result, &result);
  while (result == NULL)
    {
      g_autoptr (ProcfunStatistics) statistics = NULL;

      g_main_context_iteration (context, TRUE);
      statistics = procfun_statistics_new (executor);
      n_max = MAX (n_max, procfun_statistics_get_running (statistics)
                              + procfun_statistics_get_queued (statistics));
    }
  g_main_context_pop_thread_default (context);
  results = procfun_map_run_finish (map, result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_max, <=, 3);
  g_assert_cmpuint (n_max, >=, 2);
  g_clear_object (&map);
  close_executor (executor);
}

/* Its calls end with the main context of the map, and nobody waits for them any more. */
static void
test_frozen_host (void)
{
  g_autoptr (GError) error = NULL;
  ProcfunRemotePool *hosts = procfun_remote_pool_new ("local*1", &error);
  ProcfunMap *map = procfun_map_new_on (PROCFUN_EXECUTOR (hosts), add_function ());
  g_autoptr (GVariant) sum = NULL;
  g_autoptr (GArray) children = NULL;
  guint n_given = 0;
  pid_t host;

  procfun_map_set_iterator (map, next_pair, &n_given, NULL);
  sum = procfun_map_next (map, NULL, NULL, &error);
  g_assert_no_error (error);
  children = remotes_find_children ();
  g_assert_cmpuint (children->len, ==, 1);
  host = g_array_index (children, pid_t, 0);
  g_assert_no_errno (kill (host, SIGSTOP));
  g_object_unref (map);
  g_assert_no_errno (kill (host, SIGCONT));
  close_executor (PROCFUN_EXECUTOR (hosts));
}

typedef struct
{
  const char *name;
  GTestDataFunc func;
  gboolean needs_processes;
} Test;

int
main (int argc, char **argv)
{
  static const Test tests[]
      = { { "results-come-in-order", test_results, FALSE },
          { "no-elements-have-no-results", test_nothing, FALSE },
          { "errors-are-of-their-elements", test_errors_are_collected, FALSE },
          { "error-ends-the-others", test_error_stops, FALSE },
          { "results-come-as-they-are-there", test_any_order, FALSE },
          { "main-contexts-take-turns", test_turns, FALSE },
          { "input-may-have-no-end", test_endless_input, FALSE },
          { "cancelled-map-ends-its-calls", test_cancel, TRUE },
          { "cancelled-elements-are-not-called", test_cancel_before_begin, FALSE },
          { "cancelled-element-ends-the-others", test_cancel_stops, FALSE },
          { "cancelled-element-ends-alone", test_cancel_running, TRUE },
          { "late-map-ends-its-calls", test_deadline, TRUE },
          { "late-elements-fail-alone", test_timeout, TRUE },
          { "closed-executor-fails-the-map", test_closed, FALSE } };

  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (modes); j++)
      {
        g_autofree char *path = g_strdup_printf ("/map-on/%s/%s", modes[j].name, tests[i].name);

        if (modes[j].is_apart || !tests[i].needs_processes)
          fixture_add_data_func (path, &modes[j], tests[i].func);
      }
  fixture_add_data_func ("/map-on/hosts/blocking/out-of-reach-fail-the-map", &modes[8],
                         test_hosts_out_of_reach);
  fixture_add_data_func ("/map-on/hosts/async/out-of-reach-fail-the-map", &modes[9],
                         test_hosts_out_of_reach);
  for (gsize i = 6; i < 10; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/map-on/%s/chunk-goes-on-behind-cancelled-elements", modes[i].name);

      fixture_add_data_func (path, &modes[i], test_cancel_several);
    }
  for (gsize i = 6; i < 8; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/map-on/%s/cancelled-element-of-a-chunk-is-not-begun", modes[i].name);

      fixture_add_data_func (path, &modes[i], test_cancel_in_chunk);
    }
  fixture_add_func ("/map-on/pool/thousands-of-elements-are-cancelled", test_cancel_all);
  fixture_add_func ("/map-on/hosts/frozen-one-does-not-keep-a-dropped-map", test_frozen_host);
  fixture_add_func ("/map-on/fork-server/bound-of-processes-holds", test_bound);

  return fixture_run ();
}
