/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Streams as arguments and results. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"

#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((gsize)3 * 1024 * 1024)
#define ENDLESS G_MAXSIZE
#define TIMEOUT_US (100 * G_TIME_SPAN_MILLISECOND)

/* A stream without a descriptor: bytes that are counted up, and perhaps an error at their end */

#define TYPE_COUNTER (counter_get_type ())
G_DECLARE_FINAL_TYPE (Counter, counter, TEST, COUNTER, GInputStream)

struct _Counter
{
  GInputStream parent_instance;

  gsize size;
  gsize position; /* atomic */
  gboolean fails;
};

G_DEFINE_FINAL_TYPE (Counter, counter, G_TYPE_INPUT_STREAM)

static gssize
counter_read (GInputStream *stream, gpointer buffer, gsize count, GCancellable *cancellable,
              GError **error)
{
  Counter *self = TEST_COUNTER (stream);
  const gsize n = MIN (count, self->size - self->position);

  if (n == 0 && self->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "no more of this");
      return -1;
    }
  for (gsize i = 0; i < n; i++)
    ((guint8 *)buffer)[i] = (guint8)(self->position + i);
  g_atomic_pointer_add (&self->position, (gssize)n);
  return (gssize)n;
}

static void
counter_class_init (CounterClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = counter_read;
}

static void
counter_init (Counter *self)
{
}

static GInputStream *
counter_new (gsize size, gboolean fails)
{
  Counter *self = g_object_new (TYPE_COUNTER, NULL);

  self->size = size;
  self->fails = fails;
  return G_INPUT_STREAM (self);
}

static gsize
counter_get_position (GInputStream *stream)
{
  return (gsize)g_atomic_pointer_get (&TEST_COUNTER (stream)->position);
}

/* The number of bytes up to the end, which are counted up; 0 for others. */
static guint64
count_bytes (GInputStream *stream, GError **error)
{
  guint64 position = 0;
  guint8 data[10000];
  gssize n;

  while ((n = g_input_stream_read (stream, data, sizeof data, NULL, error)) > 0)
    for (gssize i = 0; i < n; i++, position++)
      if (data[i] != (guint8)position)
        return 0;
  return n < 0 ? 0 : position;
}

static GInputStream *
open_file (gsize size)
{
  g_autoptr (GInputStream) counter = counter_new (size, FALSE);
  GError *error = NULL;
  GFileIOStream *both = NULL;
  g_autoptr (GFile) file = g_file_new_tmp (NULL, &both, &error);
  GFileInputStream *stream;

  g_assert_no_error (error);
  g_output_stream_splice (g_io_stream_get_output_stream (G_IO_STREAM (both)), counter,
                          G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (both);
  stream = g_file_read (file, NULL, &error);
  g_assert_no_error (error);
  g_file_delete (file, NULL, &error);
  g_assert_no_error (error);
  return G_INPUT_STREAM (stream);
}

/* Functions */

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (count_all, guint64, (GInputStream *, stream))
{
  if (!G_IS_UNIX_INPUT_STREAM (stream))
    abort ();
  return count_bytes (stream, error);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (count_both, guint64, (GInputStream *, first),
                                           (gint, factor), (GInputStream *, second))
{
  const guint64 n = count_bytes (second, error);

  return n * (guint64)factor + count_bytes (first, error);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (read_some, gint, (GInputStream *, stream))
{
  guint8 data[100];

  return (gint)g_input_stream_read (stream, data, sizeof data, NULL, error);
}

PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION (read_and_crash, gint, (GInputStream *, stream))
{
  read_some (stream, NULL);
  abort ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_counter, GInputStream *, (guint64, size), (gboolean, fails))
{
  return counter_new (size, fails);
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_file, GInputStream *, (guint64, size))
{
  return open_file (size);
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_nothing, GInputStream *) { return NULL; }

PROCFUN_DEFINE_STATIC_FUNCTION (compress, GInputStream *, (GInputStream *, stream))
{
  g_autoptr (GConverter) converter
      = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1));

  return g_converter_input_stream_new (stream, converter);
}

PROCFUN_DEFINE_STATIC_GENERATOR (cut, GBytes *, (GInputStream *, stream))
{
  for (;;)
    {
      g_autoptr (GBytes) piece = g_input_stream_read_bytes (stream, 100000, NULL, NULL);

      if (piece == NULL || g_bytes_get_size (piece) == 0 || !cut_yield (piece))
        return;
    }
}

PROCFUN_DEFINE_STRUCT (Named, (char *, name), (GInputStream *, stream))

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (count_named, guint64, (Named, named))
{
  return count_bytes (named.stream, error);
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_named, Named, (guint64, size))
{
  return (Named){ g_strdup ("file"), open_file (size) };
}

/* Ways to run */

static guint64
run_number (ProcfunExecutor *executor, ProcfunCall *call, gboolean async, GError **error)
{
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, async, NULL, error);
  return result != NULL ? g_variant_get_uint64 (result) : 0;
}

