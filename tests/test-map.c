/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Maps, and what becomes of them when an element fails; each blocking and in a main context. How
 * they take their input and give their results one by one is in test-map-stream.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/map-functions.h"
#include "tests/maps.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>

static void
assert_printed (GVariant *value, const char *expected)
{
  g_autofree char *text = value != NULL ? g_variant_print (value, FALSE) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

/* Values */

static const struct
{
  const char *function;
  const char *array;
  const char *results;
} cases[] = {
  { "add", "@a(ii) []", "[]" },
  { "add", "[(1, 2)]", "[3]" },
  { "add", "[(1, 2), (3, 4), (-5, 5)]", "[3, 7, 0]" },
  { "nothing", "@a() [(), (), ()]", "[(), (), ()]" },
  { "in_child", "@a() [(), ()]", "[true, true]" },
  { "echo_boolean", "@a(b) [(true,), (false,)]", "[true, false]" },
  { "echo_byte", "@a(y) [(7,), (255,)]", "[0x07, 0xff]" },
  { "echo_int16", "@a(n) [(-7,), (77,)]", "[-7, 77]" },
  { "echo_uint64", "@a(t) [(7,), (18446744073709551615,)]", "[7, 18446744073709551615]" },
  { "echo_double", "@a(d) [(0.5,), (-1e300,)]", "[0.5, -1.0000000000000001e+300]" },
  { "echo_float", "@a(d) [(0.5,), (2,)]", "[0.5, 2.0]" },
  { "echo_string", "[('',), ('a b',), ('Grüße',)]", "['', 'a b', 'Grüße']" },
  { "echo_maybe_string", "@a(ms) [(nothing,), ('',), ('x',)]", "[nothing, '', 'x']" },
  { "echo_strv", "@a(as) [([],), (['a', ''],)]", "[[], ['a', '']]" },
  { "echo_bytes", "@a(ay) [([],), ([1, 2, 3],)]", "[[], [0x01, 0x02, 0x03]]" },
  { "echo_variant", "@a(v) [(<1>,), (<('x', [2.5])>,)]", "[<1>, <('x', [2.5])>]" },
  { "echo_spot", "@a((di)) [((0.5, 7),), ((1, -7),)]", "[(0.5, 7), (1.0, -7)]" },
  { "echo_shape", "@a((si(di)a(di))) [(('x', 77, (1, 2), [(3, 4)]),), (('', 1, (0, 0), []),)]",
    "[('x', 77, (1.0, 2), [(3.0, 4)]), ('', 1, (0.0, 0), [])]" },
  { "sum_of_twelve", "[(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)]", "[78]" },
  { "do_fork_and_return_twice", "@a() [(), (), ()]", "[1, 1, 1]" },
  { "sum_by_map", "[(3,), (4,)]", "[6, 10]" },
};

static void
test_values (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
      g_autoptr (ProcfunMap) map = maps_new (pool, cases[i].function, cases[i].array);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) results = maps_run (map, mode, NULL, &error);

      g_assert_no_error (error);
      assert_printed (results, cases[i].results);
    }
}

/* Handlers that were not made by a macro, and a codec that chunks do not use. */
static void
test_json (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = maps_new (pool, "echo_string", "[('a',), ('b',)]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool), procfun_codec_get_json ());
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  assert_printed (results, "['a', 'b']");
}

static void
assert_sums (GVariant *sums, gsize n)
{
  gsize n_sums;
  const gint32 *values = g_variant_get_fixed_array (sums, &n_sums, sizeof (gint32));

  g_assert_cmpuint (n_sums, ==, n);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpint (values[i], ==, (gint)i + 1);
}

static void
test_many (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (3);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  procfun_map_set_array (map, maps_make_pairs (100000));
  sums = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  assert_sums (sums, 100000);
  g_assert_cmpuint (procfun_map_get_n_done (map), ==, 100000);
}

static void
test_chunk_size (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, add_function ());
  g_autoptr (ProcfunStatistics) statistics = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;

  procfun_map_set_array (map, maps_make_pairs (1000));
  procfun_map_set_chunk_size (map, 300);
  sums = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  assert_sums (sums, 1000);
  statistics = procfun_statistics_new (PROCFUN_EXECUTOR (pool));
  g_assert_cmpuint (procfun_statistics_get_succeeded (statistics), ==, 4);
}

