/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sources of a map's elements, and results one by one; each blocking and in a main context. */

#include "procfun/core/function.h"
#include "procfun/map/map-queue.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/map-functions.h"
#include "tests/maps.h"
#include "tests/pools.h"

#include <signal.h>

/* Numbers without end */

typedef struct
{
  gint n;   /* that were taken */
  gint max; /* after which it ends; 0: never */
  gboolean is_destroyed;
} Counter;

static GVariant *
count (gpointer user_data)
{
  Counter *self = user_data;

  if (self->max > 0 && self->n == self->max)
    return NULL;
  return g_variant_new ("(ii)", self->n++, 1);
}

static void
note_destroyed (gpointer user_data)
{
  ((Counter *)user_data)->is_destroyed = TRUE;
}

static void
assert_next (ProcfunMap *map, gconstpointer mode, guint64 expected_index, gint expected)
{
  g_autoptr (GError) error = NULL;
  guint64 index;
  g_autoptr (GVariant) result = maps_next (map, mode, &index, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (result);
  g_assert_cmpuint (index, ==, expected_index);
  g_assert_cmpint (g_variant_get_int32 (result), ==, expected);
}

static void
assert_end (ProcfunMap *map, gconstpointer mode)
{
  g_autoptr (GError) error = NULL;
  guint64 index = 0;

  g_assert_null (maps_next (map, mode, &index, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (index, ==, G_MAXUINT64);
}

/* No more is taken than two workers need, and four times as much that waits for them. */
static void
test_unbounded (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  Counter counter = { 0 };

  procfun_map_set_iterator (map, count, &counter, note_destroyed);
  procfun_map_set_chunk_size (map, 10);
  for (gint i = 0; i < 1000; i++)
    {
      assert_next (map, mode, (guint64)i, i + 1);
      g_assert_cmpint (counter.n - i, <=, 12 * 10);
    }
  g_assert_false (counter.is_destroyed);
  g_clear_object (&map);
  g_assert_true (counter.is_destroyed);
}

static void
test_iterator (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  const gint sizes[] = { 1, 2, 3, 5000 };
  Counter none = { .n = 1, .max = 1 };
  g_autoptr (ProcfunMap) nothing = procfun_map_new (pool, add_function ());

  procfun_map_set_iterator (nothing, count, &none, NULL);
  assert_end (nothing, mode);
  assert_end (nothing, mode);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
      Counter counter = { .max = sizes[i] };

      procfun_map_set_iterator (map, count, &counter, NULL);
      for (gint j = 0; j < sizes[i]; j++)
        assert_next (map, mode, (guint64)j, j + 1);
      assert_end (map, mode);
    }
}

/* An element of another type ends it, after those before it. */
static GVariant *
count_to_text (gpointer user_data)
{
  Counter *self = user_data;

  return self->n < 2 ? count (self) : g_variant_new ("(s)", "two");
}

static void
test_wrong_type (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  Counter counter = { 0 };
  g_autoptr (GError) error = NULL;

  procfun_map_set_iterator (map, count_to_text, &counter, NULL);
  g_assert_null (maps_run (map, mode, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                     "element 2 is of the type “(s)”, not “(ii)”");
}

/* Those that take long come later. */
static void
test_unordered (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map
      = maps_new (pool, "take_time", "@a(x) [(1000000,), (0,), (0,), (0,), (0,), (0,)]");
  g_autoptr (GError) error = NULL;
  guint seen = 0;

  procfun_map_set_ordered (map, FALSE);
  procfun_map_set_chunk_size (map, 1);
  for (gint i = 0; i < 6; i++)
    {
      guint64 index;
      g_autoptr (GVariant) result = maps_next (map, mode, &index, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int64 (result), ==, index == 0 ? 1000000 : 0);
      g_assert_cmpint (index == 0, ==, i == 5);
      seen |= 1U << index;
    }
  g_assert_cmpuint (seen, ==, 63);
  assert_end (map, mode);
}

static void
test_collect (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",fail,,crash", NULL);
  g_autoptr (GError) error = NULL;
  guint64 index;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  assert_next (map, mode, 0, 0);
  g_assert_null (maps_next (map, mode, &index, NULL, &error));
  calls_check_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "1 is busy");
  g_assert_cmpuint (index, ==, 1);
  g_clear_error (&error);
  assert_next (map, mode, 2, 20);
  g_assert_null (maps_next (map, mode, &index, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_assert_cmpuint (index, ==, 3);
  assert_end (map, mode);
}

static void
test_stop (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",,fail,hang,fail", NULL);

  procfun_map_set_chunk_size (map, 1);
  assert_next (map, mode, 0, 0);
  assert_next (map, mode, 1, 10);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 index;

      g_assert_null (maps_next (map, mode, &index, NULL, &error));
      calls_check_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "2 is busy");
      g_assert_cmpuint (index, ==, i == 0 ? 2 : G_MAXUINT64);
    }
}

