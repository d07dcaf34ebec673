/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes in shared memory, as arguments and results. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"
#include "tests/shared-bytes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define THRESHOLD ((gsize)64 * 1024)
#define PAGE ((gsize)4096)
#define MEGABYTE ((gsize)1024 * 1024)
#define LARGE ((gsize)3 * 1024 * 1024)

PROCFUN_DEFINE_STRUCT (Picture, (gint, width), (GBytes *, pixels), (ProcfunDoubles, weights))

PROCFUN_DEFINE_STATIC_FUNCTION (count, guint64, (GBytes *, bytes))
{
  return shared_bytes_sum (bytes);
}

PROCFUN_DEFINE_STATIC_FUNCTION (find_shared, gboolean, (GBytes *, bytes))
{
  return shared_bytes_is_mapped (bytes);
}

PROCFUN_DEFINE_STATIC_FUNCTION (echo, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

PROCFUN_DEFINE_STATIC_FUNCTION (cut, GBytes *, (GBytes *, bytes), (guint64, from), (guint64, size))
{
  return g_bytes_new_from_bytes (bytes, from, size);
}

PROCFUN_DEFINE_STATIC_FUNCTION (make, GBytes *, (guint64, size), (guint, first))
{
  return shared_bytes_new (size, (guint8)first);
}

/* Pools have tests of their own. */
static gboolean is_pool;

static ProcfunExecutor *
new_executor (void)
{
  return is_pool ? PROCFUN_EXECUTOR (procfun_pool_new (1)) : calls_new_executor ();
}

/* An executor with each codec, blocking and not. */
typedef void (*WayFunc) (ProcfunExecutor *executor, gboolean async);

static void
try_ways (WayFunc func)
{
  ProcfunCodec *const codecs[] = { procfun_codec_get_json (), procfun_codec_get_gvariant () };

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      g_autoptr (ProcfunExecutor) executor = new_executor ();

      procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor), codecs[i]);
      for (guint async = 0; async < 2; async++)
        func (executor, async);
    }
}

/* Sizes */

static const gsize sizes[] = { 0,         1,
                               PAGE - 1,  PAGE,
                               PAGE + 1,  THRESHOLD - 1,
                               THRESHOLD, THRESHOLD + 1,
                               MEGABYTE,  MEGABYTE - 1,
                               LARGE,     LARGE + 1 };

static void
try_sizes (ProcfunExecutor *executor, gboolean async)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) bytes = shared_bytes_new (sizes[i], (guint8)i);
      g_autoptr (GBytes) back = NULL;
      g_autoptr (GBytes) made = NULL;

      g_assert_cmpuint (shared_bytes_run_number (executor, count_call (bytes), async), ==,
                        shared_bytes_sum (bytes));
      back = shared_bytes_run (executor, echo_call (bytes), async);
      g_assert_true (g_bytes_equal (back, bytes));
      made = shared_bytes_run (executor, make_call (sizes[i], i), async);
      g_assert_true (g_bytes_equal (made, bytes));
    }
}

static void
test_sizes (void)
{
  try_ways (try_sizes);
}

static void
try_mapping (ProcfunExecutor *executor, gboolean async)
{
  g_autoptr (GBytes) small = shared_bytes_new (THRESHOLD - 1, 1);
  g_autoptr (GBytes) shared = shared_bytes_new (THRESHOLD, 1);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (shared, 0, THRESHOLD);
  g_autoptr (GBytes) copy
      = g_bytes_new (g_bytes_get_data (shared, NULL), g_bytes_get_size (shared));

  g_assert_false (shared_bytes_run_truth (executor, find_shared_call (small), async));
  g_assert_true (shared_bytes_run_truth (executor, find_shared_call (shared), async));
  g_assert_true (shared_bytes_run_truth (executor, find_shared_call (part), async));
  g_assert_false (shared_bytes_run_truth (executor, find_shared_call (copy), async));
}

static void
test_mapping (void)
{
  try_ways (try_mapping);
}

/* Results */

