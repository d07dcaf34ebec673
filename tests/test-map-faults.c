/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps whose elements cheat, are too large, or stop the map; each blocking and in a main context.
 */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/map-functions.h"
#include "tests/maps.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct
{
  const char *function;
  const char *how;
} cheats[] = {
  { "cheat_in_number", "many" },   { "cheat_in_number", "unbegun" }, { "cheat_in_number", "bytes" },
  { "cheat_in_number", "return" }, { "cheat_in_text", "bytes" },     { "cheat_in_text", "end" },
  { "cheat_in_text", "filled" },
};

static glong
get_peak_kib (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* A false journal is an error, and nothing is allocated for what it claims. */
static void
test_cheat (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cheats); i++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
      g_autofree char *array = g_strdup_printf ("[(0, ''), (1, '%s'), (2, '')]", cheats[i].how);
      g_autoptr (ProcfunMap) map = maps_new (pool, cheats[i].function, array);
      glong peak = get_peak_kib ();
      g_autoptr (GError) error = NULL;

      procfun_map_set_chunk_size (map, 1);
      g_assert_null (maps_run (map, mode, NULL, &error));
      g_assert_nonnull (error);
      g_assert_cmpint (get_peak_kib () - peak, <, 100 * 1024);
    }
}

/* A shared region belongs to one process: others are replaced here after each chunk. */
static void
test_own_journal (gconstpointer mode)
{
  const gint n = 60;
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, scribble_function ());
  g_autoptr (GHashTable) owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(i)"));
  for (gint i = 0; i < n; i++)
    g_variant_builder_add (&builder, "(i)", i);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (map, 5);
  procfun_pool_set_calls_per_worker (pool, 2);
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  for (gint i = 0; i < n; i++)
    {
      const char *text;
      g_auto (GStrv) words = NULL;
      const char *owner;

      g_variant_get_child (results, (gsize)i, "&s", &text);
      words = g_strsplit (text, " ", -1);
      g_assert_cmpuint (g_strv_length (words), ==, 3);
      g_assert_cmpint (atoi (words[2]), ==, i);
      owner = g_hash_table_lookup (owners, words[0]);
      if (owner != NULL)
        g_assert_cmpstr (owner, ==, words[1]);
      else
        g_hash_table_insert (owners, g_strdup (words[0]), g_strdup (words[1]));
    }
  g_assert_cmpuint (g_hash_table_size (owners), >=, 6);
}

static void
test_too_large (gconstpointer mode)
{
  const guint chunk_sizes[] = { 0, 1, 7 };

  for (gsize i = 0; i < G_N_ELEMENTS (chunk_sizes); i++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
      g_autoptr (ProcfunMap) map = NULL;
      g_autofree char *large = g_strnfill (3000000, 'x');
      g_autofree char *array
          = g_strdup_printf ("[('a',), ('%s',), ('b',), ('c',), ('%s',)]", large, large);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) results = NULL;
      g_autofree char *text = NULL;

      procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (pool), 2000000);
      map = maps_new (pool, "echo_string", array);
      procfun_map_set_chunk_size (map, chunk_sizes[i]);
      procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
      results = maps_run (map, mode, NULL, &error);
      g_assert_no_error (error);
      text = g_variant_print (results, FALSE);
      g_assert_cmpstr (text, ==, "['a', nothing, 'b', 'c', nothing]");
      maps_assert_error (map, 1, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
      maps_assert_error (map, 4, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
    }
}

/* As a whole: elements that run, and those to come. */
static void
test_deadline (gconstpointer mode)
{
  static const char *const deaths[] = { "hang", "-,hang,-,-,-,-" };

  for (gsize i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
      g_autoptr (ProcfunMap) map = maps_new_deaths (pool, deaths[i], NULL);
      g_autoptr (GError) error = NULL;

      procfun_map_set_chunk_size (map, 1);
      procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
      g_object_set (map, "deadline", (gint64)(200 * G_TIME_SPAN_MILLISECOND), NULL);
      g_assert_cmpint (procfun_map_get_deadline (map), ==, 200 * G_TIME_SPAN_MILLISECOND);
      g_assert_null (maps_run (map, mode, NULL, &error));
      calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, "*ten_times()*0.2 s");
      procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
    }
}

