/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that a worker is sent before it has answered: their number, and which they are. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/pools.h"

#include <unistd.h>

#define MIB ((guint64)1 << 20)

PROCFUN_DEFINE_STATIC_FUNCTION (wait_to_be_cancelled, gint)
{
  GCancellable *cancellable = procfun_get_cancellable ();

  while (!g_cancellable_is_cancelled (cancellable))
    g_usleep (1000);
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION (make_text, char *, (guint64, size))
{
  return g_strnfill (size, 'x');
}

PROCFUN_DEFINE_STATIC_FUNCTION (make_text_later, char *, (ProcfunFd, ready), (ProcfunFd, go),
                                (guint64, size))
{
  stay_until (ready, go, 0);
  return g_strnfill (size, 'x');
}

static ProcfunPool *
make_pool (guint calls_in_flight)
{
  ProcfunPool *pool = procfun_pool_new (1);

  procfun_pool_set_calls_in_flight (pool, calls_in_flight);
  return pool;
}

typedef struct
{
  ProcfunPool *pool;
  Results *results;
  GPtrArray *calls; /* (element-type ProcfunCall) (owned) */
} Batch;

static gboolean
run_batch (gpointer user_data)
{
  Batch *self = user_data;

  for (guint i = 0; i < self->calls->len; i++)
    results_run (self->results, self->pool, self->calls->pdata[i]);
  g_clear_pointer (&self->calls, g_ptr_array_unref);
  return G_SOURCE_REMOVE;
}

/* Takes up to four calls. Only from within the main loop are they sent ahead. */
static void
run_within (ProcfunPool *pool, Results *results, ProcfunCall *first, ...)
{
  Batch batch = { pool, results, g_ptr_array_new () };
  ProcfunCall *call = first;
  va_list list;

  va_start (list, first);
  for (; call != NULL; call = va_arg (list, ProcfunCall *))
    g_ptr_array_add (batch.calls, call);
  va_end (list);
  g_idle_add (run_batch, &batch);
  while (batch.calls != NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* The one that runs counts. */
static void
test_number (void)
{
  auto_pool ProcfunPool *pool = make_pool (2);
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  run_within (pool, &results, add_call (1, 2), add_call (1, 2), add_call (1, 2), NULL);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 2);
  holder_let_go (&holder);
  results_wait (&results, 4);
  g_assert_cmpuint (results.n_succeeded, ==, 4);
  holder_clear (&holder);
  results_clear (&results);
}

static void
test_calls_per_worker (void)
{
  auto_pool ProcfunPool *pool = make_pool (8);
  g_autoptr (GHashTable) counts = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer count;
  Results results;

  results_init (&results);
  procfun_pool_set_calls_per_worker (pool, 4);
  for (guint i = 0; i < 3; i++)
    run_within (pool, &results, get_process_id_call (), get_process_id_call (),
                get_process_id_call (), get_process_id_call (), NULL);
  results_wait (&results, 12);
  for (guint i = 0; i < results.results->len; i++)
    {
      gpointer pid = GINT_TO_POINTER (g_array_index (results.results, gint, i));
      guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, pid));

      g_hash_table_insert (counts, pid, GUINT_TO_POINTER (n + 1));
    }
  g_assert_cmpuint (g_hash_table_size (counts), ==, 3);
  g_hash_table_iter_init (&iter, counts);
  while (g_hash_table_iter_next (&iter, NULL, &count))
    g_assert_cmpuint (GPOINTER_TO_UINT (count), ==, 4);
  results_clear (&results);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* A call that comes later than a broadcast is not sent before it. */
static void
test_broadcast (void)
{
  auto_pool ProcfunPool *pool = make_pool (4);
  g_autoptr (GPtrArray) calls = NULL;
  GAsyncResult *result = NULL;
  Results results;
  Holder holder;

  results_init (&results);
  holder_run (&holder, pool, &results);
  procfun_pool_broadcast_async (pool, prepare_function (), g_variant_new ("(i)", 5), NULL,
                                keep_result, &result);
  run_within (pool, &results, get_prepared_call (), NULL);
  holder_let_go (&holder);
  results_wait (&results, 2);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  calls = procfun_pool_broadcast_finish (pool, result, NULL);
  g_object_unref (result);
  g_assert_cmpuint (calls->len, ==, 1);
  g_assert_cmpint (g_array_index (results.results, gint, 1), ==, 5);
  holder_clear (&holder);
  results_clear (&results);
}

/* The bound of a call is its own, and not that of the call before it. */
static void
test_max_payload (gconstpointer grows)
{
  auto_pool ProcfunPool *pool = make_pool (4);
  ProcfunProcessExecutor *executor = PROCFUN_PROCESS_EXECUTOR (pool);
  Results results;
  Holder holder;

  results_init (&results);
  procfun_process_executor_set_max_payload (executor, grows != NULL ? MIB : 4 * MIB);
  holder_run (&holder, pool, &results);
  procfun_process_executor_set_max_payload (executor, grows != NULL ? 4 * MIB : MIB);
  run_within (pool, &results, make_text_call (2 * MIB), NULL);
  holder_let_go (&holder);
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, grows != NULL ? 2 : 1);
  if (grows != NULL)
    g_assert_no_error (results.error);
  else
    g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT);
  holder_clear (&holder);
  results_clear (&results);
}