static void
try_back (ProcfunExecutor *executor, gboolean async)
{
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 3);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  g_autoptr (GBytes) back = shared_bytes_run (executor, echo_call (bytes), async);
  g_autoptr (GBytes) middle
      = shared_bytes_run (executor, cut_call (bytes, PAGE, 2 * THRESHOLD), async);

  g_assert_true (g_bytes_get_data (back, NULL) == data);
  g_assert_cmpuint (g_bytes_get_size (back), ==, LARGE);
  g_assert_true (g_bytes_get_data (middle, NULL) == data + PAGE);
  g_assert_cmpuint (g_bytes_get_size (middle), ==, 2 * THRESHOLD);
}

static void
test_back (void)
{
  try_ways (try_back);
}

static void
try_made (ProcfunExecutor *executor, gboolean async)
{
  g_autoptr (GBytes) expected = shared_bytes_new (LARGE, 9);
  g_autoptr (GBytes) first = shared_bytes_run (executor, make_call (LARGE, 9), async);
  g_autoptr (GBytes) second = shared_bytes_run (executor, make_call (LARGE, 8), async);

  g_assert_true (shared_bytes_is_mapped (first));
  g_assert_true (shared_bytes_is_mapped (second));
  g_assert_true (g_bytes_equal (first, expected));
}

static void
test_made (void)
{
  try_ways (try_made);
}

/* Within other values */

PROCFUN_DEFINE_STATIC_FUNCTION (pass_picture, Picture, (Picture, picture))
{
  Picture result = picture;

  if (!shared_bytes_is_mapped (picture.pixels) || !shared_bytes_has (picture.weights.data))
    abort ();
  result.width++;
  g_bytes_ref (result.pixels);
  g_bytes_ref (result.weights.owner);
  return result;
}

static void
test_struct (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) numbers = shared_bytes_new (8 * THRESHOLD, 5);
  g_auto (Picture) picture
      = { 6, shared_bytes_new (LARGE, 1), { g_bytes_get_data (numbers, NULL), THRESHOLD, NULL } };
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Picture) back = { 0 };

  picture.weights.owner = g_bytes_ref (numbers);
  for (guint i = 0; i < 3; i++)
    {
      Picture_clear (&back);
      g_clear_object (&call);
      call = pass_picture_call (picture);
      procfun_call_set_executor (call, executor);
      back = pass_picture_run (call, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (back.width, ==, 7);
      g_assert_true (g_bytes_get_data (back.pixels, NULL)
                     == g_bytes_get_data (picture.pixels, NULL));
      g_assert_true (back.weights.data == picture.weights.data);
      g_assert_cmpuint (back.weights.length, ==, THRESHOLD);
    }
}

/* Sums up all byte strings within a value, and returns it. */
static guint64
sum_all (GVariant *value, guint *n_shared)
{
  guint64 sum = 0;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    {
      g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (value);

      *n_shared += g_bytes_get_size (bytes) > 0 && shared_bytes_is_mapped (bytes) ? 1 : 0;
      return shared_bytes_sum (bytes);
    }
  for (gsize i = 0; g_variant_is_container (value) && i < g_variant_n_children (value); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);

      sum += sum_all (child, n_shared);
    }
  return sum;
}

PROCFUN_DEFINE_STATIC_FUNCTION (look_into, GVariant *, (GVariant *, value))
{
  guint n_shared = 0;
  const guint64 sum = sum_all (value, &n_shared);

  return g_variant_new ("(tuv)", sum, n_shared, value);
}