static gpointer
acquire (gpointer pool)
{
  return procfun_pool_acquire (pool, ten_times_function (), NULL, NULL);
}

/* No worker is free for it. */
static void
test_deadline_without_worker (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunSession) session = g_thread_join (g_thread_new ("acquires", acquire, pool));
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "-", NULL);
  g_autoptr (GError) error = NULL;

  procfun_map_set_deadline (map, 50 * G_TIME_SPAN_MILLISECOND);
  g_assert_null (maps_run (map, mode, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, "*0.05 s");
  g_assert_nonnull (session);
}

static void
test_deadline_in_time (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "-,-,-", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_deadline (map, G_TIME_SPAN_HOUR);
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (results), ==, 3);
}

/* Input that fails */

typedef struct
{
  ProcfunMap *map;
  gint n;
} Input;

static GVariant *
next_until_failure (gpointer user_data)
{
  Input *self = user_data;
  g_autoptr (GError) error = NULL;

  if (self->n++ < 3)
    return g_variant_new ("(ii)", self->n, 1);
  g_set_error_literal (&error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the tape is torn");
  procfun_map_fail_input (self->map, error);
  return NULL;
}

/* The elements before it have their results. */
static void
test_input_fails (gconstpointer mode)
{
  for (guint whole = 0; whole < 2; whole++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
      g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
      Input input = { map, 0 };
      g_autoptr (GError) error = NULL;
      guint64 index;

      procfun_map_set_iterator (map, next_until_failure, &input, NULL);
      for (gint i = 0; i < 3 && whole == 0; i++)
        {
          g_autoptr (GVariant) item = maps_next (map, mode, &index, NULL, &error);

          g_assert_no_error (error);
          g_assert_cmpint (g_variant_get_int32 (item), ==, i + 2);
        }
      if (whole == 0)
        g_assert_null (maps_next (map, mode, &index, NULL, &error));
      else
        g_assert_null (maps_run (map, mode, NULL, &error));
      calls_check_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "the tape is torn");
      g_assert_cmpuint (procfun_map_get_n_done (map), ==, 3);
    }
}

static void
test_pushed_input_fails (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GError) torn = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "torn");
  g_autoptr (GError) error = NULL;

  procfun_map_push (map, g_variant_new ("(ii)", 1, 2));
  procfun_map_fail_input (map, torn);
  g_assert_null (maps_run (map, mode, NULL, &error));
  calls_check_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "torn");
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 1);
}

/* A map that has failed gives its workers back, or the pool could not be closed. */
static void
test_close_after_failure (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "fail,hang", NULL);
  g_autoptr (GError) error = NULL;

  procfun_map_set_chunk_size (map, 1);
  g_assert_null (maps_run (map, mode, NULL, &error));
  calls_check_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "element 0: 0 is busy");
  g_clear_error (&error);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error);
  g_assert_no_error (error);
}

static void
test_close_after_failed_result (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "fail,hang", NULL);
  guint64 index;
  g_autoptr (GError) error = NULL;

  procfun_map_set_chunk_size (map, 1);
  g_assert_null (maps_next (map, mode, &index, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpuint (index, ==, 0);
  g_clear_error (&error);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error);
  g_assert_no_error (error);
}

/* Results that are there already are no reason not to look. */
static void
test_cancelled_between_results (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = maps_new (pool, "add", "[(1, 2), (3, 4), (5, 6)]");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) first = NULL;

  procfun_map_set_chunk_size (map, 3);
  first = maps_next (map, mode, NULL, cancellable, &error);
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  g_assert_null (maps_next (map, mode, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (maps_next (map, mode, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* A limit for files is one for memory with a descriptor, too. */
static void
test_without_shared_memory (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",fail,,crash,,", NULL);
  struct rlimit limit;
  struct rlimit small;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autofree char *text = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &limit));
  small = (struct rlimit){ .rlim_cur = 65536, .rlim_max = limit.rlim_max };
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &small));
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));
  g_assert_no_error (error);
  text = g_variant_print (results, FALSE);
  g_assert_cmpstr (text, ==, "[0, nothing, 20, nothing, 40, 50]");
  maps_assert_error (map, 1, G_IO_ERROR, G_IO_ERROR_BUSY);
  maps_assert_error (map, 3, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
}

