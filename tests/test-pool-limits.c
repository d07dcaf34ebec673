/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Limits in a pool: those that each worker sets once, and those of a call that cost no worker. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIB ((guint64)1 << 20)

static gint64
get_cpu_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_cpu, gint, (guint64, ms))
{
  const gint64 end = get_cpu_time () + (gint64)ms * 1000;

  while (get_cpu_time () < end)
    ;
  return getpid ();
}

/* The next three functions give back their memory before they return. */
PROCFUN_DEFINE_STATIC_FUNCTION (use_memory, gint, (guint64, mib))
{
  g_free (g_malloc (mib * MIB));
  return getpid ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_files, gint, (guint64, n))
{
  g_autofree int *fds = g_new (int, n);

  for (guint64 i = 0; i < n; i++)
    if ((fds[i] = dup (STDERR_FILENO)) < 0)
      abort ();
  for (guint64 i = 0; i < n; i++)
    close (fds[i]);
  return getpid ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_file_size, gint, (guint64, n))
{
  int fd = memfd_create ("file", MFD_CLOEXEC);

  for (guint64 i = 0; i < n; i++)
    if (write (fd, "x", 1) != 1)
      abort ();
  close (fd);
  return getpid ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_output, gint, (guint64, n))
{
  for (guint64 i = 0; i < n; i++)
    if (write (STDOUT_FILENO, " ", 1) != 1)
      abort ();
  return getpid ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (use_result, char *, (guint64, n)) { return g_strnfill (n, 'x'); }

/* Limits that earlier calls have left are lower than without a limit. */
PROCFUN_DEFINE_STATIC_FUNCTION (get_limit, guint64, (gint, resource))
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit ((__rlimit_resource_t)resource, &limit), ==, 0);
  return limit.rlim_cur;
}

static ProcfunLimits *
read_limits (const char *text)
{
  g_autoptr (GError) error = NULL;
  ProcfunLimits *limits = procfun_limits_new_from_string (text, &error);

  g_assert_no_error (error);
  return limits;
}

static ProcfunPool *
make_pool (guint max_workers, const char *text)
{
  g_autoptr (ProcfunLimits) limits = read_limits (text);
  ProcfunPool *pool = procfun_pool_new (max_workers);

  procfun_pool_set_worker_limits (pool, limits);
  return pool;
}

static ProcfunCall *
under_limits (ProcfunCall *call, const char *text)
{
  g_autoptr (ProcfunLimits) limits = read_limits (text);

  procfun_call_set_limits (call, limits);
  return call;
}

/* Of a worker. The program's own stdout is the protocol of the test. */

static const struct
{
  const char *name;
  ProcfunCall *(*call) (guint64 n);
  const char *limits;
  guint64 under;
  guint64 over;
  int code;
  const char *message;
} breaches[] = {
  { "memory", use_memory_call, "memory=64M", 60, 68, PROCFUN_ERROR_MEMORY_LIMIT,
    "*memory*; its limit is 64M*" },
  { "CPU time", use_cpu_call, "cpu=150ms", 20, 100000, PROCFUN_ERROR_CPU_LIMIT,
    "*used more CPU time than its limit of 0.15 s allows*" },
  { "files", use_files_call, "files=100", 100, 101, PROCFUN_ERROR_LIMIT,
    "*needed more file descriptors than it may have; its limit is 100*" },
  { "file size", use_file_size_call, "file-size=1000", 1000, 1001, PROCFUN_ERROR_LIMIT,
    "*beyond the size that it may have; its limit is 1000*" },
  { "output", use_output_call, "output=1000", 1000, 1001, PROCFUN_ERROR_LIMIT,
    "*printed more than its limit allows*" },
};

static ProcfunCall *
make_call (gsize i, guint64 n)
{
  ProcfunCall *call = breaches[i].call (n);

  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
  return call;
}

static gint
get_number (ProcfunPool *pool, ProcfunCall *call, gboolean async)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = calls_run (call, async, NULL, &error);
  g_assert_no_error (error);
  return g_variant_get_int32 (result);
}

static void
test_breach (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  auto_pool ProcfunPool *pool = make_pool (1, breaches[i].limits);
  gint pid = 0;

  for (guint n = 0; n < 4; n++)
    {
      const gboolean async = n % 2;
      g_autoptr (ProcfunCall) call = make_call (i, breaches[i].over);
      const ProcfunLimits *limits;
      g_autofree char *text = NULL;
      gint next = get_number (pool, make_call (i, breaches[i].under), async);

      g_assert_cmpint (next, !=, pid);
      pid = next;
      for (guint k = 0; k < 3; k++)
        g_assert_cmpint (get_number (pool, make_call (i, breaches[i].under), async), ==, pid);
      calls_assert_error (PROCFUN_EXECUTOR (pool), g_object_ref (call), async, PROCFUN_ERROR,
                          breaches[i].code, breaches[i].message);
      limits = procfun_failure_get_limits (procfun_call_get_failure (call));
      g_assert_nonnull (limits);
      text = procfun_limits_to_string (limits);
      g_assert_cmpstr (text, ==, breaches[i].limits);
    }
}