static GVariant *
new_bytes (gsize size, guint8 first)
{
  g_autoptr (GBytes) bytes = shared_bytes_new (size, first);

  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

/* 36 of them, of which 5 are small. */
static GVariant *
make_nested (void)
{
  g_auto (GVariantBuilder) array = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aay"));
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  for (guint i = 0; i < 30; i++)
    g_variant_builder_add_value (&array, new_bytes (THRESHOLD + i, (guint8)i));
  for (guint i = 0; i < 5; i++)
    g_variant_builder_add_value (&array, new_bytes (100 * i, (guint8)i));
  g_variant_dict_insert (&dict, "name", "s", "nested");
  g_variant_dict_insert_value (&dict, "pixels", new_bytes (LARGE, 77));
  g_variant_dict_insert (&dict, "number", "i", 5);
  return g_variant_ref_sink (
      g_variant_new ("(@a{sv}m@aay)", g_variant_dict_end (&dict), g_variant_builder_end (&array)));
}

static void
try_nested (ProcfunExecutor *executor, gboolean async)
{
  g_autoptr (GVariant) nested = make_nested ();
  g_autoptr (GVariant) result = shared_bytes_run_any (executor, look_into_call (nested), async);
  g_autoptr (GVariant) tuple = g_variant_get_variant (result);
  g_autoptr (GVariant) back = NULL;
  guint n_own = 0, n_shared;
  guint64 sum;

  g_variant_get (tuple, "(tuv)", &sum, &n_shared, &back);
  g_assert_cmpuint (sum, ==, sum_all (nested, &n_own));
  g_assert_cmpuint (n_own, ==, 31);
  g_assert_cmpuint (n_shared, ==, 31);
  g_assert_true (g_variant_equal (back, nested));
}

static void
test_nested (void)
{
  try_ways (try_nested);
}

/* Items of a generator, and elements of a map */

PROCFUN_DEFINE_GENERATOR (yield_back, GBytes *, (GBytes *, bytes), (guint, n))
{
  gboolean is_wanted = TRUE;

  for (guint i = 0; i < n && is_wanted; i++)
    {
      GBytes *item = i % 2 == 0 ? g_bytes_ref (bytes) : shared_bytes_new (LARGE, (guint8)i);

      is_wanted = yield_back_yield (item);
      g_bytes_unref (item);
    }
}

static void
test_items (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 9);
  g_autoptr (ProcfunCall) call = yield_back_call (bytes, 6);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  procfun_call_set_executor (call, executor);
  for (;;)
    {
      g_autoptr (GVariant) item = procfun_call_next (call, NULL, &error);
      g_autoptr (GBytes) back = NULL;

      g_assert_no_error (error);
      if (item == NULL)
        break;
      back = g_variant_get_data_as_bytes (item);
      g_assert_true (shared_bytes_is_mapped (back));
      g_assert_cmpint (g_bytes_get_data (back, NULL) == g_bytes_get_data (bytes, NULL), ==,
                       n % 2 == 0);
      n++;
    }
  g_assert_cmpuint (n, ==, 6);
}

/* Its elements are calls of one worker. */
static void
test_map (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  GVariantBuilder builder;
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ay)"));
  for (guint i = 0; i < 20; i++)
    g_variant_builder_add (&builder, "(@ay)", new_bytes (THRESHOLD + PAGE * i, (guint8)i));
  results = procfun_pool_map (pool, find_shared_function (), g_variant_builder_end (&builder), NULL,
                              &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < g_variant_n_children (results); i++)
    {
      gboolean found;

      g_variant_get_child (results, i, "b", &found);
      n += found ? 1 : 0;
    }
  g_assert_cmpuint (n, ==, 20);
}

/* Many of them */

static void
test_many (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  const guint n_before = fixture_count_descriptors ();
  struct rlimit before, few;

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  few = before;
  few.rlim_cur = MIN (before.rlim_cur, 1024);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &few));
  for (guint i = 0; i < 3000; i++)
    {
      gpointer data;

      g_ptr_array_add (all, procfun_bytes_new (THRESHOLD + PAGE * (i % 40), &data));
      *(guint *)data = i;
    }
  g_assert_cmpuint (fixture_count_descriptors (), <, n_before + 100);
  for (guint i = 0; i < 3000; i += 500)
    g_assert_true (shared_bytes_run_truth (executor, find_shared_call (all->pdata[i]), FALSE));
  for (guint i = 0; i < 3000; i++)
    g_assert_cmpuint (*(const guint *)g_bytes_get_data (all->pdata[i], NULL), ==, i);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
}

/* Memory that was in use before is zero, too. */
static void
test_zero (void)
{
  g_autoptr (GBytes) first = NULL;
  gpointer data;

  first = procfun_bytes_new (THRESHOLD, &data);
  for (guint i = 0; i < 50; i++)
    {
      const gsize size = THRESHOLD + 1000 * (i % 7);
      g_autoptr (GBytes) bytes = procfun_bytes_new (size, &data);

      for (gsize j = 0; j < size; j++)
        g_assert_cmpuint (((guint8 *)data)[j], ==, 0);
      memset (data, 0xff, size);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
    }
}

/* The caller's bytes stay as they are */

