/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pools whose queue has a bound. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

static void
on_submitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  procfun_pool_submit_finish (PROCFUN_POOL (source), result, &error);
  g_assert_no_error (error);
  ++*(guint *)user_data;
}

static void
test_bound (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) surplus = add_call (1, 2);
  g_autoptr (ProcfunCall) later = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  guint n_submitted = 0;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 4);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);

      g_assert_true (procfun_pool_try_submit (pool, call, NULL, results_add, &results, &error));
    }
  g_assert_false (procfun_pool_try_submit (pool, surplus, NULL, results_add, &results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
  g_assert_cmpint (procfun_call_get_state (surplus), ==, PROCFUN_CALL_NEW);
  g_clear_error (&error);
  /* This thread alone can make room. */
  g_assert_false (procfun_pool_submit (pool, surplus, NULL, results_add, &results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  procfun_pool_submit_async (pool, surplus, NULL, on_submitted, &n_submitted);
  procfun_pool_submit_async (pool, later, NULL, on_submitted, &n_submitted);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (n_submitted, ==, 0);
  holder_let_go (&holder);
  while (n_submitted < 2)
    g_main_context_iteration (NULL, TRUE);
  results_wait (&results, 5);
  while (procfun_call_get_state (later) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (procfun_call_get_state (surplus), ==, PROCFUN_CALL_SUCCEEDED);
  g_assert_cmpint (g_variant_get_int32 (procfun_call_get_result (later)), ==, 3);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  holder_clear (&holder);
  results_clear (&results);
}

static void
test_bound_in_bytes (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autofree char *text = g_strnfill (1000, 'x');
  g_autoptr (ProcfunCall) last = string_length_call (text);
  g_autoptr (ProcfunCall) call = NULL;
  guint64 n_bytes;
  g_autoptr (GError) error = NULL;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_bytes (pool, 1500);
  holder_run (&holder, pool, &results);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ProcfunCall) small = string_length_call (text);

      g_assert_true (procfun_pool_try_submit (pool, small, NULL, results_add, &results, NULL));
    }
  g_assert_cmpuint (pools_get_statistic (pool, "queued-bytes"), >=, 2000);
  n_bytes = pools_get_statistic (pool, "queued-bytes");
  procfun_pool_set_max_queue_bytes (pool, n_bytes);
  call = string_length_call (text);
  g_assert_false (procfun_pool_try_submit (pool, call, NULL, results_add, &results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
  procfun_pool_set_max_queue_bytes (pool, n_bytes + 1);
  g_assert_true (procfun_pool_try_submit (pool, last, NULL, results_add, &results, NULL));
  holder_let_go (&holder);
  results_wait (&results, 4);
  g_assert_cmpuint (pools_get_statistic (pool, "queued-bytes"), ==, 0);
  g_assert_true (procfun_pool_try_submit (pool, call, NULL, results_add, &results, NULL));
  results_wait (&results, 5);
  holder_clear (&holder);
  results_clear (&results);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, NULL));
  *(gboolean *)user_data = TRUE;
}

static void
on_refused (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_pool_submit_finish (PROCFUN_POOL (source), result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  *(gboolean *)user_data = TRUE;
}

static void
test_submit_cancelled (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gboolean is_refused = FALSE;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 1);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, add_call (1, 2));
  procfun_pool_submit_async (pool, call, cancellable, on_refused, &is_refused);
  g_cancellable_cancel (cancellable);
  while (!is_refused)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_NEW);
  holder_let_go (&holder);
  results_wait (&results, 2);
  holder_clear (&holder);
  results_clear (&results);
}

typedef struct
{
  ProcfunPool *pool;
  GCancellable *cancellable;
  Results *results;
} Submitter;

static gpointer
submit_in_vain (gpointer user_data)
{
  const Submitter *self = user_data;
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_pool_submit (self->pool, call, self->cancellable, results_add,
                                       self->results, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_NEW);
  return NULL;
}