/* The function is no object, and its worker one that has served before. */
static void
test_plain_breach (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "memory=64M cpu=150ms files=100 file-size=1000");
  static const struct
  {
    gint (*process) (guint64 n, GError **error);
    guint64 over;
    int code;
  } cases[] = { { use_memory_process, 68, PROCFUN_ERROR_MEMORY_LIMIT },
                { use_cpu_process, 100000, PROCFUN_ERROR_CPU_LIMIT },
                { use_files_process, 101, PROCFUN_ERROR_LIMIT },
                { use_file_size_process, 1001, PROCFUN_ERROR_LIMIT } };

  procfun_executor_set_default (PROCFUN_EXECUTOR (pool));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint pid = cases[i].process (1, &error);

      for (guint k = 0; k < 3; k++)
        {
          g_assert_no_error (error);
          g_assert_cmpint (cases[i].process (1, &error), ==, pid);
        }
      cases[i].process (cases[i].over, &error);
      g_assert_error (error, PROCFUN_ERROR, cases[i].code);
      g_assert_nonnull (procfun_error_get_failure (error));
      g_clear_error (&error);
      g_assert_cmpint (cases[i].process (1, &error), !=, pid);
      g_assert_no_error (error);
    }
  procfun_executor_set_default (NULL);
}

/* An answer that is too large costs no worker. */
static void
test_result (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "result=1000");
  gint pid = pools_get_pid (pool);

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      calls_assert_error (PROCFUN_EXECUTOR (pool), use_result_call (1000), async, PROCFUN_ERROR,
                          PROCFUN_ERROR_LIMIT, "*use_result()*1001 bytes, but 1000 is the limit*");
      pools_get_number (pool, use_result_call (999));
      g_assert_cmpint (pools_get_pid (pool), ==, pid);
    }
}

/* More than twice as much as a call may take. */
static void
test_memory_left (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "memory=64M");
  gint pid = pools_get_pid (pool);

  for (guint i = 0; i < 4; i++)
    {
      pools_get_number (pool, leave_memory_call (40 * MIB));
      g_assert_cmpint (pools_get_number (pool, use_memory_call (60)), ==, pid);
    }
  pools_assert_error (pool, use_memory_call (68), PROCFUN_ERROR, PROCFUN_ERROR_MEMORY_LIMIT, "*");
}

static void
test_initializer (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "memory=64M");
  gint pid;

  procfun_pool_set_initializer (pool, leave_memory_function (),
                                g_variant_new ("(t)", (guint64)(100 * MIB)));
  pid = get_number (pool, use_memory_call (60), FALSE);
  g_assert_cmpint (get_number (pool, use_memory_call (60), TRUE), ==, pid);
  pools_assert_error (pool, use_memory_call (68), PROCFUN_ERROR, PROCFUN_ERROR_MEMORY_LIMIT, "*");
}

/* One that waits, and one that has a call. */
static void
test_changed (void)
{
  auto_pool ProcfunPool *pool = make_pool (2, "file-size=1000");
  g_autoptr (ProcfunLimits) limits = read_limits ("file-size=2000");
  Results results;
  Events events;
  Holder holder;

  results_init (&results);
  events_init (&events, pool);
  holder_run (&holder, pool, &results);
  pools_get_number (pool, use_file_size_call (1000));
  g_assert_cmpuint (events_count (&events, "started"), ==, 2);
  procfun_pool_set_worker_limits (pool, limits);
  g_assert_cmpuint (events_count (&events, "recycled: worker-limits"), ==, 1);
  pools_get_number (pool, use_file_size_call (2000));
  holder_let_go (&holder);
  results_wait (&results, 1);
  g_assert_no_error (results.error);
  g_assert_cmpuint (events_count (&events, "recycled: worker-limits"), ==, 2);
  procfun_pool_set_worker_limits (pool, limits);
  g_assert_cmpuint (events_count (&events, "recycled: worker-limits"), ==, 2);
  procfun_pool_set_worker_limits (pool, NULL);
  g_assert_cmpuint (events_count (&events, "recycled: worker-limits"), ==, 3);
  pools_get_number (pool, use_file_size_call (3000));
  holder_clear (&holder);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, NULL));
  results_clear (&results);
  events_clear (&events);
}