/* Arguments */

static const gsize sizes[] = { 0, 1, 65536, LARGE };

typedef GInputStream *(*OpenFunc) (gsize size);

static GInputStream *
open_counter (gsize size)
{
  return counter_new (size, FALSE);
}

static void
try_arguments (OpenFunc open)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      {
        g_autoptr (GInputStream) stream = open (sizes[i]);
        g_autoptr (GError) error = NULL;

        g_assert_cmpuint (run_number (executor, count_all_call (stream), async, &error), ==,
                          sizes[i]);
        g_assert_no_error (error);
      }
}

static void
test_files (void)
{
  try_arguments (open_file);
}

static void
test_others (void)
{
  try_arguments (open_counter);
}

/* The first one waits while the second one is read. */
static void
test_two (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GInputStream) first = counter_new (LARGE, FALSE);
      g_autoptr (GInputStream) second = counter_new (LARGE / 2, FALSE);
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (run_number (executor, count_both_call (first, 4, second), async, &error),
                        ==, 3 * LARGE);
      g_assert_no_error (error);
    }
}

/* A pipe and what the thread has in its hands are all that is read ahead. */
static void
test_back_pressure (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      ProcfunCall *call = read_some_call (stream);

      procfun_call_set_executor (call, executor);
      result = calls_run (call, async, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 100);
      g_assert_cmpuint (counter_get_position (stream), <=, LARGE);
    }
}

static void
test_not_run (void)
{
  g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);
  g_autoptr (ProcfunCall) call = read_some_call (stream);

  g_clear_object (&call);
  g_assert_cmpuint (counter_get_position (stream), ==, 0);
}

/* Failures */

static void
test_failing_argument (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (gsize size = 0; size <= LARGE; size += LARGE / 2)
      {
        g_autoptr (GInputStream) stream = counter_new (size, TRUE);
        g_autoptr (GError) error = NULL;
        ProcfunCall *call = count_all_call (stream);

        procfun_call_set_grace_period (call, 10 * G_TIME_SPAN_MILLISECOND);
        g_assert_cmpuint (run_number (executor, call, async, &error), ==, 0);
        calls_check_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "*count_all()*no more of this*");
      }
}

static void
test_timeout (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);
      ProcfunCall *call = count_all_call (stream);

      procfun_call_set_timeout (call, TIMEOUT_US);
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                          "*count_all()*");
    }
}

static void
test_cancelled (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);
  g_autoptr (ProcfunCall) call = count_all_call (stream);
  Results results;

  results_init (&results);
  procfun_call_set_grace_period (call, 10 * G_TIME_SPAN_MILLISECOND);
  results_run (&results, executor, g_object_ref (call));
  while (counter_get_position (stream) < LARGE)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
    }
  procfun_call_abort (call);
  results_wait (&results, 1);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  results_clear (&results);
}

