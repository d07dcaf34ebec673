/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Main contexts that wait for calls of hosts. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/remotes.h"

#include <unistd.h>

#define N_CALLS 60
#define N_MANY 400 /* more than are told in a turn, even in three */
#define STEP_US 1000
#define OTHER_PRIORITY (G_PRIORITY_DEFAULT - 7)

PROCFUN_DEFINE_GENERATOR (wait_for_ever, gint) { pause (); }

typedef struct
{
  guint n_ended;
  guint n_lost;        /* of these, to the process that forked this one */
  guint n_wrong;       /* of these, with another result than theirs */
  int priority;        /* of the source that has told the last one */
  GHashTable *sources; /* that have told them */
} Ends;

static void
ends_init (Ends *self)
{
  *self = (Ends){ .sources = g_hash_table_new (NULL, NULL) };
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ends *self = user_data;
  g_autoptr (GError) error = NULL;
  GSource *current = g_main_current_source ();

  if (add_process_finish (result, &error) != 5)
    self->n_wrong++;
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST))
    self->n_lost++;
  self->n_ended++;
  self->priority = g_source_get_priority (current);
  g_hash_table_add (self->sources, current);
}

static void
wait_for_all (Ends *self, guint n)
{
  while (self->n_ended < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
begin (ProcfunRemotePool *hosts, Ends *ends, guint n, int priority)
{
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (2, 3);

      procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
      procfun_call_set_io_priority (call, priority);
      procfun_call_run_async (call, NULL, on_end, ends);
    }
}

/* GLib walks through all sources of a main context in each turn. */
static void
test_one_source (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  Ends ends;

  ends_init (&ends);
  begin (hosts, &ends, N_CALLS, G_PRIORITY_DEFAULT);
  wait_for_all (&ends, N_CALLS);
  g_assert_cmpuint (ends.n_wrong, ==, 0);
  g_assert_cmpuint (g_hash_table_size (ends.sources), ==, 1);
  g_hash_table_unref (ends.sources);
  remotes_close (hosts);
}

static void
test_priority (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  Ends ends, others;

  ends_init (&ends);
  ends_init (&others);
  begin (hosts, &ends, 5, G_PRIORITY_DEFAULT);
  begin (hosts, &others, 5, OTHER_PRIORITY);
  wait_for_all (&ends, 5);
  wait_for_all (&others, 5);
  g_assert_cmpint (ends.priority, ==, G_PRIORITY_DEFAULT);
  g_assert_cmpint (others.priority, ==, OTHER_PRIORITY);
  g_hash_table_unref (ends.sources);
  g_hash_table_unref (others.sources);
  remotes_close (hosts);
}

/* But for the last two, all have ended then. */
static void
wait_for_hosts (ProcfunRemotePool *hosts)
{
  g_autoptr (ProcfunStatistics) statistics = NULL;

  do
    {
      g_usleep (STEP_US);
      g_clear_pointer (&statistics, procfun_statistics_unref);
      statistics = procfun_statistics_new (PROCFUN_EXECUTOR (hosts));
    }
  while (procfun_statistics_get_queued (statistics) > 0);
}

/* They end before the main loop runs: hardly anything else wakes it. */
static void
test_more_than_a_turn (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  Ends ends;

  ends_init (&ends);
  begin (hosts, &ends, N_MANY, G_PRIORITY_DEFAULT);
  wait_for_hosts (hosts);
  g_assert_cmpuint (ends.n_ended, ==, 0);
  wait_for_all (&ends, N_MANY);
  g_assert_cmpuint (ends.n_wrong, ==, 0);
  g_hash_table_unref (ends.sources);
  remotes_close (hosts);
}

static void
on_crash (GObject *source, GAsyncResult *result, gpointer error)
{
  do_crash_process_finish (result, error);
}

/* A process of a host is sent calls ahead, too, and takes none of them with it. */
static void
test_crash_among_others (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*1");
  GError *error = NULL;
  Ends ends;

  ends_init (&ends);
  procfun_remote_pool_set_calls_in_flight (hosts, 64);
  for (guint i = 0; i < 3; i++)
    {
      begin (hosts, &ends, 3, G_PRIORITY_DEFAULT);
      do_crash_process_with_async (PROCFUN_EXECUTOR (hosts), NULL, NULL, on_crash, &error);
      begin (hosts, &ends, 4, G_PRIORITY_DEFAULT);
      wait_for_all (&ends, (i + 1) * 7);
      while (error == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      g_clear_error (&error);
    }
  g_assert_cmpuint (ends.n_wrong, ==, 0);
  g_hash_table_unref (ends.sources);
  remotes_close (hosts);
}

typedef struct
{
  ProcfunRemotePool *hosts;
  Ends *inner;
  gboolean is_done;
} Outer;

static void
on_outer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outer *self = user_data;

  add_process_finish (result, NULL);
  begin (self->hosts, self->inner, 5, G_PRIORITY_DEFAULT);
  wait_for_all (self->inner, N_CALLS + 5);
  self->is_done = TRUE;
}

/* In a main loop that a callback runs, others come. */
static void
test_nested (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunCall) call = add_call (2, 3);
  Outer outer = { .hosts = hosts };
  Ends ends;

  ends_init (&ends);
  outer.inner = &ends;
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (hosts));
  procfun_call_run_async (call, NULL, on_outer, &outer);
  begin (hosts, &ends, N_CALLS, G_PRIORITY_DEFAULT);
  while (!outer.is_done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (ends.n_wrong, ==, 0);
  g_hash_table_unref (ends.sources);
  remotes_close (hosts);
}

