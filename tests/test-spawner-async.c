/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cancelling, and many calls at once: from one thread and from many, from callbacks, and in
 * contexts that come and go. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <unistd.h>

/* Cancelling */

typedef struct
{
  GCancellable *cancellable;
  Signal signal;
} Canceller;

static gpointer
cancel_when_it_runs (gpointer user_data)
{
  Canceller *self = user_data;

  signal_wait (&self->signal);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

/* Runs @call, and cancels it from another thread as soon as its process says that it runs. */
static void
assert_is_cancelled (Canceller *self, ProcfunCall *call, gboolean async)
{
  GThread *thread = g_thread_new ("canceller", cancel_when_it_runs, self);
  g_autoptr (GError) error = NULL;
  GVariant *result = calls_run (call, async, self->cancellable, &error);

  g_thread_join (thread);
  g_assert_null (result);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Functions that end in none of the usual ways. */
static const struct
{
  const char *name;
  ProcfunCall *(*call) (ProcfunFd fd);
} endless[] = {
  { "stays", do_stay_call },
  { "spins", do_spin_call },
  { "is-stopped", do_stop_call },
  { "ignores-signals", do_ignore_signals_call },
};

static void
test_cancel_during (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Canceller self = { cancellable };

      signal_open (&self.signal);
      assert_is_cancelled (&self, calls_on_executor (endless[i].call (self.signal.ends[1])), async);
      signal_close (&self.signal);
    }
}

/* The process reads nothing, and much is to be written to it. */
static void
test_cancel_while_sending (void)
{
  g_autoptr (GBytes) bytes = make_bytes (64 * 1024 * 1024);

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
      ProcfunCall *call = are_those_bytes_call (bytes);
      Canceller self = { cancellable };
      g_autofree char *script = NULL;

      signal_open_inherited (&self.signal);
      script = g_strdup_printf ("echo >/dev/fd/%d; kill -STOP $$", self.signal.ends[1]);
      procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (executor),
                                          procfun_codec_get_gvariant ());
      procfun_spawner_set_launcher (PROCFUN_SPAWNER (executor),
                                    (const char *[]){ "sh", "-c", script, NULL });
      procfun_call_set_executor (call, executor);
      assert_is_cancelled (&self, call, async);
      signal_close (&self.signal);
    }
}

static void
count (guint *n)
{
  ++*n;
}

/* Then there is no process at all. */
static void
test_cancel_before (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      ProcfunCall *call = calls_on_executor (add_call (1, 2));
      guint n_started = 0;
      guint n_finished = 0;

      g_signal_connect_swapped (call, "started", G_CALLBACK (count), &n_started);
      g_signal_connect_swapped (call, "finished", G_CALLBACK (count), &n_finished);
      g_cancellable_cancel (cancellable);
      g_assert_null (calls_run (call, async, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpuint (n_started, ==, 0);
      g_assert_cmpuint (n_finished, ==, 1);
    }
}

static void
test_cancel_after (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
      g_autoptr (GVariant) result = calls_run (g_object_ref (call), async, cancellable, &error);

      g_assert_no_error (error);
      g_cancellable_cancel (cancellable);
      g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_SUCCEEDED);
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
    }
}

/* In the signals: when it is there, the process is ended; when it has answered, that is too late.
 */
static void
test_cancel_in_signals (void)
{
  Signal signal;

  signal_open (&signal);
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GCancellable) early = g_cancellable_new ();
      g_autoptr (GCancellable) late = g_cancellable_new ();
      ProcfunCall *cancelled = calls_on_executor (do_stay_call (signal.ends[1]));
      ProcfunCall *succeeding = calls_on_executor (add_call (1, 2));
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      g_signal_connect_swapped (cancelled, "started", G_CALLBACK (g_cancellable_cancel), early);
      g_signal_connect_swapped (succeeding, "finished", G_CALLBACK (g_cancellable_cancel), late);
      result = calls_run (succeeding, async, late, &error);
      g_assert_no_error (error);
      g_assert_null (calls_run (cancelled, async, early, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  signal_close (&signal);
}

static gpointer
cancel_some_time (gpointer user_data)
{
  g_cancellable_cancel (user_data);
  return NULL;
}

/* Whenever it comes: the call succeeds or is cancelled, and nothing else. */
static void
test_cancel_race (void)
{
  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;
      GThread *thread = NULL;
      ProcfunCall *call = calls_on_executor (add_call (1, 2));

      /* At the beginning, or when the process is there. */
      if (i % 4 < 2)
        thread = g_thread_new ("canceller", cancel_some_time, cancellable);
      else
        g_signal_connect_swapped (call, "started", G_CALLBACK (g_thread_yield), NULL);
      result = calls_run (call, i % 2 == 0, cancellable, &error);
      if (result == NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      if (thread != NULL)
        g_thread_join (thread);
    }
}

/* Many at once */

typedef struct
{
  GMainContext *context;
  guint n_open;
  GThread *thread;
} Batch;

static void
begin (Batch *batch)
{
  batch->context = g_main_context_new ();
  batch->thread = g_thread_self ();
  g_main_context_push_thread_default (batch->context);
}

static void
run_until_end (Batch *batch)
{
  while (batch->n_open > 0)
    g_main_context_iteration (batch->context, TRUE);
  g_main_context_pop_thread_default (batch->context);
  g_main_context_unref (batch->context);
}

static void
count_down (Batch *batch)
{
  g_assert_true (g_thread_self () == batch->thread);
  g_assert_true (g_main_context_is_owner (batch->context));
  batch->n_open--;
}

static void
on_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  gint sum = add_process_finish (result, &error);
  gint a, b;

  count_down (user_data);
  g_assert_no_error (error);
  g_variant_get (procfun_call_get_arguments (PROCFUN_CALL (source)), "(ii)", &a, &b);
  g_assert_cmpint (sum, ==, a + b);
}