/* @size: (nullable): of files, in bytes; else as it was before. */
static void
limit_files (const rlim_t *size)
{
  static struct rlimit before;
  struct rlimit small;

  if (size == NULL)
    {
      g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &before));
      return;
    }
  g_assert_no_errno (getrlimit (RLIMIT_FSIZE, &before));
  small = (struct rlimit){ .rlim_cur = *size, .rlim_max = before.rlim_max };
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &small));
}

static GVariant *
map_texts (ProcfunPool *pool, gconstpointer mode)
{
  g_autoptr (ProcfunMap) map = maps_new (pool, "make_text", "[(uint64 3000000,), (1,)]");
  g_autoptr (GError) error = NULL;
  GVariant *results = maps_run (map, mode, NULL, &error);

  g_assert_no_error (error);
  return results;
}

/* The program lowers its limit while the worker has its journal: writing to that, or giving back
 * the memory of a large result, would end the program by SIGXFSZ. */
static void
test_limit_lowered_between_maps (gconstpointer mode)
{
  const rlim_t sizes[] = { 4096, 0 };
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GVariant) expected = map_texts (pool, mode);

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GVariant) results = NULL;

      limit_files (&sizes[i]);
      results = map_texts (pool, mode);
      limit_files (NULL);
      g_assert_cmpvariant (results, expected);
    }
}

/* Rings and journals of the function's own pool are no files of the function's. */
static void
test_map_within_limit_of_files (gconstpointer mode)
{
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;
  ProcfunCall *call;

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer needs a file of its own, which this limit forbids");
      return;
    }
  procfun_limits_set_file_size (limits, 4096);
  call = sum_by_map_call (100);
  procfun_call_set_limits (call, limits);
  result = calls_run (call, mode != NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int32 (result), ==, 5050);
}

static guint
take_rest (ProcfunMap *map, gconstpointer mode, GError **error)
{
  guint n = 0;

  for (;; n++)
    {
      g_autoptr (GVariant) result = maps_next (map, mode, NULL, NULL, error);

      if (result == NULL)
        return n;
    }
}

/* The workers of a process that forks go on for it alone, and no element is called for twice. There
 * are more elements than can be done before the process forks. */
static void
test_forked_process (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  const guint n = 200;
  g_autofree char *path = maps_make_path ();
  g_autofree char *deaths = g_strnfill (n - 1, ',');
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, deaths, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) first = NULL;
  pid_t pid;

  procfun_map_set_chunk_size (map, 1);
  first = maps_next (map, mode, NULL, NULL, &error);
  g_assert_no_error (error);
  pid = fixture_fork ();
  if (pid == 0)
    {
      take_rest (map, mode, &error);
      g_clear_object (&map);
      procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL);
      fixture_exit_fork (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST));
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpuint (take_rest (map, mode, &error), ==, n - 1);
  g_assert_no_error (error);
  maps_assert_called_once (path, n);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = {
    { "false-journal-is-an-error-and-takes-no-memory", test_cheat },
    { "journal-belongs-to-one-process", test_own_journal },
    { "too-large-element-fails-alone", test_too_large },
    { "pool-closes-after-failure", test_close_after_failure },
    { "pool-closes-after-failed-result", test_close_after_failed_result },
    { "cancelled-map-gives-no-more-results", test_cancelled_between_results },
    { "a map ends at its deadline", test_deadline },
    { "a map that waits for a worker ends at its deadline", test_deadline_without_worker },
    { "a map in time is left alone", test_deadline_in_time },
    { "a map fails with the error of its input", test_input_fails },
    { "a map fails with the error of what is pushed", test_pushed_input_fails },
    { "map-ends-in-a-process-that-was-forked", test_forked_process },
    { "map-works-without-shared-memory", test_without_shared_memory },
    { "map-works-after-limit-of-files-was-lowered", test_limit_lowered_between_maps },
    { "map-works-within-limit-of-files-of-a-function", test_map_within_limit_of_files },
  };

  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (guint j = 0; j < 2; j++)
      {
        const char *mode = j == 0 ? "blocking" : "async";
        g_autofree char *path = g_strdup_printf ("/map-faults/%s/%s", tests[i].name, mode);

        fixture_add_data_func (path, j == 0 ? NULL : mode, tests[i].func);
      }
  return fixture_run ();
}