/* Results of more bytes than a chunk should bring. */
static void
test_large (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map
      = maps_new (pool, "make_text", "@a(t) [(3000000,), (1,), (700000,), (700000,), (700000,)]");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) texts = NULL;
  const gsize lengths[] = { 3000000, 1, 700000, 700000, 700000 };

  procfun_map_set_chunk_size (map, 5);
  texts = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (GVariant) text = g_variant_get_child_value (texts, i);

      g_assert_cmpuint (g_variant_get_size (text), ==, lengths[i] + 1);
    }
}

/* Errors */

static void
test_stop (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  const guint chunk_sizes[] = { 0, 1, 4, 100 };

  for (gsize i = 0; i < G_N_ELEMENTS (chunk_sizes); i++)
    {
      g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",,,fail,,fail,,crash,,", NULL);
      g_autoptr (GError) error = NULL;

      procfun_map_set_chunk_size (map, chunk_sizes[i]);
      g_assert_null (maps_run (map, mode, NULL, &error));
      calls_check_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, "element 3: 3 is busy");
    }
}

/* Each of the deaths is known to be its element's, and no other element is called for twice. */
static void
test_collect (gconstpointer mode)
{
  const guint chunk_sizes[] = { 0, 1, 4, 100 };

  for (gsize i = 0; i < G_N_ELEMENTS (chunk_sizes); i++)
    {
      g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
      g_autofree char *path = maps_make_path ();
      g_autoptr (ProcfunMap) map = maps_new_deaths (pool, "fail,,crash,,kill,,exit,cancel,,", path);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) results = NULL;
      g_autofree guint64 *failed = NULL;
      gsize n_failed;

      procfun_map_set_chunk_size (map, chunk_sizes[i]);
      procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
      results = maps_run (map, mode, NULL, &error);
      g_assert_no_error (error);
      assert_printed (results, "[nothing, 10, nothing, 30, nothing, 50, nothing, nothing, 80, 90]");
      failed = procfun_map_get_failed (map, &n_failed);
      g_assert_cmpuint (n_failed, ==, 5);
      g_assert_cmpuint (procfun_map_get_n_failed (map), ==, 5);
      g_assert_cmpuint (procfun_map_get_n_done (map), ==, 5);
      g_assert_cmpuint (failed[0], ==, 0);
      g_assert_cmpuint (failed[4], ==, 7);
      maps_assert_error (map, 0, G_IO_ERROR, G_IO_ERROR_BUSY);
      maps_assert_error (map, 2, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      maps_assert_error (map, 4, PROCFUN_ERROR, PROCFUN_ERROR_KILLED);
      maps_assert_error (map, 6, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
      maps_assert_error (map, 7, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_null (procfun_map_get_error (map, 1));
      maps_assert_called_once (path, 10);
    }
}

static void
test_failure (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",crash", NULL);
  g_autoptr (GError) error = NULL;

  procfun_map_set_chunk_size (map, 2);
  g_assert_null (maps_run (map, mode, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED,
                     "element 1: ten_times() crashed*SIGSEGV*");
  g_assert_nonnull (procfun_error_get_failure (error));
}

static void
test_timeout (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",,hang,,", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_timeout (map, G_USEC_PER_SEC / 2);
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  assert_printed (results, "[0, 10, nothing, 30, 40]");
  maps_assert_error (map, 2, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
}

static void
test_limits (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = maps_new (pool, "make_text", "@a(t) [(10,), (100000000,), (10,)]");
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;

  procfun_limits_set_memory (limits, 20000000);
  procfun_map_set_limits (map, limits);
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  results = maps_run (map, mode, NULL, &error);
  g_assert_no_error (error);
  assert_printed (results, "['xxxxxxxxxx', nothing, 'xxxxxxxxxx']");
  maps_assert_error (map, 1, PROCFUN_ERROR, PROCFUN_ERROR_MEMORY_LIMIT);
}

/* By somebody else, at any time */

typedef struct
{
  const char *path; /* where calls are noted */
  gint pid;         /* of the worker that was started last */
  gint has_ended;
} Killer;

static void
on_worker_started (ProcfunExecutor *pool, int pid, gpointer user_data)
{
  g_atomic_int_set (&((Killer *)user_data)->pid, pid);
}

/* So many bytes are noted between two deaths: without progress the map would give up. */
#define PROGRESS_BYTES 150

static gpointer
kill_workers (gpointer user_data)
{
  Killer *self = user_data;
  goffset next = PROGRESS_BYTES;

  while (!g_atomic_int_get (&self->has_ended))
    {
      GStatBuf st;

      g_usleep (1000);
      if (g_stat (self->path, &st) == 0 && st.st_size >= next)
        {
          gint pid = g_atomic_int_exchange (&self->pid, 0);

          if (pid > 0)
            kill (pid, SIGKILL);
          next = st.st_size + PROGRESS_BYTES;
        }
    }
  return NULL;
}

/* Each takes a while, or a map were over before it is disturbed. */
static char *
make_naps (guint n)
{
  GString *deaths = g_string_new ("nap");

  for (guint i = 1; i < n; i++)
    g_string_append (deaths, ",nap");
  return g_string_free (deaths, FALSE);
}

/* Each element has its result or its error, and is called for once; one that failed may not have
 * come so far as to note that. */
static void
test_killed (gconstpointer mode)
{
  const guint n = 4000;
  g_autoptr (ProcfunPool) pool = procfun_pool_new (3);
  g_autofree char *path = maps_make_path ();
  g_autofree char *deaths = make_naps (n);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, deaths, path);
  Killer killer = { .path = path };
  GThread *thread = g_thread_new ("killer", kill_workers, &killer);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) results = NULL;
  g_autofree guint *calls = NULL;

  g_signal_connect (pool, "worker-started", G_CALLBACK (on_worker_started), &killer);
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  results = maps_run (map, mode, NULL, &error);
  g_atomic_int_set (&killer.has_ended, TRUE);
  g_thread_join (thread);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (results), ==, n);
  g_assert_cmpuint (procfun_map_get_n_done (map) + procfun_map_get_n_failed (map), ==, n);
  calls = maps_count_calls (path, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) element_error = procfun_map_get_error (map, i);

      g_assert_cmpuint (calls[i], <=, 1);
      g_assert_true (calls[i] == 1 || element_error != NULL);
    }
}