/* Models */

static GVariant *
read_file (gpointer item, gpointer user_data)
{
  gint n = GPOINTER_TO_INT (g_object_get_data (item, "n"));

  g_assert_true (user_data == &read_file);
  return g_variant_new ("(ii)", n, 1);
}

static void
test_model (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GListStore) store = g_list_store_new (G_TYPE_OBJECT);

  for (gint i = 0; i < 20; i++)
    {
      g_autoptr (GObject) item = g_object_new (G_TYPE_OBJECT, NULL);

      g_object_set_data (item, "n", GINT_TO_POINTER (100 * i));
      g_list_store_append (store, item);
    }
  procfun_map_set_model (map, G_LIST_MODEL (store), read_file, &read_file, NULL);
  for (gint i = 0; i < 20; i++)
    assert_next (map, mode, (guint64)i, 100 * i + 1);
  assert_end (map, mode);
}

/* Pushed */

static void
test_push (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());

  for (gint i = 0; i < 10; i++)
    {
      procfun_map_push (map, g_variant_new ("(ii)", i, 1));
      procfun_map_push (map, g_variant_new ("(ii)", i, 2));
      assert_next (map, mode, 2 * (guint64)i, i + 1);
      assert_next (map, mode, 2 * (guint64)i + 1, i + 2);
    }
  procfun_map_push (map, g_variant_new ("(ii)", 7, 7));
  procfun_map_end_input (map);
  assert_next (map, mode, 20, 14);
  g_assert_cmpuint (procfun_map_get_n_pushed (map), ==, 0);
  assert_end (map, mode);
}

static void
test_push_in_vain (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (ProcfunMap) other = procfun_map_new (pool, add_function ());
  g_autoptr (GError) error = NULL;

  g_assert_null (procfun_map_run (other, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*only this thread could add");
  g_clear_error (&error);
  procfun_map_push (map, g_variant_new ("(ii)", 1, 1));
  assert_next (map, NULL, 0, 2);
  g_assert_null (procfun_map_next (map, NULL, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "*only this thread could add");
}

static gboolean
push_one (gpointer map)
{
  procfun_map_push (map, g_variant_new ("(ii)", 5, 6));
  return G_SOURCE_REMOVE;
}

/* Another caller waits already. */
static void
test_push_late (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) sum = NULL;

  procfun_map_push (map, g_variant_new ("(ii)", 1, 1));
  assert_next (map, NULL, 0, 2);
  procfun_map_next_async (map, NULL, maps_on_result, &result);
  g_timeout_add (20, push_one, map);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  sum = procfun_map_next_finish (map, result, NULL, NULL);
  g_assert_cmpint (g_variant_get_int32 (sum), ==, 11);
}

/* Beside others */

static void
on_progress (ProcfunMap *map, guint64 n, guint64 n_total, gpointer last)
{
  g_assert_cmpuint (n, >=, *(guint64 *)last);
  g_assert_cmpuint (n_total, ==, 100);
  *(guint64 *)last = n;
}

static void
test_progress (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GVariant) results = NULL;
  guint64 last = 0;

  procfun_map_set_array (map, maps_make_pairs (100));
  g_signal_connect (map, "progress", G_CALLBACK (on_progress), &last);
  results = maps_run (map, mode, NULL, NULL);
  g_assert_nonnull (results);
  g_assert_cmpuint (last, ==, 100);
}

/* Running elements end with the map, and its workers are free for others only then. */
static void
test_dropped (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",hang,hang,", NULL);
  g_autoptr (ProcfunMap) other = maps_new (pool, "add", "[(1, 2)]");

  procfun_map_set_chunk_size (map, 1);
  assert_next (map, mode, 0, 0);
  g_clear_object (&map);
  assert_next (other, mode, 0, 3);
}