static void
on_item (GObject *source, GAsyncResult *result, gpointer error)
{
  g_autoptr (GVariant) item = procfun_call_next_finish (PROCFUN_CALL (source), result, error);

  g_assert_null (item);
}

/* Calls, and an item of a generator. The parent waits until the child, which shares what wakes its
 * main context, has gone. */
static void
test_forked_program (void)
{
  ProcfunRemotePool *hosts = remotes_new ("local*2");
  g_autoptr (ProcfunCall) generator = wait_for_ever_call ();
  GError *error = NULL;
  Ends ends;
  pid_t pid;

  ends_init (&ends);
  begin (hosts, &ends, 1, G_PRIORITY_DEFAULT);
  wait_for_all (&ends, 1); /* the hosts are there */
  begin (hosts, &ends, N_CALLS, G_PRIORITY_DEFAULT);
  procfun_call_set_executor (generator, PROCFUN_EXECUTOR (hosts));
  procfun_call_next_async (generator, NULL, on_item, &error);
  pid = fixture_fork ();
  if (pid == 0)
    {
      wait_for_all (&ends, 1 + N_CALLS);
      while (error == NULL)
        g_main_context_iteration (NULL, TRUE);
      fixture_exit_fork (ends.n_lost == N_CALLS
                         && g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST));
    }
  fixture_wait_for_fork (pid);
  wait_for_all (&ends, 1 + N_CALLS);
  g_assert_cmpuint (ends.n_wrong, ==, 0);
  procfun_call_abort (generator);
  while (error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_hash_table_unref (ends.sources);
  remotes_close (hosts);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote-waits/calls-share-a-source", test_one_source);
  fixture_add_func ("/remote-waits/io-priority-is-that-of-the-source", test_priority);
  fixture_add_func ("/remote-waits/more-than-a-turn-are-all-told", test_more_than_a_turn);
  fixture_add_func ("/remote-waits/crash-takes-no-others", test_crash_among_others);
  fixture_add_func ("/remote-waits/callback-may-run-a-main-loop", test_nested);
  fixture_add_func ("/remote-waits/forked-program-has-no-answer", test_forked_program);

  return fixture_run ();
}
