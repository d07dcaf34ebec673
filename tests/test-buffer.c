/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Arguments that a function writes. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"

#include "procfun/wire/frame.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE ((gsize)4096)
#define THRESHOLD ((gsize)64 * 1024)
#define LARGE ((gsize)3 * 1024 * 1024)

#define TIMEOUT_US (100 * G_TIME_SPAN_MILLISECOND)

static void
fill (guint8 *data, gsize size, guint8 first)
{
  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i * 7 + first);
}

static ProcfunBuffer *
make_buffer (gsize size, guint8 first)
{
  gpointer data;
  ProcfunBuffer *buffer = procfun_buffer_new (size, &data);

  fill (data, size, first);
  return buffer;
}

static gboolean
is_filled (ProcfunBuffer *buffer, guint8 first)
{
  gsize size;
  const guint8 *data = procfun_buffer_get_data (buffer, &size);

  for (gsize i = 0; i < size; i++)
    if (data[i] != (guint8)(i * 7 + first))
      return FALSE;
  return TRUE;
}

/* Functions, which find a buffer of fill (…, 1), and leave one of fill (…, 4) */

static gboolean
change (ProcfunBuffer *buffer)
{
  gsize size;
  guint8 *data = procfun_buffer_get_data (buffer, &size);
  const gboolean was_right = is_filled (buffer, 1);

  fill (data, size, 4);
  return was_right;
}

PROCFUN_DEFINE_STATIC_FUNCTION (write_only, void, (ProcfunBuffer *, buffer)) { change (buffer); }

PROCFUN_DEFINE_STATIC_FUNCTION (write_and_say, char *, (gint, before), (ProcfunBuffer *, buffer),
                                (const char *, after), (ProcfunBuffer *, other))
{
  const gboolean was_right = change (buffer);
  gsize size;
  guint8 *data = procfun_buffer_get_data (other, &size);

  memset (data, before, size);
  return g_strdup_printf ("%s %d", after, was_right);
}

typedef enum
{
  END_ERROR,
  END_CRASH,
  END_EXIT,
  END_STAY,
  END_UNSENDABLE,
  N_ENDS
} End;

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (write_and_fail, char *, (ProcfunBuffer *, buffer),
                                           (gint, end))
{
  change (buffer);
  switch (end)
    {
    case END_CRASH:
      abort ();
    case END_EXIT:
      exit (0);
    case END_STAY:
      for (;;)
        pause ();
    case END_UNSENDABLE:
      return g_strdup ("\xff");
    default:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "on purpose");
      return NULL;
    }
}

static gboolean
run_write_only (ProcfunExecutor *executor, gboolean async, ProcfunBuffer *buffer, GError **error)
{
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  if (!async)
    return write_only_process_with (buffer, executor, NULL, error);
  call = write_only_call (buffer);
  procfun_call_set_executor (call, executor);
  result = calls_await (call, NULL);
  g_assert_true (is_filled (buffer, 1)); /* until it is asked for */
  return write_only_run_finish (call, result, error);
}

/* Success */

static const gsize sizes[]
    = { 0, 1, PAGE - 1, PAGE, PAGE + 1, THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, LARGE, LARGE + 1 };

static void
test_sizes (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
      {
        g_autoptr (ProcfunBuffer) buffer = make_buffer (sizes[i], 1);
        gpointer data = procfun_buffer_get_data (buffer, NULL);
        g_autoptr (GError) error = NULL;
        gboolean ok;

        for (guint again = 0; again < 3; again++)
          {
            fill (data, sizes[i], 1);
            ok = run_write_only (executor, async, buffer, &error);
            g_assert_no_error (error);
            g_assert_true (ok);
            g_assert_true (is_filled (buffer, 4));
            g_assert_true (procfun_buffer_get_data (buffer, NULL) == data);
          }
      }
}

static void
test_several (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  ProcfunCodec *const codecs[] = { procfun_codec_get_json (), procfun_codec_get_gvariant () };

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      g_autoptr (ProcfunBuffer) buffer = make_buffer (2 * LARGE, 1);
      g_autoptr (ProcfunBuffer) other = make_buffer (100, 1);
      g_autoptr (GBytes) expected = g_bytes_new_take (g_strnfill (100, 'c'), 100);
      g_autoptr (GBytes) came = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *result = NULL;

      if (PROCFUN_IS_PROCESS_EXECUTOR (executor))
        procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor), codecs[i]);
      result = write_and_say_process_with ('c', buffer, "end", other, executor, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (result, ==, "end 1");
      g_assert_true (is_filled (buffer, 4));
      came = procfun_buffer_copy_bytes (other);
      g_assert_true (g_bytes_equal (came, expected));
    }
}

