/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/child/placement.h"
#include "procfun/platform/schedule.h"
#include <sched.h>

#define QUICK_US 10
#define CALLS 16

/* So many calls, each so long after the one before, from the processor that this runs on. */
static void
note_calls (Placement *placement, guint n, gint64 *now, gint64 step)
{
  for (guint i = 0; i < n; i++)
    placement_note_call (placement, *now += step, sched_getcpu ());
}

/* Between two looks the kernel may move this, too: then it is looked for again. */
static void
test_moves (void)
{
  cpu_set_t before, after;
  gboolean moved = FALSE;

  g_assert_cmpint (sched_getaffinity (0, sizeof before, &before), ==, 0);
  if (CPU_COUNT (&before) < 2)
    {
      g_test_skip ("there is one processor");
      return;
    }
  for (guint i = 0; i < 100 && !moved; i++)
    {
      int cpu = sched_getcpu ();

      schedule_leave (cpu);
      moved = !schedule_is_on (cpu);
      g_assert_cmpint (sched_getaffinity (0, sizeof after, &after), ==, 0);
      g_assert_true (CPU_EQUAL (&before, &after));
    }
  g_assert_true (moved);
}

static void
test_only_when_quick (void)
{
  Placement placement = { 0 };
  gint64 now = G_USEC_PER_SEC;

  note_calls (&placement, 10 * CALLS, &now, G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint (placement.moved_at, ==, 0);
  note_calls (&placement, CALLS - 1, &now, QUICK_US);
  g_assert_cmpint (placement.moved_at, ==, 0);
  note_calls (&placement, 10 * CALLS, &now, QUICK_US);
  g_assert_cmpint (placement.moved_at, >, 0);
}

static void
test_not_often (void)
{
  Placement placement = { 0 };
  gint64 now = G_USEC_PER_SEC;
  gint64 moved_at;

  while (placement.moved_at == 0)
    note_calls (&placement, 1, &now, QUICK_US);
  moved_at = placement.moved_at;
  note_calls (&placement, 10 * CALLS, &now, QUICK_US);
  g_assert_cmpint (placement.moved_at, ==, moved_at);
}

static void
test_unknown (void)
{
  Placement placement = { 0 };

  for (gint64 i = 1; i < 10 * CALLS; i++)
    placement_note_call (&placement, G_USEC_PER_SEC + i * QUICK_US, -1);
  g_assert_cmpint (placement.moved_at, ==, 0);
  schedule_leave (-1);
  schedule_leave (CPU_SETSIZE);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/placement/thread-leaves-its-processor", test_moves);
  fixture_add_func ("/placement/only-quick-calls-move-a-process", test_only_when_quick);
  fixture_add_func ("/placement/process-does-not-move-often", test_not_often);
  fixture_add_func ("/placement/unknown-processor-moves-nothing", test_unknown);
  return fixture_run ();
}