/* Likewise that of the call before it. */
static void
test_max_payload_before (void)
{
  auto_pool ProcfunPool *pool = make_pool (4);
  Signal ready, go;
  Results results;

  results_init (&results);
  signal_open (&ready);
  signal_open (&go);
  results_run (&results, pool, make_text_later_call (ready.ends[1], go.ends[0], 2 * MIB));
  signal_await (&ready);
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (pool), MIB);
  run_within (pool, &results, add_call (1, 2), NULL);
  close (go.ends[1]);
  go.ends[1] = -1;
  results_wait (&results, 2);
  g_assert_no_error (results.error);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  signal_close (&ready);
  close (go.ends[0]);
  results_clear (&results);
}

static void
on_submitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  procfun_pool_submit_finish (PROCFUN_POOL (source), result, &error);
  g_assert_no_error (error);
  *(gboolean *)user_data = TRUE;
}

/* A call that is sent ahead makes room in the queue. */
static void
test_room (void)
{
  auto_pool ProcfunPool *pool = make_pool (2);
  g_autoptr (ProcfunCall) stays = wait_to_be_cancelled_call ();
  g_autoptr (ProcfunCall) submitted = add_call (3, 4);
  gboolean is_submitted = FALSE;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 1);
  holder_run (&holder, pool, &results);
  run_within (pool, &results, g_object_ref (stays), add_call (1, 2), NULL);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 1);
  procfun_pool_submit_async (pool, submitted, NULL, on_submitted, &is_submitted);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (is_submitted);
  holder_let_go (&holder);
  while (!is_submitted)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (results.n_ended, ==, 1);
  procfun_call_abort (stays);
  results_wait (&results, 3);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  while (procfun_call_get_state (submitted) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
  holder_clear (&holder);
  results_clear (&results);
}

/* They run, as far as closing is concerned. */
static void
test_close (void)
{
  auto_pool ProcfunPool *pool = make_pool (3);
  GAsyncResult *closed = NULL;
  Results results;

  results_init (&results);
  g_assert_cmpint (pools_get_number (pool, add_call (1, 2)), ==, 3);
  run_within (pool, &results, wait_to_be_cancelled_call (), wait_to_be_cancelled_call (),
              wait_to_be_cancelled_call (), NULL);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
  procfun_executor_close_full_async (PROCFUN_EXECUTOR (pool), PROCFUN_CLOSE_CANCEL_RUNNING, NULL,
                                     keep_result, &closed);
  results_wait (&results, 3);
  g_assert_cmpuint (results.n_succeeded, ==, 0);
  g_assert_error (results.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  while (closed == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (procfun_executor_close_full_finish (PROCFUN_EXECUTOR (pool), closed, NULL));
  g_object_unref (closed);
  results_clear (&results);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/in-flight/calls-in-flight-bounds-them", test_number);
  fixture_add_func ("/in-flight/calls-per-worker-counts-them", test_calls_per_worker);
  fixture_add_func ("/in-flight/broadcast-comes-before-later-calls", test_broadcast);
  fixture_add_data_func ("/in-flight/max-payload-that-shrinks-is-that-of-each-call", NULL,
                         test_max_payload);
  fixture_add_data_func ("/in-flight/max-payload-that-grows-is-that-of-each-call", "grows",
                         test_max_payload);
  fixture_add_func ("/in-flight/max-payload-of-the-call-before-stays", test_max_payload_before);
  fixture_add_func ("/in-flight/they-make-room-in-the-queue", test_room);
  fixture_add_func ("/in-flight/closing-cancels-them", test_close);
  return fixture_run ();
}