/* The result, which is complete for those who see it before or after its buffers are written. */

static void
look_at_result (ProcfunCall *call, gpointer unused)
{
  g_autoptr (GVariant) contents = g_variant_get_child_value (procfun_call_get_result (call), 0);

  g_assert_cmpuint (g_variant_get_size (contents), ==, LARGE);
}

static void
check_result (ProcfunCall *call)
{
  g_autoptr (GVariant) contents = g_variant_get_child_value (procfun_call_get_result (call), 0);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (contents);
  g_autoptr (ProcfunBuffer) came = procfun_buffer_new_from_bytes (bytes);

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, LARGE);
  g_assert_true (is_filled (came, 4));
}

static void
test_result (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint is_seen = 0; is_seen < 2; is_seen++)
    for (guint async = 0; async < 2; async++)
      {
        g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
        g_autoptr (ProcfunCall) call = write_only_call (buffer);
        g_autoptr (GAsyncResult) result = NULL;
        g_autoptr (GError) error = NULL;

        procfun_call_set_executor (call, executor);
        if (is_seen)
          g_signal_connect (call, "finished", G_CALLBACK (look_at_result), NULL);
        if (async)
          result = calls_await (call, NULL);
        if (async)
          write_only_run_finish (call, result, &error);
        else
          write_only_run (call, NULL, &error);
        g_assert_no_error (error);
        g_assert_true (is_filled (buffer, 4));
        check_result (call);
      }
}

/* Nothing writes the buffer then. */
static void
test_result_alone (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
      g_autoptr (ProcfunCall) call = write_only_call (buffer);
      g_autoptr (GVariant) result = NULL;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      result = calls_run (g_object_ref (call), async, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (result == procfun_call_get_result (call));
      check_result (call);
      g_assert_true (is_filled (buffer, 1));
    }
}

/* The worker dies after its answer, and before its caller has asked for that. */
static void
test_dead_worker (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
  g_autoptr (ProcfunCall) call = write_only_call (buffer);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  int pid;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = calls_await (call, NULL);
  pid = procfun_call_get_pid (call);
  g_assert_no_errno (kill (pid, SIGKILL));
  while (kill (pid, 0) == 0)
    g_usleep (1000);
  g_assert_true (is_filled (buffer, 1));
  write_only_run_finish (call, result, &error);
  g_assert_no_error (error);
  g_assert_true (is_filled (buffer, 4));
}

/* More than there are places for. */

PROCFUN_DEFINE_STATIC_FUNCTION (write_six, GBytes *, (ProcfunBuffer *, a), (ProcfunBuffer *, b),
                                (ProcfunBuffer *, c), (ProcfunBuffer *, d), (ProcfunBuffer *, e),
                                (ProcfunBuffer *, f))
{
  ProcfunBuffer *const all[] = { a, b, c, d, e, f };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    change (all[i]);
  return procfun_buffer_copy_bytes (a);
}