static void
run_batch (guint n)
{
  Batch batch = { NULL };

  begin (&batch);
  for (guint i = 0; i < n; i++, batch.n_open++)
    add_process_async ((gint)i, 1000, NULL, on_added, &batch);
  g_assert_cmpuint (batch.n_open, ==, n);
  run_until_end (&batch);
}

static void
test_many_async (void)
{
  run_batch (64);
}

static void
on_cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  count_down (user_data);
  g_assert_false (do_stay_process_finish (result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* One cancellable for them all: some begin, some run. */
static void
test_many_cancelled (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Batch batch = { NULL };
  Signal signal;

  signal_open (&signal);
  begin (&batch);
  for (guint i = 0; i < 32; i++, batch.n_open++)
    do_stay_process_async (signal.ends[1], cancellable, on_cancelled, &batch);
  signal_await (&signal);
  g_cancellable_cancel (cancellable);
  run_until_end (&batch);
  signal_close (&signal);
}

static gpointer
run_blocking_calls (gpointer user_data)
{
  gint number = GPOINTER_TO_INT (user_data);

  for (gint i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (add_process (number, i, &error), ==, number + i);
      g_assert_no_error (error);
    }
  return NULL;
}

static gpointer
run_async_calls (gpointer user_data)
{
  run_batch (8);
  return NULL;
}

static void
run_threads (GThreadFunc func, gint n)
{
  GThread *threads[16];

  g_assert_cmpint (n, <=, G_N_ELEMENTS (threads));
  for (gint i = 0; i < n; i++)
    threads[i] = g_thread_new ("caller", func, GINT_TO_POINTER (i));
  for (gint i = 0; i < n; i++)
    g_thread_join (threads[i]);
}

static void
test_many_threads (void)
{
  run_threads (run_blocking_calls, 16);
}

static void
test_many_contexts (void)
{
  run_threads (run_async_calls, 8);
}

/* Callbacks that call */

typedef struct
{
  guint left;
  guint n_open;
  guint n_ended[3]; /* by what was called */
} Chain;

static void start_next (Chain *chain);

static void
on_chained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Chain *chain = user_data;
  ProcfunCall *call = PROCFUN_CALL (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) variant = procfun_call_run_finish (call, result, &error);
  ProcfunFunction *function = procfun_call_get_function (call);

  chain->n_open--;
  g_assert_true ((variant == NULL) == (error != NULL));
  if (function == do_crash_function ())
    {
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      chain->n_ended[1]++;
    }
  else if (function == fail_void_function ())
    {
      g_assert_error (error, G_FILE_ERROR, 3);
      chain->n_ended[2]++;
    }
  else
    {
      g_assert_no_error (error);
      chain->n_ended[0]++;
    }
  if (chain->left > 0)
    start_next (chain);
}

static void
start_next (Chain *chain)
{
  g_autoptr (ProcfunCall) call = NULL;
  guint kind = chain->left-- % 3;

  chain->n_open++;
  call = kind == 0 ? add_call (1, 2) : kind == 1 ? do_crash_call () : fail_void_call (3);
  procfun_call_run_async (call, NULL, on_chained, chain);
}

/* Good ones, crashes and errors, several at a time, each started by the end of another; on the
 * default context. */
static void
test_chains (void)
{
  Chain chain = { .left = 60 };

  for (guint i = 0; i < 6; i++)
    start_next (&chain);
  while (chain.n_open > 0)
    g_main_context_iteration (NULL, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (chain.n_ended); i++)
    g_assert_cmpuint (chain.n_ended[i], ==, 20);
}

static void
call_blocking (guint *n)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (add_process (1, 2, &error), ==, 3);
  g_assert_no_error (error);
  ++*n;
}

