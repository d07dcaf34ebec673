/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for a call that something else runs, and how urgent its callback is. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"

/* A call in this main loop, and a thread that waits for it. */
typedef struct
{
  ProcfunCall *call;
  gint64 us;
  GCancellable *cancellable; /* (nullable) */
  gboolean has_ended;
  GError *error; /* (nullable) */
  gint is_over;
} Waiting;

static gpointer
wait_in_thread (gpointer user_data)
{
  Waiting *self = user_data;

  self->has_ended = procfun_call_wait (self->call, self->us, self->cancellable, &self->error);
  g_atomic_int_set (&self->is_over, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
run_until_over (Waiting *self)
{
  GThread *thread = g_thread_new ("waits", wait_in_thread, self);

  while (!g_atomic_int_get (&self->is_over))
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
}

static void
finish (ProcfunCall *call)
{
  while (procfun_call_get_state (call) == PROCFUN_CALL_RUNNING)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_end (void)
{
  g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
  g_autoptr (ProcfunCall) fails = calls_on_executor (fail_void_call (3));

  for (guint i = 0; i < 2; i++)
    {
      Waiting waiting = { .call = i == 0 ? call : fails, .us = i == 0 ? -1 : G_MAXINT64 };

      procfun_call_run_async (waiting.call, NULL, NULL, NULL);
      run_until_over (&waiting);
      g_assert_no_error (waiting.error);
      g_assert_true (waiting.has_ended);
      g_assert_cmpint (procfun_call_get_state (waiting.call), >=, PROCFUN_CALL_SUCCEEDED);
      finish (waiting.call);
      g_assert_true (procfun_call_wait (waiting.call, 0, NULL, NULL));
      g_assert_true (procfun_call_wait (waiting.call, -1, NULL, NULL));
    }
}

/* The call goes on. */
static void
test_time (void)
{
  Waiting waiting = { .us = 1000 };
  Signal signal;

  signal_open (&signal);
  waiting.call = calls_on_executor (do_stay_call (signal.ends[1]));
  procfun_call_set_grace_period (waiting.call, 0);
  procfun_call_run_async (waiting.call, NULL, NULL, NULL);
  signal_await (&signal);
  run_until_over (&waiting);
  g_assert_no_error (waiting.error);
  g_assert_false (waiting.has_ended);
  g_assert_cmpint (procfun_call_get_state (waiting.call), ==, PROCFUN_CALL_RUNNING);
  procfun_call_abort (waiting.call);
  finish (waiting.call);
  g_object_unref (waiting.call);
  signal_close (&signal);
}

static gboolean
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

/* Only the waiting ends. */
static void
test_cancelled (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Waiting waiting = { .us = -1, .cancellable = cancellable };
  Signal signal;

  signal_open (&signal);
  waiting.call = calls_on_executor (do_stay_call (signal.ends[1]));
  procfun_call_set_grace_period (waiting.call, 0);
  procfun_call_run_async (waiting.call, NULL, NULL, NULL);
  signal_await (&signal);
  g_idle_add (cancel, cancellable);
  run_until_over (&waiting);
  g_assert_error (waiting.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (waiting.has_ended);
  g_assert_cmpint (procfun_call_get_state (waiting.call), ==, PROCFUN_CALL_RUNNING);
  g_clear_error (&waiting.error);
  procfun_call_abort (waiting.call);
  finish (waiting.call);
  g_object_unref (waiting.call);
  signal_close (&signal);
}

static void
assert_nested (ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_call_wait (call, 0, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (procfun_call_wait (call, -1, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
  g_clear_error (&error);
  g_assert_false (procfun_call_wait (call, G_USEC_PER_SEC, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NESTED);
}

static gboolean
assert_nested_in_loop (gpointer call)
{
  assert_nested (call);
  return G_SOURCE_REMOVE;
}

/* An error, and no deadlock; whether the main loop runs or not. */
static void
test_own_context (void)
{
  g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  procfun_call_run_async (call, NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
  assert_nested (call);
  {
    g_autoptr (GSource) source = g_idle_source_new ();

    g_source_set_priority (source, G_PRIORITY_HIGH);
    g_source_set_callback (source, assert_nested_in_loop, call, NULL);
    g_source_attach (source, context);
  }
  while (procfun_call_get_state (call) == PROCFUN_CALL_RUNNING)
    g_main_context_iteration (context, TRUE);
  while (g_main_context_iteration (context, FALSE))
    ;
}

static void
on_started (ProcfunCall *call, int pid, gpointer user_data)
{
  assert_nested (call);
}

static void
test_handler (void)
{
  g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
  g_autoptr (GVariant) result = NULL;

  g_signal_connect (call, "started", G_CALLBACK (on_started), NULL);
  result = procfun_call_run (call, NULL, NULL);
  g_assert_nonnull (result);
}

static void
test_not_started (void)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  g_assert_false (procfun_call_wait (call, 0, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
}

static gpointer
run_in_thread (gpointer call)
{
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, NULL);

  g_assert_nonnull (result);
  return NULL;
}

/* The main loop stands still meanwhile. */
static void
test_blocking (void)
{
  g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("calls", run_in_thread, call);

  while (procfun_call_get_state (call) == PROCFUN_CALL_NEW)
    g_thread_yield ();
  g_assert_true (procfun_call_wait (call, -1, NULL, &error));
  g_assert_no_error (error);
  g_thread_join (thread);
}

static void
test_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  Waiting waiting = { .call = call, .us = -1 };

  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, NULL, NULL, NULL);
  assert_nested (call);
  run_until_over (&waiting);
  g_assert_no_error (waiting.error);
  g_assert_true (waiting.has_ended);
  finish (call);
}

static gpointer
take_items (gpointer call)
{
  GVariant *item;

  while ((item = procfun_call_next (call, NULL, NULL)) != NULL)
    g_variant_unref (item);
  return NULL;
}

static void
test_generator (void)
{
  g_autoptr (ProcfunCall) call = calls_on_executor (numbers_call (100));
  GThread *thread = g_thread_new ("takes", take_items, call);
  g_autoptr (GError) error = NULL;

  while (procfun_call_get_state (call) == PROCFUN_CALL_NEW)
    g_thread_yield ();
  g_assert_true (procfun_call_wait (call, -1, NULL, &error));
  g_assert_no_error (error);
  g_thread_join (thread);
}

#define N_THREADS 8

/* Each of many threads hears of the end of its call. */
static void
test_threads (void)
{
  ProcfunCall *calls[N_THREADS];
  Waiting waiting[N_THREADS];
  GThread *threads[N_THREADS];

  for (gsize i = 0; i < N_THREADS; i++)
    {
      calls[i] = calls_on_executor (add_call ((gint)i, 2));
      procfun_call_run_async (calls[i], NULL, NULL, NULL);
      waiting[i] = (Waiting){ .call = calls[i / 2], .us = -1 };
      threads[i] = g_thread_new ("waits", wait_in_thread, &waiting[i]);
    }
  for (gsize i = 0; i < N_THREADS; i++)
    finish (calls[i]);
  for (gsize i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (waiting[i].has_ended);
    }
  for (gsize i = 0; i < N_THREADS; i++)
    g_object_unref (calls[i]);
}

/* How urgent it is */

static gint
get_priority_now (void)
{
  return g_source_get_priority (g_main_current_source ());
}

static void
on_finished (ProcfunCall *call, gint *priority)
{
  *priority = get_priority_now ();
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, NULL);

  g_assert_nonnull (value);
  *(gint *)user_data = get_priority_now ();
}

static void
test_priority (void)
{
  static const gint priorities[]
      = { G_PRIORITY_DEFAULT_IDLE, G_PRIORITY_DEFAULT, G_PRIORITY_HIGH, G_PRIORITY_LOW };
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (gsize i = 0; i < G_N_ELEMENTS (priorities); i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      gint finished = -1, called = -1;

      g_assert_cmpint (procfun_call_get_io_priority (call), ==, G_PRIORITY_DEFAULT);
      procfun_call_set_io_priority (call, priorities[i]);
      procfun_call_set_executor (call, executor);
      g_signal_connect (call, "finished", G_CALLBACK (on_finished), &finished);
      procfun_call_run_async (call, NULL, on_called, &called);
      finish (call);
      g_assert_cmpint (finished, ==, priorities[i]);
      g_assert_cmpint (called, ==, priorities[i]);
    }
}

static void
append_number (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_string_append_printf (user_data, "%d ", procfun_call_get_io_priority (PROCFUN_CALL (source)));
}

/* The more urgent ones are told first, in whatever order they have ended. */
static void
test_order (void)
{
  static const gint priorities[]
      = { G_PRIORITY_LOW, G_PRIORITY_DEFAULT, G_PRIORITY_DEFAULT_IDLE, G_PRIORITY_HIGH };
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (GString) order = g_string_new (NULL);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (priorities); i++)
    {
      ProcfunCall *call
          = i < G_N_ELEMENTS (priorities)
                ? add_call (1, 2)
                : procfun_call_new (add_function (), g_variant_new ("()")); /* fails at once */

      g_ptr_array_add (calls, call);
      procfun_call_set_executor (call, executor);
      procfun_call_set_io_priority (call, priorities[i % G_N_ELEMENTS (priorities)]);
      procfun_call_run_async (call, NULL, append_number, order);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (order->str, ==, "-100 -100 0 0 200 200 300 300 ");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/call-wait/a thread waits for a call of a main loop", test_end);
  calls_add_func ("/call-wait/a call goes on when the time is up", test_time);
  calls_add_func ("/call-wait/a cancellable ends the waiting alone", test_cancelled);
  calls_add_func ("/call-wait/waiting for the own main loop is an error", test_own_context);
  calls_add_func ("/call-wait/waiting in a handler of the call is an error", test_handler);
  calls_add_func ("/call-wait/a blocking call of another thread is waited for", test_blocking);
  calls_add_func ("/call-wait/the end of a generator is waited for", test_generator);
  calls_add_func ("/call-wait/many threads wait for many calls", test_threads);
  fixture_add_func ("/call-wait/a call that was not started is refused", test_not_started);
  fixture_add_func ("/call-wait/an inline call is waited for", test_inline);
  calls_add_func ("/call-wait/io-priority/it is that of the callback", test_priority);
  fixture_add_func ("/call-wait/io-priority/more urgent callbacks come first", test_order);
  return fixture_run ();
}