static void
test_many (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  ProcfunBuffer *all[6];

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = make_buffer (THRESHOLD * (i + 1), 1);
  for (guint again = 0; again < 3; again++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = write_six_process_with (all[0], all[1], all[2], all[3], all[4],
                                                         all[5], executor, NULL, &error);
      g_autoptr (GBytes) expected = procfun_buffer_copy_bytes (all[0]);

      g_assert_no_error (error);
      g_assert_true (g_bytes_equal (bytes, expected));
      for (guint i = 0; i < G_N_ELEMENTS (all); i++)
        {
          gsize size;
          gpointer data = procfun_buffer_get_data (all[i], &size);

          g_assert_true (is_filled (all[i], 4));
          fill (data, size, 1);
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    procfun_buffer_unref (all[i]);
}

/* Failure */

static void
run_and_fail (ProcfunExecutor *executor, gboolean async, ProcfunBuffer *buffer, End end)
{
  g_autoptr (ProcfunCall) call = write_and_fail_call (buffer, end);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  procfun_call_set_executor (call, executor);
  if (end == END_STAY)
    procfun_call_set_timeout (call, TIMEOUT_US);
  if (async)
    result = calls_await (call, NULL);
  text = async ? write_and_fail_run_finish (call, result, &error)
               : write_and_fail_run (call, NULL, &error);
  g_assert_null (text);
  g_assert_nonnull (error);
}

static void
test_failure (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const gboolean is_inline = PROCFUN_IS_INLINE (executor);

  for (guint async = 0; async < 2; async++)
    for (End end = 0; end < N_ENDS; end++)
      {
        g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);

        if (is_inline && end != END_ERROR && end != END_UNSENDABLE)
          continue;
        run_and_fail (executor, async, buffer, end);
        g_assert_true (is_filled (buffer, 1));
      }
}

static void
test_cancelled (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
  g_autoptr (ProcfunCall) call = write_and_fail_call (buffer, END_STAY);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  procfun_call_set_grace_period (call, 0);
  g_signal_connect (call, "started", G_CALLBACK (procfun_call_abort), NULL);
  result = calls_await (call, NULL);
  g_assert_null (write_and_fail_run_finish (call, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (is_filled (buffer, 1));
}

/* A result whose second part has one byte less than the buffer. */
PROCFUN_DEFINE_STATIC_FUNCTION (send_less, gint, (ProcfunBuffer *, buffer))
{
  g_autoptr (GBytes) less = procfun_buffer_copy_bytes (buffer);
  g_autoptr (GVariant) result = g_variant_ref_sink (g_variant_new (
      "(i@ay)", 1,
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, g_bytes_get_data (less, NULL),
                               g_bytes_get_size (less) - 1, TRUE, NULL, NULL)));
  struct
  {
    FrameHeader header;
    ProcfunUsage usage;
  } head = { 0 };

  frame_header_init (&head.header, FRAME_RESULT, 0, 0,
                     sizeof head.usage + g_variant_get_size (result));
  if (write (3, &head, sizeof head) != sizeof head
      || write (3, g_variant_get_data (result), g_variant_get_size (result)) < 0)
    abort ();
  for (;;)
    pause ();
}

static void
test_other_size (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunBuffer) buffer = make_buffer (100, 1);
  g_autoptr (GError) error = NULL;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                      procfun_codec_get_gvariant ());
  g_assert_cmpint (send_less_process_with (buffer, executor, NULL, &error), ==, 0);
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                     "*send_less()*99 bytes*buffer of 100*");
  g_assert_true (is_filled (buffer, 1));
}

static void
test_null (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (write_only_process (NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, "*write_only()*/buffer: is NULL");
}

/* Without C types */

static void
test_variant (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  g_assert_cmpstr (procfun_function_get_signature (write_only_function ()), ==,
                   "write_only(ay)(ay)");
  for (guint async = 0; async < 2; async++)
    {
      calls_assert_result (executor, calls_new ("write_only", "([byte 1, 8, 15],)"), async,
                           "([byte 0x04, 0x0b, 0x12],)");
      calls_assert_result (executor,
                           calls_new ("write_and_say", "(33, [byte 1, 8], 'x', [byte 5, 6])"),
                           async, "('x 1', [byte 0x04, 0x0b], [byte 0x21, 0x21])");
    }
}

static void
test_json (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) args = json_from_string (
      "{\"before\": 33, \"buffer\": \"AQg=\", \"after\": \"x\", \"other\": \"BQY=\"}", &error);
  g_autoptr (ProcfunCall) call = procfun_call_new_json (write_and_say_function (), args, &error);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GVariant) result = NULL;
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  procfun_call_set_executor (call, executor);
  result = procfun_call_run (call, NULL, &error);
  g_assert_no_error (error);
  node = procfun_call_get_result_json (call, &error);
  g_assert_no_error (error);
  text = json_to_string (node, FALSE);
  g_assert_cmpstr (text, ==, "{\"return\":\"x 1\",\"buffer\":\"BAs=\",\"other\":\"ISE=\"}");
}

static void
test_remote (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new ("local*1", &error);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (hosts);
  g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
  gboolean ok;

  g_assert_no_error (error);
  run_and_fail (executor, FALSE, buffer, END_ERROR);
  for (guint async = 0; async < 2; async++)
    {
      g_assert_true (is_filled (buffer, 1));
      ok = run_write_only (executor, async, buffer, &error);
      g_assert_no_error (error);
      g_assert_true (ok);
      g_assert_true (is_filled (buffer, 4));
      fill (procfun_buffer_get_data (buffer, NULL), LARGE, 1);
    }
  procfun_executor_close (executor, NULL, &error);
  g_assert_no_error (error);
}