/* In turns with calls, whose main context waits for the same worker. */
static void
test_calls (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = calls_new ("add", "(1, 2)");
      g_autoptr (GAsyncResult) called = NULL;
      g_autoptr (GAsyncResult) mapped = NULL;
      g_autoptr (GVariant) sum = NULL;
      g_autoptr (GVariant) sums = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      procfun_call_run_async (call, NULL, maps_on_result, &called);
      while (called == NULL)
        g_main_context_iteration (NULL, TRUE);
      sum = procfun_call_run_finish (call, called, NULL);
      g_assert_cmpint (g_variant_get_int32 (sum), ==, 3);
      procfun_pool_map_async (pool, add_function (), maps_make_pairs (1000), NULL, maps_on_result,
                              &mapped);
      while (mapped == NULL)
        g_main_context_iteration (NULL, TRUE);
      sums = procfun_pool_map_finish (pool, mapped, NULL);
      g_assert_cmpuint (g_variant_n_children (sums), ==, 1000);
    }
}

/* Two that have to share. */
static void
test_two (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  ProcfunMap *maps[2];
  GAsyncResult *results[2] = { NULL, NULL };

  for (guint i = 0; i < 2; i++)
    {
      maps[i] = procfun_map_new (pool, add_function ());
      procfun_map_set_array (maps[i], maps_make_pairs (10000));
      procfun_map_set_chunk_size (maps[i], 100);
      procfun_map_run_async (maps[i], NULL, maps_on_result, &results[i]);
    }
  while (results[0] == NULL || results[1] == NULL)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GVariant) sums = procfun_map_run_finish (maps[i], results[i], NULL);

      g_assert_cmpuint (g_variant_n_children (sums), ==, 10000);
      g_object_unref (results[i]);
      g_object_unref (maps[i]);
    }
}

/* Begun elements end well, and no more begin. */
static void
test_close (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;
  Counter counter = { 0 };

  procfun_map_set_iterator (map, count, &counter, NULL);
  procfun_map_set_chunk_size (map, 10);
  assert_next (map, NULL, 0, 1);
  procfun_map_run_async (map, NULL, maps_on_result, &result);
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, maps_on_result, &closed);
  while (result == NULL || closed == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (pool), closed, &error));
  g_assert_no_error (error);
  g_assert_null (procfun_map_run_finish (map, result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
}

/* Ends the element that hangs. */
static void
test_close_in_time (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "hang,hang,hang", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;

  procfun_pool_set_close_timeout (pool, 50 * G_TIME_SPAN_MILLISECOND);
  procfun_map_run_async (map, NULL, maps_on_result, &result);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, maps_on_result, &closed);
  while (result == NULL || closed == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (procfun_map_run_finish (map, result, &error));
  g_assert_nonnull (error);
}

/* It would wait for its own workers. */
static GVariant *
count_by_call (gpointer pool)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = calls_new ("add", "(1, 2)");
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, pool);
  result = procfun_call_run (call, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  return NULL;
}

static void
test_nested (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());

  procfun_map_set_iterator (map, count_by_call, pool, NULL);
  assert_end (map, NULL);
}

/* The map's first result comes while its second worker is still being started, in a main context
 * that nobody runs any more. */
static void
test_left_while_starting (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  Counter counter = { 0 };
  int zygote = pools_get_number (pool, get_parent_id_call ());

  g_assert_cmpint (kill (zygote, SIGSTOP), ==, 0);
  procfun_map_set_iterator (map, count, &counter, NULL);
  assert_next (map, "async", 0, 1);
  g_clear_object (&map);
  g_assert_cmpint (kill (zygote, SIGCONT), ==, 0);
}