static void
test_submit_in_thread_cancelled (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (GCancellable) early = g_cancellable_new ();
  g_autoptr (GCancellable) late = g_cancellable_new ();
  Results results;
  Submitter submitters[] = { { pool, early, &results }, { pool, late, &results } };
  GThread *threads[2];
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 1);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, add_call (1, 2));
  g_cancellable_cancel (early);
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("submit", submit_in_vain, &submitters[i]);
  g_thread_join (threads[0]);
  g_cancellable_cancel (late);
  g_thread_join (threads[1]);
  holder_let_go (&holder);
  results_wait (&results, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* Room for several lets several in, while no call ends. */
static void
test_more_room (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  ProcfunCall *calls[4];
  guint n_submitted = 0;
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 1);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, add_call (1, 2));
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i] = add_call (1, 2);
      procfun_pool_submit_async (pool, calls[i], NULL, on_submitted, &n_submitted);
    }
  procfun_pool_set_max_queue_calls (pool, 1 + G_N_ELEMENTS (calls));
  while (pools_get_statistic (pool, "queued") < 1 + G_N_ELEMENTS (calls))
    g_main_context_iteration (NULL, TRUE);
  holder_let_go (&holder);
  results_wait (&results, 2);
  while (n_submitted < G_N_ELEMENTS (calls))
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      while (procfun_call_get_state (calls[i]) < PROCFUN_CALL_SUCCEEDED)
        g_main_context_iteration (NULL, TRUE);
      g_object_unref (calls[i]);
    }
  holder_clear (&holder);
  results_clear (&results);
}