/* Twice would be with another part of the stream. */
static void
test_crash (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  if (PROCFUN_IS_POOL (executor))
    {
      procfun_pool_set_max_retries (PROCFUN_POOL (executor), 3);
      procfun_pool_set_retry_on (PROCFUN_POOL (executor), PROCFUN_RETRY_CRASHED);
    }
  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);

      calls_assert_error (executor, read_and_crash_call (stream), async, PROCFUN_ERROR,
                          PROCFUN_ERROR_CRASHED, "*read_and_crash()*");
    }
  if (PROCFUN_IS_POOL (executor))
    g_assert_cmpuint (pools_get_statistic (PROCFUN_POOL (executor), "workers-started"), ==, 2);
}

static void
test_null (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (count_all_process (NULL, &error), ==, 0);
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, "*count_all()*/stream: is NULL");
}

/* Results */

/* The typed wrappers, blocking and not. (nullable) (transfer full) */
typedef GInputStream *(*FinishFunc) (ProcfunCall *call, GAsyncResult *result, GError **error);
typedef GInputStream *(*RunFunc) (ProcfunCall *call, GCancellable *cancellable, GError **error);

static GInputStream *
run_stream (ProcfunExecutor *executor, ProcfunCall *new_call, gboolean async, RunFunc run,
            FinishFunc finish, GError **error)
{
  g_autoptr (ProcfunCall) call = new_call;
  g_autoptr (GAsyncResult) result = NULL;

  procfun_call_set_executor (call, executor);
  if (!async)
    return run (call, NULL, error);
  result = calls_await (call, NULL);
  return finish (call, result, error);
}

#define RUN_STREAM(name, args, async, error)                                                       \
  run_stream (executor, name##_call args, async, name##_run, name##_run_finish, error)

static void
test_results (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      {
        g_autoptr (GError) error = NULL;
        g_autoptr (GInputStream) file = RUN_STREAM (return_file, (sizes[i]), async, &error);
        g_autoptr (GInputStream) other = NULL;

        g_assert_no_error (error);
        g_assert_cmpuint (count_bytes (file, &error), ==, sizes[i]);
        g_assert_no_error (error);
        other = RUN_STREAM (return_counter, (sizes[i], FALSE), async, &error);
        g_assert_no_error (error);
        g_assert_true (G_IS_FILE_DESCRIPTOR_BASED (other));
        g_clear_object (&executor); /* what is left of the call is the stream */
        g_assert_cmpuint (count_bytes (other, &error), ==, sizes[i]);
        g_assert_no_error (error);
        executor = calls_new_executor ();
      }
}

static void
test_failing_result (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) another = NULL;

      g_assert_null (RUN_STREAM (return_counter, (LARGE, TRUE), async, &error));
      calls_check_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "*return_counter()*no more of this*");
      g_assert_null (RUN_STREAM (return_nothing, (), async, &another));
      calls_check_error (another, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, "*return_nothing()*is NULL");
    }
}

/* Through two processes. */
static void
test_filter (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GConverter) converter
      = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) stream = counter_new (LARGE, FALSE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) zipped = RUN_STREAM (compress, (stream), FALSE, &error);
  g_autoptr (GInputStream) plain = NULL;

  g_assert_no_error (error);
  plain = g_converter_input_stream_new (zipped, converter);
  g_assert_cmpuint (run_number (executor, count_all_call (plain), TRUE, &error), ==, LARGE);
  g_assert_no_error (error);
}

/* Within others */

static void
test_struct (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_auto (Named) file = { g_strdup ("a"), open_file (LARGE) };
  g_auto (Named) other = { g_strdup ("b"), counter_new (LARGE, FALSE) };
  g_autoptr (GError) error = NULL;
  g_auto (Named) back = return_named_process_with (LARGE, executor, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (count_bytes (back.stream, &error), ==, LARGE);
  g_assert_no_error (error);
  g_assert_cmpuint (count_named_process_with (file, executor, NULL, &error), ==, LARGE);
  g_assert_no_error (error);
  g_assert_cmpuint (count_named_process_with (other, executor, NULL, &error), ==, 0);
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                     "*/named/stream: is a stream without a file descriptor");
}

