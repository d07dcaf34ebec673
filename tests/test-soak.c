/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Very many calls, a third of which crash and a third of which are ended: afterwards all is as it
 * was. The fixture looks at descriptors, threads and processes, and this at memory.
 * PROCFUN_SOAK_CALLS says how many; -m slow stands for 10000. And a mixed load, for
 * PROCFUN_SOAK_MINUTES by ./dev soak; the seed is that of the test program. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/soak.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SLOW_CALLS "10000"
#define QUICK_CALLS "60"
#define WARM_UP_CALLS 300
#define AT_ONCE 4
#define TIMEOUT_US 1000

/* Allowance for allocators, and no more: a byte a call would not be seen, a structure would. */
#define GROWTH_MAX (2 * 1024 * 1024)

#define MIXED_CALLS 500 /* where ./dev soak does not run it */
#define MIXED_WARM_UP 2000
#define MIXED_GROWTH_MAX (8 * 1024 * 1024) /* two threads, each with an allocator of its own */

static ProcfunExecutor *executor;
static int ready_fd;

static gsize
get_resident (void)
{
  g_autofree char *text = NULL;
  unsigned long size = 0, resident = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%lu %lu", &size, &resident), ==, 2);
  return resident * (gsize)sysconf (_SC_PAGESIZE);
}

static ProcfunCall *
make_call (guint i)
{
  ProcfunCall *call = i % 3 == 0   ? add_call (1, 2)
                      : i % 3 == 1 ? do_crash_call ()
                                   : do_stay_call (ready_fd);

  procfun_call_set_executor (call, executor);
  if (i % 3 == 2)
    procfun_call_set_timeout (call, TIMEOUT_US);
  procfun_call_set_grace_period (call, i % 2 == 0 ? 0 : G_USEC_PER_SEC);
  return call;
}

static void
check (guint i, const GError *error)
{
  static const int codes[] = { 0, PROCFUN_ERROR_CRASHED, PROCFUN_ERROR_TIMED_OUT };

  if (i % 3 == 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, PROCFUN_ERROR, codes[i % 3]);
}

static void
run_blocking (guint i)
{
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (GVariant) result = calls_run (make_call (i), FALSE, NULL, &error);

  check (i, error);
}

typedef struct
{
  guint i;
  guint *n_open;
} Open;

static void
on_end (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autofree Open *open = user_data;
  g_autoptr (GError) error = NULL;
  G_GNUC_UNUSED g_autoptr (GVariant) result
      = procfun_call_run_finish (PROCFUN_CALL (source), async_result, &error);

  check (open->i, error);
  --*open->n_open;
}

static void
run_async (guint i, guint *n_open)
{
  g_autoptr (ProcfunCall) call = make_call (i);
  Open *open = g_new (Open, 1);

  *open = (Open){ i, n_open };
  ++*n_open;
  procfun_call_run_async (call, NULL, on_end, open);
}

/* Half of them block, half run several at a time. */
static void
run_calls (guint n)
{
  guint n_open = 0;

  for (guint i = 0; i < n / 2; i++)
    run_blocking (i);
  for (guint i = n / 2; i < n || n_open > 0;)
    {
      while (i < n && n_open < AT_ONCE)
        run_async (i++, &n_open);
      g_main_context_iteration (NULL, TRUE);
    }
}

static void
test_soak (void)
{
  const char *text = g_getenv ("PROCFUN_SOAK_CALLS");
  guint n = (guint)atoi (text != NULL ? text : g_test_slow () ? SLOW_CALLS : QUICK_CALLS);
  gsize before, after;
  Signal signal;

  signal_open (&signal);
  ready_fd = signal.ends[1];
  executor = calls_new_executor ();
  run_calls (MIN (n, WARM_UP_CALLS));
  before = get_resident ();
  for (guint i = 0; i < n; i += MIN (n - i, 1000))
    {
      alarm (300); /* the fixture's patience is for one test, and this is many */
      run_calls (MIN (n - i, 1000));
    }
  after = get_resident ();
  g_test_message ("%u calls: %zu bytes resident before, %zu after", n, before, after);
  if (fixture_has_sanitizers ())
    g_test_skip ("sanitizers keep memory that was freed: only the calls were tried");
  else
    g_assert_cmpuint (after, <=, before + GROWTH_MAX);
  g_clear_object (&executor);
  signal_close (&signal);
}

static void
print_counts (const SoakCounts *counts)
{
  g_test_message ("%u calls on a main context: %u succeeded, %u failed; %u that blocked",
                  counts->n_begun, counts->n_succeeded, counts->n_failed, counts->n_blocking);
  g_test_message (
      "%u processes killed, %u stopped, %u calls ended, %u executors closed, %u forks of "
      "the program",
      counts->n_killed, counts->n_stopped, counts->n_cancelled, counts->n_closed, counts->n_forks);
}

/* The first calls load and keep what the others use, too. */
static void
test_mixed (void)
{
  const char *text = g_getenv ("PROCFUN_SOAK_MINUTES");
  const double minutes = text != NULL ? g_ascii_strtod (text, NULL) : 0;
  const gint64 until = g_get_monotonic_time () + (gint64)(minutes * 60 * G_USEC_PER_SEC);
  gsize before, after;
  SoakCounts counts;

  if (text == NULL)
    {
      soak_run (g_test_rand_int (), MIXED_CALLS, 0, &counts);
      print_counts (&counts);
      g_assert_cmpuint (counts.n_begun, ==, counts.n_succeeded + counts.n_failed);
      return;
    }
  soak_run (g_test_rand_int (), MIXED_WARM_UP, 0, &counts);
  before = get_resident ();
  soak_run (g_test_rand_int (), 0, until, &counts);
  after = get_resident ();
  print_counts (&counts);
  g_test_message ("%zu bytes resident before, %zu after", before, after);
  g_assert_cmpuint (counts.n_begun, ==, counts.n_succeeded + counts.n_failed);
  if (!fixture_has_sanitizers ())
    g_assert_cmpuint (after, <=, before + MIXED_GROWTH_MAX);
}

int
main (int argc, char *argv[])
{
  static const struct rlimit no_core = { 0, 0 };

  fixture_init (&argc, &argv);
  setrlimit (RLIMIT_CORE, &no_core);
  mallopt (M_MMAP_THRESHOLD, 128 * 1024); /* or the allocators keep large blocks that were freed */
  calls_add_func ("/soak/memory-does-not-grow", test_soak);
  fixture_add_func ("/soak/each-call-of-a-mixed-load-is-answered-once-and-nothing-stays",
                    test_mixed);
  return fixture_run ();
}