/* The same, when the map has failed. */
static void
test_failed_while_starting (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "fail,-", NULL);
  g_autoptr (GError) error = NULL;
  int zygote = pools_get_number (pool, get_parent_id_call ());

  g_assert_cmpint (kill (zygote, SIGSTOP), ==, 0);
  procfun_map_set_chunk_size (map, 1);
  g_assert_null (maps_run (map, "async", NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_clear_object (&map);
  g_assert_cmpint (kill (zygote, SIGCONT), ==, 0);
}

/* Chunks given to workers, and results that come back */

static MapChunk
take (MapInput *input, ProcfunFunction *function, gsize n_max, gsize max_bytes)
{
  const ProcfunSchema *schema = procfun_function_get_arguments_schema (function);
  MapChunk chunk;

  g_assert_true (map_input_take (input, schema, n_max, max_bytes, &chunk, NULL));
  return chunk;
}

static void
assert_taken (MapInput *input, ProcfunFunction *function, gsize max_bytes, guint64 first, gsize n)
{
  MapChunk chunk = take (input, function, 4, max_bytes);

  g_assert_cmpuint (chunk.first, ==, first);
  g_assert_cmpuint (chunk.n, ==, n);
  g_assert_cmpuint (g_variant_n_children (chunk.args), ==, n);
  map_chunk_clear (&chunk);
}

static void
test_input_back (void)
{
  g_autoptr (GVariant) pairs = g_variant_ref_sink (maps_make_pairs (20));
  MapInput *input = map_input_new_array (pairs);
  MapChunk first = take (input, add_function (), 4, G_MAXSIZE);
  MapChunk second = take (input, add_function (), 4, G_MAXSIZE);

  g_assert_false (map_input_has (input, 0));
  g_assert_true (map_input_has (input, 8));
  g_assert_true (map_input_has (input, 19));
  g_assert_false (map_input_has (input, 20));
  map_input_give_back (input, &first);
  g_assert_true (map_input_has (input, 0) && map_input_has (input, 3));
  g_assert_false (map_input_has (input, 4));
  map_input_give_back (input, &second);
  g_assert_cmpuint (map_input_get_left (input), ==, 20);
  assert_taken (input, add_function (), G_MAXSIZE, 0, 4);
  assert_taken (input, add_function (), G_MAXSIZE, 4, 4);
  map_input_free (input);
}

static void
test_input_bytes (void)
{
  g_autoptr (GVariant) pairs = g_variant_ref_sink (maps_make_pairs (20));
  g_autoptr (GVariant) texts
      = g_variant_ref_sink (g_variant_new_parsed ("[('a',), ('b',), ('c',), ('d',)]"));
  MapInput *input = map_input_new_array (pairs);

  assert_taken (input, add_function (), 16, 0, 2);
  assert_taken (input, add_function (), 15, 2, 1);
  assert_taken (input, add_function (), 1, 3, 1);
  map_input_free (input);
  input = map_input_new_array (texts);
  assert_taken (input, string_length_function (), 1, 0, 1);
  assert_taken (input, string_length_function (), 20, 1, 2);
  map_input_free (input);
}

static void
test_input_pushed (void)
{
  g_autoptr (GVariant) pairs = g_variant_ref_sink (maps_make_pairs (20));
  MapInput *input = map_input_new_open ();

  map_input_push (input, pairs);
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 20);
  assert_taken (input, add_function (), G_MAXSIZE, 0, 4);
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 16);
  map_input_cut (input);
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 0);
  g_assert_true (map_input_has_ended (input));
  map_input_push (input, pairs);
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 0);
  g_assert_true (map_input_has_ended (input));
  map_input_free (input);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = {
    { "unbounded", test_unbounded },   { "iterator", test_iterator },
    { "wrong-type", test_wrong_type }, { "unordered", test_unordered },
    { "collect", test_collect },       { "stop", test_stop },
    { "model", test_model },           { "progress", test_progress },
    { "dropped", test_dropped },       { "push", test_push },
  };

  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (guint j = 0; j < 2; j++)
      {
        const char *mode = j == 0 ? "blocking" : "async";
        g_autofree char *path = g_strdup_printf ("/map-stream/%s/%s", tests[i].name, mode);

        fixture_add_data_func (path, j == 0 ? NULL : mode, tests[i].func);
      }
  fixture_add_func ("/map-stream/push/pushing-to-a-closed-map-fails", test_push_in_vain);
  fixture_add_func ("/map-stream/push/a-waiting-caller-gets-a-late-element", test_push_late);
  fixture_add_func ("/map-stream/maps-and-calls-take-turns", test_calls);
  fixture_add_func ("/map-stream/two-maps-share-workers", test_two);
  fixture_add_func ("/map-stream/closing-lets-begun-elements-end", test_close);
  fixture_add_func ("/map-stream/close/closing-in-time-ends-what-hangs", test_close_in_time);
  fixture_add_func ("/map-stream/a-nested-map-is-refused", test_nested);
  fixture_add_func ("/map-stream/input/what-comes-back-has-its-place", test_input_back);
  fixture_add_func ("/map-stream/input/bytes-bound-a-chunk", test_input_bytes);
  fixture_add_func ("/map-stream/input/nothing-comes-to-what-is-closed", test_input_pushed);
  fixture_add_func ("/map-stream/nothing-is-left-of-a-map-whose-worker-is-being-started",
                    test_left_while_starting);
  fixture_add_func (
      "/map-stream/nothing-is-left-of-a-map-that-fails-while-a-worker-is-being-started",
      test_failed_while_starting);
  return fixture_run ();
}