static void
on_ended_calls_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  call_blocking (user_data);
}

/* Blocking calls while another one is under way, which the signals and the callback of that other
 * one make. */
static void
test_blocking_in_callbacks (void)
{
  ProcfunCall *call = add_call (1, 2);
  guint n = 0;

  g_signal_connect_swapped (call, "started", G_CALLBACK (call_blocking), &n);
  g_signal_connect_swapped (call, "finished", G_CALLBACK (call_blocking), &n);
  procfun_call_run_async (call, NULL, on_ended_calls_again, &n);
  g_object_unref (call);
  while (n < 3)
    g_main_context_iteration (NULL, TRUE);
}

/* Contexts and threads that go */

static void
count_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (add_process_finish (result, &error), ==, 3);
  g_assert_no_error (error);
  ++*(guint *)user_data;
}

typedef struct
{
  GMainContext *context;
  guint n_ended;
} Start;

static gpointer
start_and_end (gpointer user_data)
{
  Start *start = user_data;

  g_main_context_push_thread_default (start->context);
  add_process_async (1, 2, NULL, count_end, &start->n_ended);
  g_main_context_pop_thread_default (start->context);
  return NULL;
}

/* The thread that started the call is gone: another one that runs its context gets the result. */
static void
test_thread_ends (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Start start = { context, 0 };

  g_thread_join (g_thread_new ("starter", start_and_end, &start));
  while (start.n_ended == 0)
    g_main_context_iteration (context, TRUE);
}

/* It also keeps its executor. */
static void
test_nobody_holds_it (void)
{
  ProcfunExecutor *executor = calls_new_executor ();
  ProcfunCall *call = add_call (1, 2);
  guint n_ended = 0;

  procfun_call_set_executor (call, executor);
  g_object_add_weak_pointer (G_OBJECT (executor), (gpointer *)&executor);
  g_object_add_weak_pointer (G_OBJECT (call), (gpointer *)&call);
  procfun_call_run_async (call, NULL, count_end, &n_ended);
  g_object_unref (executor);
  g_object_unref (call);
  while (n_ended == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (call);
  g_assert_null (executor);
}

/* A call keeps its main context, as all tasks of GIO do. When nobody runs that any more, nobody is
 * told of the end; but the process ends with this program at the latest. */
static void
test_context_dropped (void)
{
  g_autoptr (ProcfunCall) call = NULL;
  GMainContext *context = NULL;
  Signal signal;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  signal_open (&signal);
  context = g_main_context_new ();
  call = calls_on_executor (do_stay_call (signal.ends[1]));
  g_main_context_push_thread_default (context);
  procfun_call_run_async (call, NULL, NULL, NULL);
  signal_await (&signal);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  _exit (0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/spawner/a-call-cancelled-before-has-no-process", test_cancel_before);
  for (gsize i = 0; i < G_N_ELEMENTS (endless); i++)
    {
      g_autofree char *path = g_strconcat ("/spawner/", endless[i].name, NULL);

      calls_add_data_func (path, GSIZE_TO_POINTER (i), test_cancel_during);
    }
  fixture_add_func ("/spawner/cancel/sending-can-be-cancelled", test_cancel_while_sending);
  calls_add_func ("/spawner/cancelling-after-the-end-does-nothing", test_cancel_after);
  calls_add_func ("/spawner/signal-handlers-may-cancel", test_cancel_in_signals);
  calls_add_func ("/spawner/a-race-ends-in-success-or-cancellation", test_cancel_race);
  calls_add_func ("/spawner/many-calls-run-in-a-main-loop", test_many_async);
  calls_add_func ("/spawner/one-cancellable-ends-many", test_many_cancelled);
  calls_add_func ("/spawner/many-threads-call", test_many_threads);
  calls_add_func ("/spawner/many-contexts-call", test_many_contexts);
  calls_add_func ("/spawner/callbacks-start-the-next-calls", test_chains);
  calls_add_func ("/spawner/callbacks-make-blocking-calls", test_blocking_in_callbacks);
  calls_add_func ("/spawner/the-result-comes-when-the-thread-has-gone", test_thread_ends);
  calls_add_func ("/spawner/a call that runs keeps itself", test_nobody_holds_it);
  calls_add_func ("/spawner/a-call-keeps-its-context", test_context_dropped);
  return fixture_run ();
}
