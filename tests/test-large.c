/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Large arguments and results. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"

#include "procfun/base/usage.h"
#include "procfun/platform/memfd.h"
#include "procfun/wire/frame.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHANNEL_FD 3
#define TIMEOUT_US 100000
#define LONGER_US (3 * TIMEOUT_US)

PROCFUN_DEFINE_STATIC_FUNCTION (count_letters, guint64, (const char *, text))
{
  return strlen (text);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (long_error, gint, (guint64, size))
{
  g_autofree char *message = g_strnfill (size, 'x');

  g_set_error_literal (error, G_FILE_ERROR, 7, message);
  return 0;
}

/* Time of the function, and time of its result */

static void
write_frame (FrameType type, gsize size, gconstpointer data, gsize data_size)
{
  FrameHeader header;

  frame_header_init (&header, type, 0, 0, size);
  if (write (CHANNEL_FD, &header, sizeof header) != sizeof header
      || write (CHANNEL_FD, data, data_size) != (gssize)data_size)
    g_error ("the channel does not take this");
}

static void
stay (void)
{
  for (;;)
    pause ();
}

/* The beginning of a result, and later the rest. */
PROCFUN_DEFINE_STATIC_FUNCTION (send_slowly, guint64)
{
  const ProcfunUsage usage = { 0 };
  const guint64 result = 42;

  write_frame (FRAME_RESULT, sizeof usage + sizeof result, &usage, sizeof usage);
  g_usleep (LONGER_US);
  if (write (CHANNEL_FD, &result, sizeof result) != sizeof result)
    g_error ("the channel does not take this");
  stay ();
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_slowly, guint64)
{
  const FrameEvent event = { .name = FRAME_EVENT_RETURNED };

  write_frame (FRAME_EVENT, sizeof event, &event, sizeof event);
  g_usleep (LONGER_US);
  return 42;
}

PROCFUN_DEFINE_STATIC_FUNCTION (send_never, guint64)
{
  const ProcfunUsage usage = { 0 };

  write_frame (FRAME_RESULT, sizeof usage + 8, &usage, sizeof usage);
  stay ();
  return 0;
}

static ProcfunCall *
new_fresh (ProcfunCall *call)
{
  g_autoptr (ProcfunForkServer) fork_server = procfun_fork_server_new ();

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (fork_server));
  return call;
}

static void
test_result_on_its_way (void)
{
  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < 2; i++)
      {
        ProcfunCall *call = new_fresh (i == 0 ? send_slowly_call () : return_slowly_call ());
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;

        procfun_call_set_timeout (call, TIMEOUT_US);
        result = calls_run (call, async, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (g_variant_get_uint64 (result), ==, 42);
      }
}

static void
test_deadline (void)
{
  for (guint async = 0; async < 2; async++)
    {
      ProcfunCall *call = new_fresh (send_never_call ());
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_timeout (call, TIMEOUT_US);
      procfun_call_set_deadline (call, LONGER_US);
      result = calls_run (call, async, NULL, &error);
      calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                         "*send_never()*missed its deadline*");
      g_assert_null (result);
    }
}

/* Sizes */

PROCFUN_DEFINE_STATIC_FUNCTION (echo, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

PROCFUN_DEFINE_STATIC_FUNCTION (count, guint64, (GBytes *, bytes))
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  guint64 sum = 0;

  for (gsize i = 0; i < size; i++)
    sum += data[i];
  return sum;
}

static GBytes *
make_bytes (gsize size, guint8 first)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i + first);
  return g_bytes_new_take (data, size);
}

#define THRESHOLD ((gsize)64 * 1024)

static const gsize sizes[] = { 0,
                               1,
                               4095,
                               4096,
                               4097,
                               THRESHOLD - sizeof (FrameCall) - 1,
                               THRESHOLD - sizeof (FrameCall),
                               THRESHOLD - sizeof (ProcfunUsage) - 1,
                               THRESHOLD - sizeof (ProcfunUsage),
                               THRESHOLD,
                               THRESHOLD + 1,
                               2 * THRESHOLD,
                               3000000,
                               50 };

