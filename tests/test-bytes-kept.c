/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes in shared memory that a worker keeps. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"
#include "tests/shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THRESHOLD ((gsize)64 * 1024)
#define PAGE ((gsize)4096)
#define MEGABYTE ((gsize)1024 * 1024)
#define LARGE ((gsize)3 * 1024 * 1024)

PROCFUN_DEFINE_STATIC_FUNCTION (count, guint64, (GBytes *, bytes))
{
  return shared_bytes_sum (bytes);
}

PROCFUN_DEFINE_STATIC_FUNCTION (echo, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

static GBytes *returned;
static gpointer returned_data;

/* Keeps what it returns. */
PROCFUN_DEFINE_STATIC_FUNCTION (make_and_keep, GBytes *, (guint64, size))
{
  returned = procfun_bytes_new (size, &returned_data);
  memset (returned_data, 1, size);
  return g_bytes_ref (returned);
}

/* Changes it in both ways that there are, which must reach no memory but its own; -1: it cannot. */
PROCFUN_DEFINE_STATIC_FUNCTION (change_kept, gint)
{
  int pipe_fds[2];
  gint status = 0;

  if (mprotect (returned_data, PAGE, PROT_READ | PROT_WRITE) == 0)
    *(guint8 *)returned_data = 2;
  if (pipe2 (pipe_fds, O_CLOEXEC) != 0)
    return -1;
  if (write (pipe_fds[1], "change", 6) != 6
      || (read (pipe_fds[0], returned_data, 6) != 6 && errno != EFAULT))
    status = -1;
  close (pipe_fds[0]);
  close (pipe_fds[1]);
  return status;
}

static void
try_kept_result (gsize size, gboolean is_mapped)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) result
      = shared_bytes_run (PROCFUN_EXECUTOR (pool), make_and_keep_call (size), FALSE);

  g_assert_cmpint (shared_bytes_is_mapped (result), ==, is_mapped);
  g_assert_cmpint (pools_get_number (pool, change_kept_call ()), ==, 0);
  g_assert_cmpuint (shared_bytes_sum (result), ==, size);
}

/* A worker copies small ones. */
static void
test_kept_result (void)
{
  try_kept_result (THRESHOLD, FALSE);
  try_kept_result (MEGABYTE - 1, FALSE);
  try_kept_result (MEGABYTE, TRUE);
  try_kept_result (LARGE, TRUE);
}

static GBytes *kept;

PROCFUN_DEFINE_STATIC_FUNCTION (keep, guint64, (GBytes *, bytes))
{
  const guint64 sum = kept != NULL ? shared_bytes_sum (kept) : 0;

  g_clear_pointer (&kept, g_bytes_unref);
  kept = g_bytes_ref (bytes);
  return sum;
}

/* The caller frees its bytes and makes others of the same size, which do not take their place. */
static void
test_keeping (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  static const gsize kinds[] = { THRESHOLD, LARGE };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      guint64 expected = 0;

      for (guint i = 0; i < 8; i++)
        {
          g_autoptr (GBytes) bytes = shared_bytes_new (kinds[k], (guint8)(31 * i));
          const guint64 sum
              = shared_bytes_run_number (PROCFUN_EXECUTOR (pool), keep_call (bytes), FALSE);

          if (i > 0)
            g_assert_cmpuint (sum, ==, expected);
          expected = shared_bytes_sum (bytes);
        }
    }
}

static guint
count_mappings (const char *name)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    abort ();
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    n += strstr (lines[i], name) != NULL ? 1 : 0;
  return n;
}

PROCFUN_DEFINE_STATIC_FUNCTION (count_shared, gint)
{
  return (gint)count_mappings ("/memfd:procfun-bytes");
}

/* Writes over all shared memory of its process, that of the library itself too, and answers if it
 * still can. */
PROCFUN_DEFINE_STATIC_FUNCTION (scribble_all, guint, (GBytes *, bytes))
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  guint n_written = 0;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return 0;
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *end;
      const guint64 first = g_ascii_strtoull (lines[i], &end, 16);
      const guint64 last = *end == '-' ? g_ascii_strtoull (end + 1, NULL, 16) : 0;
      gpointer memory = (gpointer)(guintptr)first;

      if (strstr (lines[i], "/memfd:procfun") == NULL
          || mprotect (memory, last - first, PROT_READ | PROT_WRITE) != 0)
        continue;
      memset (memory, 0xee, last - first);
      n_written++;
    }
  return n_written;
}

static void
check_both (ProcfunExecutor *executor, GBytes *shared, GBytes *copy, guint64 sum)
{
  g_autoptr (GBytes) back = NULL;

  g_assert_cmpuint (shared_bytes_sum (shared), ==, sum);
  g_assert_cmpuint (shared_bytes_run_number (executor, count_call (shared), FALSE), ==, sum);
  g_assert_cmpuint (shared_bytes_run_number (executor, count_call (copy), FALSE), ==, sum);
  back = shared_bytes_run (executor, echo_call (copy), FALSE);
  g_assert_cmpuint (shared_bytes_sum (back), ==, sum);
}