/* A call that gets a worker at once leaves its room to the next one. */
static void
test_room_of_the_first (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  g_autoptr (ProcfunCall) stays = NULL;
  g_autoptr (ProcfunCall) next = add_call (1, 2);
  guint n_submitted = 0;
  Holder holder;

  procfun_pool_set_max_queue_calls (pool, 1);
  stays = g_object_ref (holder_init (&holder, 5));
  procfun_pool_submit_async (pool, stays, NULL, on_submitted, &n_submitted);
  procfun_pool_submit_async (pool, next, NULL, on_submitted, &n_submitted);
  while (procfun_call_get_state (next) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (procfun_call_get_state (stays), <, PROCFUN_CALL_SUCCEEDED);
  holder_let_go (&holder);
  while (procfun_call_get_state (stays) < PROCFUN_CALL_SUCCEEDED || n_submitted < 2)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  holder_clear (&holder);
}

static gint has_ended;

static gpointer
submit_to_closed (gpointer user_data)
{
  const Submitter *self = user_data;
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_pool_submit (self->pool, call, NULL, results_add, self->results, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_atomic_int_set (&has_ended, TRUE);
  return NULL;
}

/* Nobody waits for room in a pool that is closed, though what runs there goes on. */
static void
test_submit_to_closed (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) late = add_call (3, 4);
  Results results;
  Submitter submitter = { pool, NULL, &results };
  gboolean is_closed = FALSE;
  guint n_submitted = 0;
  GThread *thread;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_calls (pool, 1);
  holder_run (&holder, pool, &results);
  results_run (&results, pool, add_call (1, 2));
  procfun_pool_submit_async (pool, late, NULL, on_submitted, &n_submitted);
  thread = g_thread_new ("submit", submit_to_closed, &submitter);
  g_usleep (G_TIME_SPAN_MILLISECOND); /* mostly it waits then; the end is the same */
  procfun_executor_close_async (PROCFUN_EXECUTOR (pool), NULL, on_closed, &is_closed);
  while (!g_atomic_int_get (&has_ended) || procfun_call_get_state (late) < PROCFUN_CALL_SUCCEEDED)
    g_main_context_iteration (NULL, FALSE);
  g_thread_join (thread);
  g_assert_cmpint (procfun_call_get_state (late), ==, PROCFUN_CALL_FAILED);
  g_assert_cmpuint (results.n_ended, ==, 0);
  holder_let_go (&holder);
  results_wait (&results, 2);
  while (!is_closed || n_submitted == 0)
    g_main_context_iteration (NULL, TRUE);
  holder_clear (&holder);
  results_clear (&results);
}

typedef struct
{
  ProcfunPool *pool;
  ProcfunCall *other;
  gboolean has_tried;
} Intruder;

static void
submit_other (ProcfunCall *call, GParamSpec *pspec, Intruder *self)
{
  g_autoptr (GError) error = NULL;

  self->has_tried = TRUE;
  g_assert_false (
      procfun_pool_try_submit (self->pool, self->other, NULL, results_add, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY);
}

/* One that is let in and not in the queue yet may have any number of bytes. */
static void
test_bytes_of_one_that_enters (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (1);
  g_autoptr (ProcfunCall) other = add_call (1, 2);
  g_autoptr (ProcfunCall) call = add_call (3, 4);
  Intruder intruder = { pool, other, FALSE };
  Results results;
  Holder holder;

  results_init (&results);
  procfun_pool_set_max_queue_bytes (pool, 1);
  holder_run (&holder, pool, &results);
  g_signal_connect (call, "notify::executor", G_CALLBACK (submit_other), &intruder);
  g_assert_true (procfun_pool_try_submit (pool, call, NULL, results_add, &results, NULL));
  g_assert_true (intruder.has_tried);
  holder_let_go (&holder);
  results_wait (&results, 2);
  g_assert_cmpuint (results.n_succeeded, ==, 2);
  holder_clear (&holder);
  results_clear (&results);
}

/* 100 good calls and 100 that crash, from other threads, through a queue of 4. */

typedef struct
{
  ProcfunPool *pool;
  gint n_good;
  gint n_bad;
  gint n_over; /* times that the queue was longer than it may be */
} Load;

static gpointer
submit_load (gpointer data)
{
  Load *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  Results results;

  results_init (&results);
  g_main_context_push_thread_default (context);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (ProcfunCall) call = i % 2 == 0 ? add_call (1, 2) : do_abort_call ();
      g_autoptr (GError) error = NULL;

      while (!procfun_pool_submit (self->pool, call, NULL, results_add, &results, &error))
        {
          g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
          g_clear_error (&error);
          g_main_context_iteration (context, TRUE);
        }
      if (pools_get_statistic (self->pool, "queued") > 4)
        g_atomic_int_inc (&self->n_over);
      g_main_context_iteration (context, FALSE);
    }
  while (results.n_ended < 50)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_assert_error (results.error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_atomic_int_add (&self->n_good, (gint)results.n_succeeded);
  g_atomic_int_add (&self->n_bad, (gint)(results.n_ended - results.n_succeeded));
  results_clear (&results);
  return NULL;
}

static void
test_good_and_crashing (void)
{
  auto_pool ProcfunPool *pool = procfun_pool_new (2);
  Load load = { .pool = pool };
  GThread *threads[4];

  procfun_pool_set_max_queue_calls (pool, 4);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("submits", submit_load, &load);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (load.n_good, ==, 100);
  g_assert_cmpint (load.n_bad, ==, 100);
  g_assert_cmpint (load.n_over, ==, 0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/pool/max-queue-calls bounds the queue", test_bound);
  fixture_add_func ("/pool/max-queue-bytes bounds the queue", test_bound_in_bytes);
  fixture_add_func ("/pool/waiting for room in the queue can be cancelled", test_submit_cancelled);
  fixture_add_func ("/pool/a thread that waits for room in the queue can be cancelled",
                    test_submit_in_thread_cancelled);
  fixture_add_func ("/pool/a call that does not wait leaves its room to the next one",
                    test_room_of_the_first);
  fixture_add_func ("/pool/room for several calls lets several in", test_more_room);
  fixture_add_func ("/pool/waiting for room in the queue ends when the pool is closed",
                    test_submit_to_closed);
  fixture_add_func ("/pool/max-queue-bytes counts a call that is not in the queue yet",
                    test_bytes_of_one_that_enters);
  fixture_add_func ("/pool/a bounded queue takes good and crashing calls", test_good_and_crashing);
  return fixture_run ();
}