/* A map has no C types. */
static void
test_map (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (2);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, write_only_function ());
  g_autoptr (GVariant) args = g_variant_ref_sink (
      g_variant_new_parsed ("[([byte 1, 8],), ([byte 1],), ([byte 1, 8, 15],)]"));
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GVariant) expected = g_variant_ref_sink (
      g_variant_new_parsed ("[([byte 4, 11],), ([byte 4],), ([byte 4, 11, 18],)]"));
  g_autoptr (GError) error = NULL;

  procfun_map_set_array (map, args);
  results = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_equal (results, expected));
}

/* Limits */

/* The result has more bytes than the arguments. */
PROCFUN_DEFINE_STATIC_FUNCTION (write_and_note, guint64, (ProcfunBuffer *, buffer),
                                (const char *, path))
{
  change (buffer);
  return g_file_set_contents (path, "", 0, NULL);
}

PROCFUN_DEFINE_STATIC_FUNCTION (write_and_return, GBytes *, (ProcfunBuffer *, buffer), (guint, n))
{
  change (buffer);
  return g_bytes_new_take (g_malloc0 (n), n);
}

static void
set_max_payload (ProcfunExecutor *executor, guint64 size)
{
  if (!PROCFUN_IS_INLINE (executor))
    g_object_set (executor, "max-payload", size, NULL);
}

static gsize
get_encoded_size (ProcfunCall *call, ProcfunCodec *codec)
{
  ProcfunFunction *function = procfun_call_get_function (call);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes
      = procfun_codec_encode (codec, procfun_function_get_arguments_schema (function),
                              procfun_call_get_arguments (call), &error);

  g_assert_no_error (error);
  return g_bytes_get_size (bytes);
}

/* Whether the function runs, with arguments of @more bytes less than the limit. */
static void
check_limit (ProcfunExecutor *executor, ProcfunCodec *codec, gsize size, gssize more,
             gboolean async)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "procfun-buffer-XXXXXX", NULL);
  const int fd = g_mkstemp (path);
  g_autoptr (ProcfunBuffer) buffer = make_buffer (size, 1);
  g_autoptr (ProcfunCall) call = write_and_note_call (buffer, path);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  const gboolean fits = more >= 0 || PROCFUN_IS_INLINE (executor);
  guint64 done;

  close (fd);
  g_assert_no_errno (unlink (path));
  set_max_payload (executor, (guint64)((gssize)get_encoded_size (call, codec) + more));
  procfun_call_set_executor (call, executor);
  if (async)
    result = calls_await (call, NULL);
  done = async ? write_and_note_run_finish (call, result, &error)
               : write_and_note_run (call, NULL, &error);
  if (fits)
    g_assert_no_error (error);
  else
    calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, "*write_and_note()*is the limit");
  g_assert_cmpuint (done, ==, fits);
  g_assert_true (is_filled (buffer, fits ? 4 : 1));
  g_assert_true ((unlink (path) == 0) == fits);
}

static void
test_limit (void)
{
  static const gsize limited[] = { 1000, THRESHOLD, LARGE };
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  ProcfunCodec *const codecs[] = { procfun_codec_get_json (), procfun_codec_get_gvariant () };

  for (guint i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      if (PROCFUN_IS_PROCESS_EXECUTOR (executor))
        procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor), codecs[i]);
      for (guint k = 0; k < G_N_ELEMENTS (limited); k++)
        for (gssize more = -8; more <= 8; more += 8)
          check_limit (executor, codecs[i], limited[k], more, k == 1);
    }
}

static void
test_limit_on_hosts (void)
{
  for (gssize more = -8; more <= 8; more += 8)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunRemotePool) hosts = procfun_remote_pool_new ("local*1", &error);
      ProcfunExecutor *executor = PROCFUN_EXECUTOR (hosts);

      g_assert_no_error (error);
      check_limit (executor, procfun_codec_get_gvariant (), LARGE, more, more == 0);
      procfun_executor_close (executor, NULL, &error);
      g_assert_no_error (error);
    }
}