/* Items are pieces: neither process has more than some of them. */
static void
test_generator (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GInputStream) stream = counter_new (LARGE, FALSE);
  g_autoptr (ProcfunCall) call = cut_call (stream);
  g_autoptr (GError) error = NULL;
  gsize size = 0;
  GBytes *piece;

  procfun_call_set_executor (call, executor);
  while (cut_next (call, &piece, NULL, &error))
    {
      size += g_bytes_get_size (piece);
      g_bytes_unref (piece);
    }
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, LARGE);
}

static void
test_dropped_generator (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);
  g_autoptr (ProcfunCall) call = cut_call (stream);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) piece = NULL;

  procfun_call_set_executor (call, executor);
  g_assert_true (cut_next (call, &piece, NULL, &error));
  g_assert_no_error (error);
  g_clear_object (&call);
}

static void
test_failing_generator (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GInputStream) stream = counter_new (LARGE, TRUE);
  g_autoptr (ProcfunCall) call = cut_call (stream);
  g_autoptr (GError) error = NULL;
  GBytes *piece;

  procfun_call_set_executor (call, executor);
  procfun_call_set_grace_period (call, 10 * G_TIME_SPAN_MILLISECOND);
  while (cut_next (call, &piece, NULL, &error))
    g_bytes_unref (piece);
  calls_check_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "*cut()*no more of this*");
}

static void
test_session (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunSession) session
      = procfun_pool_acquire (pool, count_all_function (), NULL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GInputStream) stream = counter_new (LARGE, FALSE);

      g_assert_cmpuint (
          run_number (PROCFUN_EXECUTOR (session), count_all_call (stream), i == 1, &error), ==,
          LARGE);
      g_assert_no_error (error);
    }
}

static void
test_remote (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new ("local*1", &error);
  g_autoptr (GInputStream) stream = counter_new (ENDLESS, FALSE);

  g_assert_no_error (error);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), count_all_call (stream), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_INVALID, "*count_all()*");
  procfun_executor_close (PROCFUN_EXECUTOR (hosts), NULL, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/stream/must-not-be-missing", test_null);
  fixture_add_func ("/stream/is-not-read-for-a-call-that-is-not-run", test_not_run);
  fixture_add_func ("/stream/is-read-in-a-session", test_session);
  fixture_add_func ("/stream/does-not-go-to-other-machines", test_remote);
  calls_add_func_for (CALLS_ON_ALL, "/stream/of-a-file-is-read-by-its-descriptor", test_files);
  calls_add_func_for (CALLS_ON_ALL, "/stream/without-a-descriptor-is-read-through-a-pipe",
                      test_others);
  calls_add_func_for (CALLS_ON_ALL, "/stream/waits-while-another-one-is-read", test_two);
  calls_add_func_for (CALLS_ON_ALL, "/stream/is-read-no-further-than-needed", test_back_pressure);
  calls_add_func_for (CALLS_ON_ALL, "/stream/that-fails-fails-the-call", test_failing_argument);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/that-has-no-end-ends-with-a-timeout",
                      test_timeout);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/that-has-no-end-ends-with-its-call",
                      test_cancelled);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/is-not-read-a-second-time-after-a-crash",
                      test_crash);
  calls_add_func_for (CALLS_ON_ALL, "/stream/as-a-result-outlives-its-process", test_results);
  calls_add_func_for (CALLS_ON_ALL, "/stream/that-fails-is-no-result", test_failing_result);
  calls_add_func_for (CALLS_ON_ALL, "/stream/passes-two-processes", test_filter);
  calls_add_func_for (CALLS_ON_ALL, "/stream/with-a-descriptor-may-be-in-a-struct", test_struct);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/is-cut-into-items", test_generator);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/ends-with-a-generator-that-is-dropped",
                      test_dropped_generator);
  calls_add_func_for (CALLS_ON_PROCESSES, "/stream/that-fails-fails-a-generator",
                      test_failing_generator);
  return fixture_run ();
}