/* Failures that no element is to blame for */

static const struct
{
  const char *function;
  const char *array;
  const char *message;
} refused[] = {
  { "numbers", "[(1,)]", "numbers() is a generator*" },
  { "echo_fd", "@a(h) [(0,)]", "echo_fd() passes descriptors*" },
  { "open_text", "[('x',)]", "open_text() passes descriptors*" },
  { "add", "[(1, 'x')]", "a map of add() takes an array of the type “a(ii)”, not “a(is)”" },
  { "add", "[1]", "a map of add() takes*" },
};

static void
test_refused (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (ProcfunMap) map = maps_new (pool, refused[i].function, refused[i].array);
      g_autoptr (GError) error = NULL;

      g_assert_null (maps_run (map, mode, NULL, &error));
      calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, refused[i].message);
    }
}

static void
test_closed (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = maps_new (pool, "add", "[(1, 2)]");
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  g_assert_null (maps_run (map, mode, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (50000);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancel (gconstpointer mode)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = maps_new_deaths (pool, ",hang,,hang,,", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = g_thread_new ("canceller", cancel_soon, cancellable);
  g_autoptr (GError) error = NULL;

  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  g_assert_null (maps_run (map, mode, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_clear_error (&error);
  g_assert_null (maps_run (map, mode, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_pool_map (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums
      = procfun_pool_map (pool, add_function (), maps_make_pairs (10), NULL, &error);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) others = NULL;

  g_assert_no_error (error);
  assert_sums (sums, 10);
  procfun_pool_map_async (pool, add_function (), maps_make_pairs (10), NULL, maps_on_result,
                          &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  others = procfun_pool_map_finish (pool, result, &error);
  g_assert_no_error (error);
  assert_sums (others, 10);
}

/* Shared memory counts as a file. */
static void
test_file_size (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) sums = NULL;
  struct rlimit before, limit;

  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  limit = (struct rlimit){ .rlim_cur = 16 * 1024, .rlim_max = before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  sums = procfun_pool_map (pool, add_function (), maps_make_pairs (10), NULL, &error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_true ((sums == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
}

int
main (int argc, char *argv[])
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } tests[] = {
    { "values", test_values },         { "json", test_json },       { "many", test_many },
    { "chunk-size", test_chunk_size }, { "large", test_large },     { "stop", test_stop },
    { "collect", test_collect },       { "failure", test_failure }, { "timeout", test_timeout },
    { "killed", test_killed },         { "limits", test_limits },   { "refused", test_refused },
    { "closed", test_closed },         { "cancel", test_cancel },
  };

  fixture_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (guint j = 0; j < 2; j++)
      {
        const char *mode = j == 0 ? "blocking" : "async";
        g_autofree char *path = g_strdup_printf ("/map/%s/%s", tests[i].name, mode);

        fixture_add_data_func (path, j == 0 ? NULL : mode, tests[i].func);
      }
  fixture_add_func ("/map/procfun-pool-map-gives-all-results", test_pool_map);
  fixture_add_func ("/map/fails-where-files-must-be-small", test_file_size);
  return fixture_run ();
}