static void
test_sizes (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
      {
        g_autoptr (GBytes) bytes = make_bytes (sizes[i], (guint8)i);
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;
        g_autoptr (GBytes) came = NULL;
        ProcfunCall *call = echo_call (bytes);

        procfun_call_set_executor (call, executor);
        result = calls_run (call, async, NULL, &error);
        g_assert_no_error (error);
        came = g_variant_get_data_as_bytes (result);
        g_assert_true (g_bytes_equal (came, bytes));
      }
}

/* To copy the argument takes longer than a worker waits for a call. */
static void
test_longer_than_idle (void)
{
  const gsize size = (gsize)256 << 20;
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  g_autoptr (GVariant) result = NULL;
  g_autoptr (GError) error = NULL;

  procfun_pool_set_idle_timeout (pool, 20 * G_TIME_SPAN_MILLISECOND);
  call = count_call (bytes);
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_get_uint64 (result), ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
}

/* Whether shared memory has it. */
static gboolean
is_shared (gconstpointer data)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents ("/proc/self/maps", &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *end;
      const guint64 from = g_ascii_strtoull (lines[i], &end, 16);

      if ((guintptr)data >= from && *end == '-'
          && (guintptr)data < g_ascii_strtoull (end + 1, NULL, 16))
        return strstr (lines[i], "/memfd:procfun") != NULL;
    }
  return FALSE;
}

/* The sum of the bytes if they are in memory that was not copied here, else -1. */
PROCFUN_DEFINE_STATIC_FUNCTION (count_if_shared, gint64, (GBytes *, bytes))
{
  return is_shared (g_bytes_get_data (bytes, NULL)) ? (gint64)count (bytes) : -1;
}

#define LARGE ((gsize)9 * 1024 * 1024 + 1)

/* Takes @executor. */
static void
check_shared (ProcfunExecutor *executor, GBytes *bytes, gboolean has_large)
{
  g_autoptr (GError) error = NULL;
  const gint64 sum = count_if_shared_process_with (bytes, executor, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (sum, ==, has_large ? (gint64)count (bytes) : -1);
  g_object_unref (executor);
}

static gboolean
has_large_pages (void)
{
  gpointer memory;
  const int fd = memfd_new_large ("large", LARGE, &memory);

  if (fd < 0)
    return FALSE;
  memfd_unmap (memory, LARGE);
  close (fd);
  return TRUE;
}

static void
test_shared_with_one_call (void)
{
  g_autoptr (GBytes) bytes = make_bytes (LARGE, 3);
  const gboolean has_large = has_large_pages ();

  check_shared (PROCFUN_EXECUTOR (procfun_fork_server_new ()), bytes, has_large);
  check_shared (PROCFUN_EXECUTOR (procfun_spawner_new ()), bytes, has_large);
}

static gboolean
result_is_shared (ProcfunExecutor *executor)
{
  g_autoptr (GBytes) bytes = make_bytes (LARGE, 3);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) result = echo_process_with (bytes, executor, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (result, bytes));
  return is_shared (g_bytes_get_data (result, NULL));
}

/* The memory of a result counts as that of the worker. */
static void
test_shared_result (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunPool) limited = procfun_pool_new (1);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string ("memory=500M", NULL);

  procfun_pool_set_worker_limits (limited, limits);
  g_assert_cmpint (result_is_shared (PROCFUN_EXECUTOR (pool)), ==, has_large_pages ());
  g_assert_false (result_is_shared (PROCFUN_EXECUTOR (limited)));
}

/* Values that stay as they are */

static GBytes *kept[8];
static guint n_kept;

/* Keeps what it is given, and adds up all that it has kept. */
PROCFUN_DEFINE_STATIC_FUNCTION (keep, guint64, (GBytes *, bytes))
{
  guint64 sum = 0;

  kept[n_kept++] = g_bytes_ref (bytes);
  for (guint i = 0; i < n_kept; i++)
    sum += count (kept[i]);
  return sum;
}

static guint64
sum_up (ProcfunExecutor *executor, ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, FALSE, NULL, &error);
  g_assert_no_error (error);
  return g_variant_get_uint64 (result);
}