/* The limit is that of all else. */
static void
test_result_limit (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  set_max_payload (executor, LARGE);
  for (guint more = 0; more < 2; more++)
    {
      g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE / 2, 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = write_and_return_process_with (
          buffer, (guint)(more ? LARGE + 1 : LARGE - 100), executor, NULL, &error);

      if (more)
        calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                           "*write_and_return()*3145728 is the limit");
      else
        g_assert_no_error (error);
      g_assert_true ((bytes == NULL) == (more == 1));
      g_assert_true (is_filled (buffer, more ? 1 : 4));
    }
}

static void
test_limit_in_map (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, write_only_function ());
  g_autoptr (ProcfunBuffer) buffer = make_buffer (LARGE, 1);
  g_autoptr (ProcfunCall) call = write_only_call (buffer);
  GVariant *args[] = { procfun_call_get_arguments (call), procfun_call_get_arguments (call) };
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;

  set_max_payload (PROCFUN_EXECUTOR (pool), LARGE);
  procfun_map_set_array (map, g_variant_new_array (NULL, args, G_N_ELEMENTS (args)));
  results = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_get_size (results), >=, 2 * LARGE);
}

/* The type itself */

static void
test_type (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autoptr (ProcfunBuffer) buffer = procfun_buffer_new_from_bytes (bytes);
  g_autoptr (ProcfunBuffer) zeroes = procfun_buffer_new (2, NULL);
  g_autoptr (ProcfunBuffer) boxed = g_boxed_copy (PROCFUN_TYPE_BUFFER, buffer);
  g_autoptr (GBytes) copy = NULL;
  gsize size;
  char *data = procfun_buffer_get_data (buffer, &size);

  g_assert_true (boxed == buffer);
  g_assert_cmpmem (data, size, "abc", 3);
  data[0] = 'x';
  copy = procfun_buffer_copy_bytes (buffer);
  data[0] = 'y';
  g_assert_cmpmem (g_bytes_get_data (copy, NULL), g_bytes_get_size (copy), "xbc", 3);
  data = procfun_buffer_get_data (zeroes, &size);
  g_assert_cmpmem (data, size, "\0", 2);
}

/* A direct call writes the memory itself. */
static void
test_direct (void)
{
  g_autoptr (ProcfunBuffer) buffer = make_buffer (100, 1);

  write_only (buffer);
  g_assert_true (is_filled (buffer, 4));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/buffer/has-memory-that-it-keeps", test_type);
  fixture_add_func ("/buffer/is-written-in-place-by-a-direct-call", test_direct);
  fixture_add_func ("/buffer/must-not-be-missing", test_null);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/of-any-size-has-the-changes-after-success",
                      test_sizes);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/is-changed-beside-others-and-a-result", test_several);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/has-what-the-result-of-its-call-has", test_result);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/is-as-before-when-the-result-is-taken-alone",
                      test_result_alone);
  fixture_add_func ("/buffer/is-changed-also-when-the-worker-dies-after-its-answer",
                    test_dead_worker);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/is-changed-beside-any-number-of-others", test_many);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/is-as-before-when-a-call-fails", test_failure);
  calls_add_func_for (CALLS_ON_PROCESSES, "/buffer/is-as-before-when-a-call-is-cancelled",
                      test_cancelled);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/is-bytes-and-comes-with-the-result-without-c-types",
                      test_variant);
  calls_add_func_for (CALLS_ON_ALL, "/buffer/has-its-name-in-json", test_json);
  calls_add_func_for (CALLS_ON_ALL,
                      "/buffer/as-large-as-the-limit-is-changed-and-a-larger-one-refused",
                      test_limit);
  calls_add_func_for (CALLS_ON_PROCESSES, "/buffer/leaves-the-limit-to-the-result",
                      test_result_limit);
  fixture_add_func ("/buffer/as-large-as-the-limit-is-changed-on-other-machines",
                    test_limit_on_hosts);
  fixture_add_func ("/buffer/as-large-as-the-limit-is-changed-in-a-map", test_limit_in_map);
  fixture_add_func ("/buffer/is-changed-on-other-machines", test_remote);
  fixture_add_func ("/buffer/is-changed-in-each-element-of-a-map", test_map);
  fixture_add_func ("/buffer/is-as-before-when-its-size-would-change", test_other_size);
  return fixture_run ();
}