/* Calls of such a worker end in some way; those of others have the same bytes, and are right. */
static void
test_scribbling_all (void)
{
  g_autoptr (ProcfunPool) scribblers = procfun_pool_new (1);
  g_autoptr (ProcfunPool) others = procfun_pool_new (1);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (others);
  g_autoptr (GBytes) shared = shared_bytes_new (LARGE, 5);
  g_autoptr (GBytes) copy
      = g_bytes_new (g_bytes_get_data (shared, NULL), g_bytes_get_size (shared));
  const guint64 sum = shared_bytes_sum (shared);

  check_both (executor, shared, copy, sum);
  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < 4; i++)
      {
        ProcfunCall *call = scribble_all_call (i % 2 == 0 ? shared : copy);
        g_autoptr (GError) error = NULL;
        g_autoptr (GVariant) result = NULL;

        procfun_call_set_executor (call, PROCFUN_EXECUTOR (scribblers));
        procfun_call_set_timeout (call, G_TIME_SPAN_SECOND);
        procfun_call_set_grace_period (call, 10 * G_TIME_SPAN_MILLISECOND);
        result = calls_run (call, async, NULL, &error);
        g_assert_true ((result != NULL) != (error != NULL));
        check_both (executor, shared, copy, sum);
      }
}

static void
test_idle (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 1);

  procfun_pool_set_arena_idle (pool, 20 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (procfun_pool_get_arena_idle (pool), ==, 20 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < 2; i++)
    {
      gint n = 1;

      g_assert_cmpuint (
          shared_bytes_run_number (PROCFUN_EXECUTOR (pool), count_call (bytes), FALSE), ==,
          shared_bytes_sum (bytes));
      for (guint tries = 0; tries < 200 && n > 0; tries++)
        {
          g_usleep (30000); /* a call is use */
          n = pools_get_number (pool, count_shared_call ());
        }
      g_assert_cmpint (n, ==, 0);
    }
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
}

PROCFUN_DEFINE_STATIC_FUNCTION (make, GBytes *, (guint64, size), (guint, first))
{
  return shared_bytes_new (size, (guint8)first);
}

/* Memory of small results is that of the next ones, until their worker is idle. */
static void
test_idle_small (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  gint n = 1;

  procfun_pool_set_arena_idle (pool, 20 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < 4; i++)
    {
      const gsize size = THRESHOLD + 2 * i * PAGE;
      g_autoptr (GBytes) expected = shared_bytes_new (size, (guint8)i);
      g_autoptr (GBytes) made
          = shared_bytes_run (PROCFUN_EXECUTOR (pool), make_call (size, i), i % 2);

      g_assert_true (g_bytes_equal (made, expected));
      g_assert_cmpint (pools_get_number (pool, count_shared_call ()), <=, 1);
    }
  for (guint tries = 0; tries < 200 && n > 0; tries++)
    {
      g_usleep (30000); /* a call is use */
      n = pools_get_number (pool, count_shared_call ());
    }
  g_assert_cmpint (n, ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
}

/* The bytes are 0 as they were in new memory. */
PROCFUN_DEFINE_STATIC_FUNCTION (sum_new, guint64, (guint64, size))
{
  gpointer data;
  g_autoptr (GBytes) bytes = procfun_bytes_new (size, &data);
  const guint64 sum = shared_bytes_sum (bytes);

  memset (data, 0xee, size);
  return sum;
}

static void
test_zero_again (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);

  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (shared_bytes_run_number (PROCFUN_EXECUTOR (pool),
                                               sum_new_call (THRESHOLD + i * PAGE), FALSE),
                      ==, 0);
  g_assert_cmpint (pools_get_number (pool, count_shared_call ()), ==, 1);
}

/* In bytes, of private payloads that went through shared memory. */
static gsize
get_resident (void)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean is_shared = FALSE;
  gsize size = 0;

  if (!g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL))
    abort ();
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "/memfd:procfun-arena") != NULL)
      is_shared = TRUE;
    else if (is_shared && g_str_has_prefix (lines[i], "Rss:"))
      {
        size += 1024 * g_ascii_strtoull (lines[i] + strlen ("Rss:"), NULL, 10);
        is_shared = FALSE;
      }
  return size;
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_resident_there, gint) { return (gint)get_resident (); }

/* Each region keeps its first page. */
#define KEPT_MAX (64 * PAGE)

static void
test_idle_private (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (pool);
  g_autoptr (GBytes) shared = shared_bytes_new (LARGE, 1);
  g_autoptr (GBytes) bytes
      = g_bytes_new (g_bytes_get_data (shared, NULL), g_bytes_get_size (shared));
  g_autoptr (GBytes) back = NULL;

  procfun_pool_set_arena_idle (pool, 20 * G_TIME_SPAN_MILLISECOND);
  back = shared_bytes_run (executor, echo_call (bytes), FALSE);
  g_assert_true (g_bytes_equal (back, bytes));
  g_assert_cmpuint (count_mappings ("/memfd:procfun-arena"), >, 1); /* these stay */
  for (guint tries = 0; tries < 200 && get_resident () > KEPT_MAX; tries++)
    {
      pools_get_number (pool, get_resident_there_call ());
      g_usleep (30000); /* a call is use */
    }
  g_assert_cmpuint (get_resident (), <=, KEPT_MAX);
  g_assert_cmpint (pools_get_number (pool, get_resident_there_call ()), <=, KEPT_MAX);
  g_assert_cmpuint (pools_get_statistic (pool, "workers-started"), ==, 1);
}