static void
note_change (GObject *object, GParamSpec *pspec, gpointer n_changes)
{
  ++*(guint *)n_changes;
}

static void
test_property (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunLimits) limits = read_limits ("memory=1M");
  g_autoptr (ProcfunLimits) copy = NULL;
  g_autoptr (ProcfunLimits) got = NULL;
  guint n_changes = 0;

  g_signal_connect (pool, "notify::worker-limits", G_CALLBACK (note_change), &n_changes);
  g_assert_null (procfun_pool_get_worker_limits (pool));
  procfun_pool_set_worker_limits (pool, NULL);
  g_assert_cmpuint (n_changes, ==, 0);
  g_object_set (pool, "worker-limits", limits, NULL);
  g_assert_cmpuint (n_changes, ==, 1);
  procfun_limits_set_memory (limits, 2);
  g_object_get (pool, "worker-limits", &copy, NULL);
  g_assert_cmpuint (procfun_limits_get_memory (copy), ==, MIB);
  procfun_pool_set_worker_limits (pool, copy);
  g_assert_cmpuint (n_changes, ==, 1);
  procfun_pool_set_worker_limits (pool, NULL);
  g_assert_cmpuint (n_changes, ==, 2);
  got = procfun_pool_get_worker_limits (pool);
  g_assert_null (got);
}

static void
test_stricter (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "memory=64M cpu=10s result=1000 output=1000");
  gint pid = pools_get_pid (pool);
  ProcfunCall *call = under_limits (use_output_call (1001), "output=1M");

  pools_assert_error (pool, under_limits (use_cpu_call (100000), "cpu=50ms"), PROCFUN_ERROR,
                      PROCFUN_ERROR_CPU_LIMIT, "*0.05 s*");
  pools_assert_error (pool, under_limits (use_result_call (100), "result=50"), PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*50 is the limit*");
  pools_assert_error (pool, under_limits (use_result_call (1000), "result=5000"), PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*1000 is the limit*");
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
  pools_assert_error (pool, call, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, "*printed more*");
  pools_assert_error (pool, under_limits (use_memory_call (40), "memory=32M"), PROCFUN_ERROR,
                      PROCFUN_ERROR_MEMORY_LIMIT, "*32M*");
  pools_assert_error (pool, under_limits (use_memory_call (70), "memory=100M"), PROCFUN_ERROR,
                      PROCFUN_ERROR_MEMORY_LIMIT, "*64M*");
  g_assert_cmpint (pools_get_pid (pool), !=, pid);
}

/* Of processes of root, where no control group counts them. */
static void
test_refused (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "processes=1000");
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
  result = calls_run (g_object_ref (call), FALSE, NULL, &error);
  if (result != NULL)
    {
      g_test_skip ("the limit on processes can be kept here");
      return;
    }
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX);
  g_assert_true (strstr (error->message, "the limit on processes cannot be kept here") != NULL);
  procfun_pool_set_worker_limits (pool, NULL);
  g_clear_error (&error);
  while (result == NULL) /* it may be too early to start another one */
    {
      g_autoptr (ProcfunCall) next = add_call (1, 2);

      procfun_call_set_executor (next, PROCFUN_EXECUTOR (pool));
      result = calls_run (g_object_ref (next), FALSE, NULL, &error);
      if (error != NULL)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
      g_clear_error (&error);
    }
}

static void
test_map (void)
{
  auto_pool ProcfunPool *pool = make_pool (2, "memory=64M");
  g_autoptr (ProcfunMap) map = procfun_map_new (pool, use_memory_function ());
  g_autoptr (GVariant) array
      = g_variant_parse (NULL, "@a(t) [(1,), (68,), (60,), (60,)]", NULL, NULL, NULL);
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture_has_address_sanitizer ())
    {
      g_test_skip ("the sanitizer of addresses keeps memory that was freed");
      return;
    }
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  procfun_map_set_array (map, array);
  results = procfun_map_run (map, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (results), ==, 4);
  for (gsize i = 0; i < 4; i++)
    {
      g_autoptr (GVariant) maybe = g_variant_get_child_value (results, i);
      g_autoptr (GVariant) value = g_variant_get_maybe (maybe);

      g_assert_cmpint (value != NULL, ==, i != 1);
    }
}