static void
test_kept (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  guint64 expected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      g_autoptr (GBytes) bytes = make_bytes (THRESHOLD + i * 1001, (guint8)(17 * i));

      expected += count (bytes);
      g_assert_cmpuint (sum_up (PROCFUN_EXECUTOR (pool), keep_call (bytes)), ==, expected);
    }
}

/* Writes over all that it has of its argument. */
PROCFUN_DEFINE_STATIC_FUNCTION (scribble, guint64, (GBytes *, bytes))
{
  gsize size;
  guint8 *data = (guint8 *)g_bytes_get_data (bytes, &size);
  guint8 *page = (guint8 *)((guintptr)data & ~(guintptr)4095);
  const guint64 sum = count (bytes);

  if (mprotect (page, size + (gsize)(data - page), PROT_READ | PROT_WRITE) == 0)
    memset (data, 0xee, size);
  return sum;
}

static void
test_scribbling (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);

  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (GBytes) bytes = make_bytes (3 * THRESHOLD, (guint8)i);
      g_autoptr (GBytes) copy = make_bytes (3 * THRESHOLD, (guint8)i);

      g_assert_cmpuint (sum_up (PROCFUN_EXECUTOR (pool), scribble_call (bytes)), ==, count (copy));
      g_assert_true (g_bytes_equal (bytes, copy));
    }
}

/* Results outlive the process, and the next results. */
static void
test_results_stay (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);

  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (GBytes) bytes = make_bytes (2 * THRESHOLD, (guint8)i);
      g_autoptr (GError) error = NULL;
      ProcfunCall *call = echo_call (bytes);

      procfun_call_set_executor (call, executor);
      g_ptr_array_add (results, calls_run (call, i % 2 == 1, NULL, &error));
      g_assert_no_error (error);
    }
  g_clear_object (&executor);
  for (guint i = 0; i < results->len; i++)
    {
      g_autoptr (GBytes) bytes = make_bytes (2 * THRESHOLD, (guint8)i);
      g_autoptr (GBytes) came = g_variant_get_data_as_bytes (results->pdata[i]);

      g_assert_true (g_bytes_equal (came, bytes));
    }
}

/* The last byte that max-payload allows; and an error is no result, and may be longer. */
static void
test_max_payload (gconstpointer data)
{
  const gsize max = 1000;
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autofree char *most = g_strnfill (max - 1, 'x');
  g_autofree char *more = g_strnfill (max, 'x');
  g_autofree char *message = g_strnfill (20 * max, 'x');
  const gboolean is_async = data != NULL;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                      procfun_codec_get_gvariant ());
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (executor), max);
  calls_assert_result (executor, count_letters_call (most), is_async, "uint64 999");
  calls_assert_error (executor, count_letters_call (more), is_async, PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*count_letters()*1001*1000*");
  calls_assert_error (executor, long_error_call (20 * max), is_async, G_FILE_ERROR, 7, message);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/large/a-result-on-its-way-does-not-time-out", test_result_on_its_way);
  fixture_add_func ("/large/a-result-on-its-way-meets-the-deadline", test_deadline);
  calls_add_data_func ("/large/max-payload-is-exact", NULL, test_max_payload);
  calls_add_data_func ("/large/max-payload-is-exact-without-waiting", "async", test_max_payload);
  calls_add_func ("/large/bytes-of-any-size-go-there-and-back", test_sizes);
  fixture_add_func ("/large/an-argument-may-take-longer-than-a-worker-waits",
                    test_longer_than_idle);
  fixture_add_func ("/large/a-process-with-one-call-maps-its-argument", test_shared_with_one_call);
  fixture_add_func ("/large/a-result-of-a-worker-is-not-copied-here", test_shared_result);
  calls_add_func ("/large/results-outlive-their-process", test_results_stay);
  fixture_add_func ("/large/what-a-function-keeps-is-not-overwritten", test_kept);
  fixture_add_func ("/large/a-function-that-scribbles-harms-no-other-call", test_scribbling);
  return fixture_run ();
}