/* By default it keeps them. */
static void
test_not_idle (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) bytes = shared_bytes_new (LARGE, 1);

  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (shared_bytes_run_number (PROCFUN_EXECUTOR (pool), count_call (bytes), FALSE),
                      ==, shared_bytes_sum (bytes));
  g_assert_cmpint (pools_get_number (pool, count_shared_call ()), ==, 1);
}

/* Says that it runs, and reads the bytes when it is told to. */
PROCFUN_DEFINE_STATIC_FUNCTION (sum_later, guint64, (GBytes *, bytes), (ProcfunFd, ready),
                                (ProcfunFd, go))
{
  char byte = 0;

  if (write (ready, &byte, 1) != 1 || read (go, &byte, 1) != 1)
    return 0;
  return shared_bytes_sum (bytes);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* Runs, frees @bytes, and takes as much memory for others before they are read. */
static void
free_while_read (ProcfunExecutor *executor, GBytes *bytes)
{
  const guint64 expected = shared_bytes_sum (bytes);
  const gsize size = g_bytes_get_size (bytes);
  g_autoptr (GBytes) other = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  Signal ready, go;

  signal_open (&ready);
  signal_open (&go);
  call = sum_later_call (bytes, ready.ends[1], go.ends[0]);
  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, NULL, keep_result, (gpointer)&result);
  g_bytes_unref (bytes);
  signal_await (&ready);
  other = shared_bytes_new (size, 99);
  g_assert_cmpint (write (go.ends[1], "", 1), ==, 1);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (sum_later_run_finish (call, result, &error), ==, expected);
  g_assert_no_error (error);
  signal_close (&ready);
  signal_close (&go);
}

static void
test_freed (void)
{
  static const gsize kinds[] = { THRESHOLD, LARGE };
  ProcfunExecutor *executors[]
      = { PROCFUN_EXECUTOR (procfun_pool_new (1)), PROCFUN_EXECUTOR (procfun_fork_server_new ()) };

  for (guint i = 0; i < G_N_ELEMENTS (executors); i++)
    for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
      {
        g_autoptr (GBytes) bytes = shared_bytes_new (kinds[k], 7);

        free_while_read (executors[i], g_bytes_new (g_bytes_get_data (bytes, NULL), kinds[k]));
        free_while_read (executors[i], g_steal_pointer (&bytes));
      }
  for (guint i = 0; i < G_N_ELEMENTS (executors); i++)
    g_object_unref (executors[i]);
}

#define N_READS 20

/* Returns the number of times that it has read another sum than the first. */
static gpointer
read_often (gpointer bytes)
{
  guint n_wrong = 0;

  for (guint i = 0; i < N_READS; i++)
    n_wrong += shared_bytes_sum (bytes) != LARGE;
  return GUINT_TO_POINTER (n_wrong);
}

/* The process that has made them dies while they are read. */
static void
test_dead_maker (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) bytes
      = shared_bytes_run (PROCFUN_EXECUTOR (pool), make_and_keep_call (LARGE), FALSE);
  const int pid = pools_get_pid (pool);
  GThread *thread;

  g_assert_true (shared_bytes_is_mapped (bytes));
  thread = g_thread_new ("reader", read_often, bytes);
  g_assert_no_errno (kill (pid, SIGKILL));
  while (kill (pid, 0) == 0)
    g_usleep (1000);
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 0);
  g_assert_cmpuint (shared_bytes_sum (bytes), ==, LARGE);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/bytes/that-a-function-has-returned-it-cannot-change", test_kept_result);
  fixture_add_func ("/bytes/that-a-function-keeps-stay-as-they-are", test_keeping);
  fixture_add_func ("/bytes/are-safe-from-who-scribbles-over-all-that-is-shared",
                    test_scribbling_all);
  fixture_add_func ("/bytes/are-unmapped-by-an-idle-worker", test_idle);
  fixture_add_func ("/bytes/of-small-results-have-memory-that-an-idle-worker-drops",
                    test_idle_small);
  fixture_add_func ("/bytes/in-memory-that-a-worker-uses-again-are-zero", test_zero_again);
  fixture_add_func ("/bytes/that-were-copied-leave-no-memory-with-an-idle-worker",
                    test_idle_private);
  fixture_add_func ("/bytes/stay-mapped-between-calls", test_not_idle);
  fixture_add_func ("/bytes/can-be-freed-while-a-function-reads-them", test_freed);
  fixture_add_func ("/bytes/stay-when-the-process-dies-that-made-them", test_dead_maker);
  return fixture_run ();
}
