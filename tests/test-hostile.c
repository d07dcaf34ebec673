/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hostile functions on each executor, blocking and from a main context, some at the same time: the
 * end of each is right, and the executor and the caller are whole afterwards. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile.h"

#include <sys/resource.h>

#define N_THREADS 6
#define TIMEOUT_US 100000

typedef struct
{
  guint executor;
  gboolean async;
} Way;

typedef struct
{
  const Way *way;
  ProcfunExecutor *executor;
  GArray *list; /* (element-type Hostile) */
  gint next;    /* atomic */
  gint n_wrong; /* atomic */
} Round;

static void
check_end (Round *round, const Hostile *hostile)
{
  const guint right = hostile_get_ends (hostile, round->way->executor);
  g_autofree char *text = NULL;
  const guint end = hostile_run (hostile, round->executor, round->way->async, TIMEOUT_US, &text);

  if ((end & right) != 0)
    return;
  g_atomic_int_inc (&round->n_wrong);
  g_printerr ("# %s ended by %#x and not by %#x: %s\n", hostile->name, end, right, text);
}

static gpointer
run_some (gpointer data)
{
  Round *round = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint i;

  g_main_context_push_thread_default (context);
  while ((i = (guint)g_atomic_int_add (&round->next, 1)) < round->list->len)
    {
      const Hostile *hostile = &g_array_index (round->list, Hostile, i);

      if (hostile_get_obstacle (hostile, round->way->executor) == NULL)
        check_end (round, hostile);
    }
  g_main_context_pop_thread_default (context);
  return NULL;
}

/* One more call for each worker that there may be. */
static void
check_whole (ProcfunExecutor *executor)
{
  for (gint i = 0; i < N_THREADS; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (add_process_with (20, i, executor, NULL, &error), ==, 20 + i);
      g_assert_no_error (error);
    }
}

static void
test_way (gconstpointer data)
{
  const Way *way = data;
  g_autoptr (ProcfunExecutor) executor = hostile_new_executor (way->executor);
  g_autoptr (GArray) list = hostile_list ();
  Round round = { way, executor, list };
  g_autoptr (GError) error = NULL;
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("calls", run_some, &round);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  if (round.n_wrong > 0)
    g_test_fail_printf ("%d ended otherwise", round.n_wrong);
  check_whole (executor);
  procfun_executor_close (executor, NULL, &error);
  g_assert_no_error (error);
}

int
main (int argc, char *argv[])
{
  static const struct rlimit no_core = { 0, 0 };
  static Way ways[2 * HOSTILE_N_EXECUTORS];

  fixture_init (&argc, &argv);
  setrlimit (RLIMIT_CORE, &no_core);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strdup_printf ("/hostile/%s/%s", hostile_get_executor_name (i / 2),
                                               i % 2 == 0 ? "blocking" : "async");

      ways[i] = (Way){ i / 2, i % 2 };
      fixture_add_data_func (path, &ways[i], test_way);
    }
  return fixture_run ();
}