static void
test_session (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "memory=64M");
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunSession) session
      = procfun_pool_acquire (pool, use_memory_function (), NULL, &error);
  gint pid;

  g_assert_no_error (error);
  pid = pools_get_number (session, use_memory_call (60));
  g_assert_cmpint (pools_get_number (session, use_memory_call (60)), ==, pid);
  g_assert_cmpint (pools_get_number (session, under_limits (use_cpu_call (1), "cpu=10s")), ==, pid);
  pools_assert_error (session, use_memory_call (68), PROCFUN_ERROR, PROCFUN_ERROR_MEMORY_LIMIT,
                      "*64M*");
}

/* The soft limit alone is lower. */
static void
test_set_once (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "file-size=12345");

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (ProcfunCall) call = get_limit_call (RLIMIT_FSIZE);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (pool));
      result = calls_run (g_object_ref (call), FALSE, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_variant_get_uint64 (result), ==, 12345);
    }
}

/* Of a call */

/* Each but the last has the worker that waits. */
static void
test_cheap (void)
{
  static const struct
  {
    ProcfunCall *(*call) (guint64 n);
    const char *limits;
    guint64 under;
    guint64 over;
    int code;
  } cases[]
      = { { use_cpu_call, "cpu=150ms", 20, 100000, PROCFUN_ERROR_CPU_LIMIT },
          { use_output_call, "output=1000", 1000, 1001, PROCFUN_ERROR_LIMIT },
          { use_output_call, "cpu=10s result=1M output=1000", 10, 1001, PROCFUN_ERROR_LIMIT } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        auto_pool ProcfunPool *pool = procfun_pool_new (1);
        ProcfunCall *call = under_limits (cases[i].call (cases[i].over), cases[i].limits);
        gint pid = pools_get_pid (pool);

        for (guint n = 0; n < 3; n++)
          {
            ProcfunCall *cheap = under_limits (cases[i].call (cases[i].under), cases[i].limits);

            procfun_call_set_output_mode (cheap, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
            g_assert_cmpint (get_number (pool, cheap, async), ==, pid);
          }
        procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_DISCARD);
        calls_assert_error (PROCFUN_EXECUTOR (pool), call, async, PROCFUN_ERROR, cases[i].code,
                            "*");
        g_assert_cmpint (pools_get_pid (pool), !=, pid);
      }
}

/* Sent together, one behind the other, to one worker. */
static void
test_result_of_one_call (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  gint pid = pools_get_pid (pool);
  Results results;

  results_init (&results);
  procfun_pool_set_calls_in_flight (pool, 8);
  results_run (&results, pool, use_result_call (2000));
  results_run (&results, pool, under_limits (use_result_call (999), "result=1000"));
  results_run (&results, pool, under_limits (use_result_call (1000), "result=1000"));
  results_run (&results, pool, use_result_call (2000));
  results_wait (&results, 4);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
  g_assert_cmpuint (results.n_succeeded, ==, 3);
  g_assert_cmpint (pools_get_pid (pool), ==, pid);
  results_clear (&results);
}

/* Time that a worker has used for calls before does not count. */
static void
test_cpu_of_each_call (void)
{
  auto_pool ProcfunPool *pool = make_pool (1, "cpu=300ms");
  const gint pid = pools_get_number (pool, use_cpu_call (100));

  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (pools_get_number (pool, use_cpu_call (100)), ==, pid);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (breaches); i++)
    {
      g_autofree char *path = g_strdup_printf (
          "/pool-limits/too much %s is told as for a call, and replaces the worker",
          breaches[i].name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_breach);
    }
  fixture_add_func ("/pool-limits/a plain call has the limits of its worker", test_plain_breach);
  fixture_add_func ("/pool-limits/a large result is refused, and costs no worker", test_result);
  fixture_add_func ("/pool-limits/memory is counted from what calls have left", test_memory_left);
  fixture_add_func ("/pool-limits/the initializer has no limits", test_initializer);
  fixture_add_func ("/pool-limits/other limits replace the workers", test_changed);
  fixture_add_func ("/pool-limits/the property is a copy, and tells changes", test_property);
  fixture_add_func ("/pool-limits/the stricter limit counts", test_stricter);
  fixture_add_func ("/pool-limits/a limit that cannot be kept is an error", test_refused);
  fixture_add_func ("/pool-limits/a map has the limits of its workers", test_map);
  fixture_add_func ("/pool-limits/a session has the limits of its worker", test_session);
  fixture_add_func ("/pool-limits/CPU time is that of each call", test_cpu_of_each_call);
  fixture_add_func ("/pool-limits/limits stay from call to call", test_set_once);
  fixture_add_func ("/pool-limits/limits on time and output cost no worker", test_cheap);
  fixture_add_func ("/pool-limits/a limit on the result is for one call", test_result_of_one_call);
  return fixture_run ();
}
