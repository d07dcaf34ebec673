/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bytes in shared memory that a worker keeps. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"
#include "tests/shared-bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THRESHOLD ((gsize)64 * 1024)
#define PAGE ((gsize)4096)
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
test_kept_result (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) result
      = shared_bytes_run (PROCFUN_EXECUTOR (pool), make_and_keep_call (LARGE), FALSE);

  g_assert_true (shared_bytes_is_mapped (result));
  g_assert_cmpint (pools_get_number (pool, change_kept_call ()), ==, 0);
  g_assert_cmpuint (shared_bytes_sum (result), ==, LARGE);
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

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/bytes/that-a-function-has-returned-it-cannot-change", test_kept_result);
  fixture_add_func ("/bytes/that-a-function-keeps-stay-as-they-are", test_keeping);
  fixture_add_func ("/bytes/are-safe-from-who-scribbles-over-all-that-is-shared",
                    test_scribbling_all);
  fixture_add_func ("/bytes/are-unmapped-by-an-idle-worker", test_idle);
  fixture_add_func ("/bytes/stay-mapped-between-calls", test_not_idle);
  return fixture_run ();
}