/* Tries what it can to write to its argument. */
PROCFUN_DEFINE_STATIC_FUNCTION (scribble, guint, (GBytes *, bytes))
{
  gsize size;
  guint8 *data = (guint8 *)g_bytes_get_data (bytes, &size);
  const char *const names[] = { "fd", "map_files" };
  guint n_written = 0;

  if (mprotect (data, size, PROT_READ | PROT_WRITE) == 0)
    {
      memset (data, 0xee, size);
      n_written++;
    }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *folder = g_strconcat ("/proc/self/", names[i], NULL);
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = g_build_filename (folder, name, NULL);
          g_autofree char *target = g_file_read_link (path, NULL);
          int fd = target != NULL && strstr (target, "memfd:procfun-bytes") != NULL
                       ? open (path, O_RDWR | O_CLOEXEC)
                       : -1;

          if (fd < 0)
            continue;
          if (pwrite (fd, "scribble", 8, 0) > 0 || ftruncate (fd, 0) == 0
              || mmap (NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
            n_written++;
          close (fd);
        }
    }
  return n_written;
}

static void
test_scribbling (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 4);
  const guint64 sum = shared_bytes_sum (bytes);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GVariant) result = shared_bytes_run_any (executor, scribble_call (bytes), FALSE);

      g_assert_cmpuint (g_variant_get_uint32 (result), ==, 0);
      g_assert_cmpuint (shared_bytes_sum (bytes), ==, sum);
    }
}

/* Lifetimes */

static void
die (gpointer unused)
{
  abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (crash, GBytes *, (GBytes *, bytes))
{
  die (NULL);
  return g_bytes_ref (bytes);
}

/* Results outlive their process, and arguments a process that dies. */
static void
test_deaths (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 6);
  g_autoptr (GBytes) made = shared_bytes_run (executor, make_call (LARGE, 6), FALSE);
  g_autoptr (GBytes) back = NULL;

  for (guint async = 0; async < 2; async++)
    {
      ProcfunCall *call = crash_call (bytes);

      procfun_call_set_executor (call, executor);
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, "*");
    }
  back = shared_bytes_run (executor, echo_call (bytes), FALSE);
  g_clear_object (&executor);
  g_assert_true (g_bytes_equal (made, bytes));
  g_assert_true (g_bytes_equal (back, bytes));
}

/* A caller that drops what a function reads */

PROCFUN_DEFINE_STATIC_FUNCTION (count_later, guint64, (ProcfunFd, ready), (ProcfunFd, go),
                                (GBytes *, bytes))
{
  char byte = 1;

  if (write (ready, &byte, 1) != 1 || read (go, &byte, 1) != 0)
    abort ();
  return shared_bytes_sum (bytes);
}

static void
keep_number (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  *(guint64 *)user_data = count_later_run_finish (PROCFUN_CALL (source), result, &error);
  g_assert_no_error (error);
}

static void
try_freed (ProcfunExecutor *executor, GBytes *own)
{
  g_autoptr (GBytes) bytes = own;
  const guint64 sum = shared_bytes_sum (bytes);
  guint64 came = 0;
  Signal ready, go;
  ProcfunCall *call;

  signal_open (&ready);
  signal_open (&go);
  call = count_later_call (ready.ends[1], go.ends[0], bytes);
  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, NULL, keep_number, &came);
  g_object_unref (call);
  g_clear_pointer (&bytes, g_bytes_unref);
  signal_await (&ready);
  close (go.ends[1]);
  go.ends[1] = -1;
  while (came == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (came, ==, sum);
  signal_close (&ready);
  signal_close (&go);
}

static void
test_freed (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GBytes) shared = shared_bytes_new (LARGE, (guint8)i);
      gsize size;
      gconstpointer data = g_bytes_get_data (shared, &size);

      try_freed (executor, g_bytes_new (data, size));
      try_freed (executor, g_steal_pointer (&shared));
    }
}

/* No sharing */

static void
test_refused (int resource)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) warm = shared_bytes_new (10, 1);
  g_autoptr (GBytes) bytes = NULL;
  struct rlimit before, none;

  g_assert_cmpuint (shared_bytes_run_number (executor, count_call (warm), FALSE), ==,
                    shared_bytes_sum (warm));
  g_assert_no_errno (getrlimit (resource, &before));
  none = before;
  none.rlim_cur = 3;
  g_assert_no_errno (setrlimit (resource, &none));
  bytes = shared_bytes_new (LARGE, 2);
  g_assert_no_errno (setrlimit (resource, &before));
  g_assert_false (shared_bytes_is_mapped (bytes));
  g_assert_cmpuint (shared_bytes_run_number (executor, count_call (bytes), FALSE), ==,
                    shared_bytes_sum (bytes));
}

/* A limit counts what is lent. */
static void
test_limit (void)
{
  g_autoptr (ProcfunExecutor) executor = new_executor ();
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 2);

  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (executor), LARGE - 1);
  for (guint async = 0; async < 2; async++)
    {
      calls_assert_error (executor, count_call (bytes), async, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                          "*3145728*3145727*");
      calls_assert_error (executor, make_call (LARGE, 1), async, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                          "*3145728*3145727*");
    }
}

static void
test_no_descriptors (void)
{
  test_refused (RLIMIT_NOFILE);
}

static void
test_no_files (void)
{
  test_refused (RLIMIT_FSIZE);
}

/* In bytes, of the mapping that begins with @data; 0: none does. */
static gsize
get_mapping_size (gconstpointer data)
{
  g_autofree char *maps = NULL;
  g_autofree char *begin = g_strdup_printf ("%" G_GINT64_MODIFIER "x-", (guint64)(guintptr)data);
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], begin))
      return g_ascii_strtoull (lines[i] + strlen (begin), NULL, 16) - (gsize)(guintptr)data;
  return 0;
}

/* A large page that would be used by less than half is left out. */
static void
test_room (void)
{
  static const struct
  {
    gsize size;
    gsize room;
  } blocks[] = { { MEGABYTE, 2 * MEGABYTE },         { 2 * MEGABYTE - 1, 2 * MEGABYTE },
                 { 2 * MEGABYTE, 2 * MEGABYTE },     { 2 * MEGABYTE + 1, 2 * MEGABYTE + PAGE },
                 { 3 * MEGABYTE - 1, 3 * MEGABYTE }, { 3 * MEGABYTE, 4 * MEGABYTE } };

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      gpointer data;
      g_autoptr (GBytes) bytes = procfun_bytes_new (blocks[i].size, &data);

      g_assert_cmpuint (g_bytes_get_size (bytes), ==, blocks[i].size);
      g_assert_cmpuint (get_mapping_size (data), ==, blocks[i].room);
    }
}

typedef struct
{
  const char *path;
  GTestFunc func;
} Test;

static const Test tests[] = {
  { "/bytes/of-any-size-go-there-and-back", test_sizes },
  { "/bytes/are-mapped-and-not-copied", test_mapping },
  { "/bytes/that-come-back-are-the-callers-own", test_back },
  { "/bytes/that-a-function-makes-are-mapped", test_made },
  { "/bytes/in-a-struct-are-mapped", test_struct },
  { "/bytes/in-dictionaries-and-arrays-are-mapped", test_nested },
  { "/bytes/of-a-generator-are-mapped", test_items },
  { "/bytes/take-few-descriptors", test_many },
  { "/bytes/cannot-be-written-by-a-function", test_scribbling },
  { "/bytes/outlive-their-process", test_deaths },
  { "/bytes/may-be-freed-while-a-function-reads-them", test_freed },
  { "/bytes/without-descriptors-are-copied", test_no_descriptors },
  { "/bytes/with-a-limit-on-files-are-copied", test_no_files },
  { "/bytes/count-for-the-largest-payload", test_limit },
};

static void
test_on_pool (gconstpointer data)
{
  is_pool = TRUE;
  ((const Test *)data)->func ();
  is_pool = FALSE;
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/pool", tests[i].path, NULL);

      calls_add_func (tests[i].path, tests[i].func);
      fixture_add_data_func (path, &tests[i], test_on_pool);
    }
  fixture_add_func ("/bytes/of-a-map-are-mapped", test_map);
  fixture_add_func ("/bytes/are-zero-at-first", test_zero);
  fixture_add_func ("/bytes/of-a-megabyte-have-whole-large-pages", test_room);
  return fixture_run ();
}
