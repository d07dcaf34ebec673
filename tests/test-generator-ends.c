/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How calls of generators end: by themselves, badly, and because nobody wants more. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/readers.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MS 1000

/* Number of items before the error. */
static guint
count_items_before (Reader *reader, GQuark domain, gint code)
{
  g_autoptr (GError) error = NULL;
  guint n_items = 0;
  GVariant *item;

  while ((item = reader_next (reader, NULL, &error)) != NULL)
    {
      g_assert_cmpint (g_variant_get_int32 (item), ==, n_items++);
      g_variant_unref (item);
    }
  g_assert_error (error, domain, code);
  g_assert_cmpint (procfun_call_get_state (reader->call), ==, PROCFUN_CALL_FAILED);
  g_assert_nonnull (procfun_call_get_failure (reader->call));
  g_clear_error (&error);

  /* And then it is over. */
  g_assert_null (reader_next (reader, NULL, &error));
  g_assert_no_error (error);
  return n_items;
}

/* Items from before a failure come before its error, however many they are. */
static void
test_failures (gconstpointer mode)
{
  static const struct
  {
    const char *kind;
    GQuark (*domain) (void);
    gint code;
  } cases[] = {
    { "error", g_file_error_quark, G_FILE_ERROR_NOSPC },
    { "crash", procfun_error_quark, PROCFUN_ERROR_CRASHED },
    { "abort", procfun_error_quark, PROCFUN_ERROR_CRASHED },
    { "exit", procfun_error_quark, PROCFUN_ERROR_EXITED },
    { "exit-at-once", procfun_error_quark, PROCFUN_ERROR_EXITED },
    { "kill", procfun_error_quark, PROCFUN_ERROR_KILLED },
  };
  static const guint numbers_of_items[] = { 0, 1, 100, 1000 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (numbers_of_items); k++)
      {
        gint n = (gint)numbers_of_items[k];
        g_auto (Reader) reader = reader_new (misfortunes_call (cases[i].kind, n), mode);

        g_assert_cmpuint (count_items_before (&reader, cases[i].domain (), cases[i].code), ==,
                          numbers_of_items[k]);
      }
}

static void
test_item_that_cannot_be_sent (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (null_words_call (2), mode);
  g_autoptr (GError) error = NULL;
  g_autofree char *items = reader_print_rest (&reader, &error);

  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                     "an item of null_words() cannot be sent: is NULL");
  g_assert_cmpstr (items, ==, "'word' 'word'");
}

static void
test_item_too_large (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (blobs_call (3, 100000), mode);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string ("result=50K", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (limits);
  procfun_call_set_limits (reader.call, limits);
  g_assert_null (reader_next (&reader, NULL, &error));
  calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, "*an item of blobs()*");
}

/* Clocks */

/* Number of items, of 5, that come in @time. */
static guint
count_items_in_time (const char *kind, gboolean deadline, gint64 time, const ReaderMode *mode)
{
  g_auto (Reader) reader = reader_new (misfortunes_call (kind, 5), mode);

  procfun_call_set_grace_period (reader.call, 10 * MS);
  if (deadline)
    procfun_call_set_deadline (reader.call, time);
  else
    procfun_call_set_timeout (reader.call, time);
  return count_items_before (&reader, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
}

/* On a busy machine the time may be up before they are there: then there is more of it. */
static void
test_timeout (gconstpointer mode)
{
  static const char *const kinds[] = { "stay", "spin" };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (gboolean deadline = FALSE; deadline <= TRUE; deadline++)
      {
        gint64 time = 100 * MS;
        guint n;

        while ((n = count_items_in_time (kinds[i], deadline, time, mode)) < 5)
          time *= 2;
        g_assert_cmpuint (n, ==, 5);
      }
}

static gboolean
lives (int pid)
{
  return kill (pid, 0) == 0;
}

/* With a main loop that can end the call. */
static void
run_until_death (Reader *reader)
{
  while (reader->context != NULL && lives (procfun_call_get_pid (reader->call)))
    if (!g_main_context_iteration (reader->context, FALSE)) /* reaping it wakes no context */
      g_usleep (1000);
}

/* The items that came are told before the error. (transfer full) */
static char *
time_out_between_items (gint64 time, const ReaderMode *mode)
{
  g_auto (Reader) reader = reader_new (misfortunes_call ("stay", 5), mode);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *items = NULL;

  procfun_call_set_grace_period (reader.call, 10 * MS);
  procfun_call_set_timeout (reader.call, time);
  first = reader_next (&reader, NULL, &error);
  if (first != NULL)
    {
      run_until_death (&reader);
      g_assert_cmpint (procfun_call_get_state (reader.call), ==, PROCFUN_CALL_RUNNING);
      items = reader_print_rest (&reader, &error);
    }
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  return g_strdup (items != NULL ? items : "");
}

/* A main loop sees to it also while nobody waits for an item. */
static void
test_timeout_between_items (gconstpointer mode)
{
  static const char expected[] = "1 2 3 4";

  for (gint64 time = 100 * MS;; time *= 2)
    {
      g_autofree char *items = time_out_between_items (time, mode);

      if (g_str_equal (items, expected))
        break;
      g_assert_true (g_str_has_prefix (expected, items));
    }
}

/* Cancelling */

static void
assert_cancelled (Reader *reader, GCancellable *cancellable)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reader_next (reader, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (procfun_call_get_state (reader->call), ==, PROCFUN_CALL_FAILED);
  g_assert_cmpint (procfun_failure_get_cause (procfun_call_get_failure (reader->call)), ==,
                   PROCFUN_CAUSE_CANCELLED);
}

static void
count (guint *n)
{
  ++*n;
}

static void
test_cancel_before (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (numbers_call (3), mode);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint n_started = 0;

  g_signal_connect_swapped (reader.call, "started", G_CALLBACK (count), &n_started);
  g_cancellable_cancel (cancellable);
  assert_cancelled (&reader, cancellable);
  g_assert_cmpuint (n_started, ==, 0);
}

typedef struct
{
  Reader *reader;
  GCancellable *cancellable;
} Canceller;

static gpointer
cancel_when_it_sleeps (gpointer user_data)
{
  Canceller *self = user_data;

  reader_wait_until_it_sleeps (self->reader);
  g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
test_cancel_while_waiting (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (misfortunes_call ("stay", 3), mode);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Canceller canceller = { &reader, cancellable };
  GThread *thread;

  procfun_call_set_grace_period (reader.call, 10 * MS);
  reader_skip (&reader, 3);
  thread = g_thread_new ("canceller", cancel_when_it_sleeps, &canceller);
  assert_cancelled (&reader, cancellable);
  g_thread_join (thread);
}

/* Items that have come already are dropped, and a function that listens ends by itself. */
static void
test_abort_between_items (gconstpointer mode)
{
  Signal signal;
  char bytes[1024];
  gssize size;

  signal_open (&signal);
  {
    g_auto (Reader) reader = reader_new (steps_call (signal.ends[1]), mode);

    reader_skip (&reader, 10);
    reader_wait_until_it_sleeps (&reader);
    procfun_call_abort (reader.call);
    assert_cancelled (&reader, NULL);
    g_assert_cmpint (procfun_failure_get_step (procfun_call_get_failure (reader.call)), ==,
                     PROCFUN_STEP_CANCELLABLE);
  }
  size = read (signal.ends[0], bytes, sizeof bytes);
  g_assert_cmpint (size, >, 10);
  g_assert_cmpint (bytes[size - 1], ==, 'e');
  signal_close (&signal);
}

/* The process has ended well, but not all of its items were wanted. */
static void
test_abort_after_end (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (numbers_call (100), mode);

  reader_skip (&reader, 1);
  run_until_death (&reader);
  procfun_call_abort (reader.call);
  assert_cancelled (&reader, NULL);
}

/* Dropping */

/* @n items before; the function itself says that it has ended well. */
static void
drop_after (gconstpointer mode, guint n)
{
  Signal signal;
  char byte;

  signal_open (&signal);
  {
    g_auto (Reader) reader = reader_new (steps_call (signal.ends[1]), mode);

    reader_skip (&reader, n);
  }
  close (signal.ends[1]);
  while (read (signal.ends[0], &byte, 1) == 1)
    ;
  g_assert_cmpint (byte, ==, 'e');
  close (signal.ends[0]);
}

static void
test_drop (gconstpointer mode)
{
  drop_after (mode, 1);
  drop_after (mode, 300);
}

/* Nothing was started, or nothing is left. */
static void
test_drop_unused (gconstpointer mode)
{
  G_GNUC_UNUSED g_auto (Reader) unused = reader_new (numbers_call (3), mode);
  g_auto (Reader) used = reader_new (numbers_call (0), mode);

  g_assert_null (reader_next (&used, NULL, NULL));
}

/* A function that does not listen is ended in steps, and at once where there is no time for that.
 * */
static void
test_drop_who_does_not_listen (gconstpointer mode)
{
  static const gint64 grace_periods[] = { 20 * MS, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (grace_periods); i++)
    {
      g_auto (Reader) reader = reader_new (misfortunes_call ("spin", 2), mode);

      procfun_call_set_grace_period (reader.call, grace_periods[i]);
      reader_skip (&reader, 2);
      g_assert_true (lives (procfun_call_get_pid (reader.call)));
    }
}

static void
keep_error (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError **error = user_data;

  g_assert_null (procfun_call_next_finish (PROCFUN_CALL (source), result, error));
}

/* It keeps itself until the callback has come. */
static void
test_drop_while_waiting (void)
{
  g_auto (Reader) reader = reader_new (misfortunes_call ("stay", 1), &reader_modes[1]);
  g_autoptr (GError) error = NULL;

  procfun_call_set_grace_period (reader.call, 10 * MS);
  reader_skip (&reader, 1);
  g_main_context_push_thread_default (reader.context);
  procfun_call_next_async (reader.call, NULL, keep_error, &error);
  g_main_context_pop_thread_default (reader.context);
  procfun_call_abort (reader.call);
  reader_clear (&reader);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Main contexts */

static void
change_context (Reader *self, GMainContext *context)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  self->context = context;
}

/* A context of its own for each item, and none at all. */
static void
test_contexts (void)
{
  g_auto (Reader) reader = reader_new (numbers_call (1000), &reader_modes[1]);

  for (gint i = 0; i < 1000; i++)
    {
      g_autoptr (GVariant) item = reader_next (&reader, NULL, NULL);

      g_assert_cmpint (g_variant_get_int32 (item), ==, i);
      if (i % 3 != 0)
        change_context (&reader, i % 3 == 1 ? g_main_context_new () : NULL);
    }
  g_assert_null (reader_next (&reader, NULL, NULL));
}

/* Before the call is dropped, and before it could be ended. */
static void
test_context_goes_away (void)
{
  g_auto (Reader) early = reader_new (numbers_call (1000), &reader_modes[1]);
  g_auto (Reader) late = reader_new (numbers_call (1000), &reader_modes[1]);

  reader_skip (&early, 1);
  change_context (&early, NULL);
  g_clear_object (&early.call);

  reader_skip (&late, 1);
  g_clear_object (&late.call);
  change_context (&late, NULL);
}

typedef struct
{
  GMainLoop *loop;
  gint n;
  gboolean drop; /* in the callback, and not at the end */
} Sum;

static void
on_number (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sum *self = user_data;
  ProcfunCall *call = PROCFUN_CALL (source);
  g_autoptr (GError) error = NULL;
  gint number;

  if (!numbers_next_finish (call, result, &number, &error))
    {
      g_assert_no_error (error);
      g_main_loop_quit (self->loop);
      return;
    }
  g_assert_cmpint (number, ==, self->n++);
  numbers_next_async (call, NULL, on_number, self);
}

static void
test_main_loop (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (ProcfunCall) call = numbers_call (1000);
  Sum sum = { loop };

  numbers_next_async (call, NULL, on_number, &sum);
  g_main_loop_run (loop);
  g_assert_cmpint (sum.n, ==, 1000);
}

/* Signals */

static void
test_signals (gconstpointer mode)
{
  g_auto (Reader) reader = reader_new (numbers_call (3), mode);
  guint n_started = 0;
  guint n_finished = 0;

  g_signal_connect_swapped (reader.call, "started", G_CALLBACK (count), &n_started);
  g_signal_connect_swapped (reader.call, "finished", G_CALLBACK (count), &n_finished);
  g_assert_cmpint (procfun_call_get_state (reader.call), ==, PROCFUN_CALL_NEW);
  reader_skip (&reader, 3);
  g_assert_cmpuint (n_started, ==, 1);
  g_assert_cmpuint (n_finished, ==, 0);
  g_assert_cmpint (procfun_call_get_state (reader.call), ==, PROCFUN_CALL_RUNNING);
  g_assert_null (reader_next (&reader, NULL, NULL));
  g_assert_null (reader_next (&reader, NULL, NULL));
  g_assert_cmpuint (n_finished, ==, 1);
}

/* Misuse */

static void
assert_next_is_invalid (ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (procfun_call_next (call, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
  g_object_unref (call);
}

static void
test_what_is_refused (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunCall) inline_call = numbers_call (3);
  g_autoptr (GError) error = NULL;

  assert_next_is_invalid (add_call (1, 2));
  assert_next_is_invalid (procfun_call_new (numbers_function (), g_variant_new ("(s)", "three")));
  procfun_call_set_executor (inline_call, executor);
  assert_next_is_invalid (g_object_ref (inline_call));
  g_assert_null (calls_run (numbers_call (3), FALSE, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (calls_run (numbers_call (3), TRUE, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
}

static void
test_two_at_once (void)
{
  g_auto (Reader) reader = reader_new (misfortunes_call ("stay", 1), &reader_modes[1]);
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;
  g_autoptr (GError) third = NULL;

  reader_skip (&reader, 1);
  g_main_context_push_thread_default (reader.context);
  procfun_call_next_async (reader.call, NULL, keep_error, &first);
  procfun_call_next_async (reader.call, NULL, keep_error, &second);
  g_main_context_pop_thread_default (reader.context);
  g_assert_null (procfun_call_next (reader.call, NULL, &third));
  g_assert_error (third, G_IO_ERROR, G_IO_ERROR_PENDING);
  procfun_call_abort (reader.call);
  while (first == NULL || second == NULL)
    g_main_context_iteration (reader.context, TRUE);
  g_assert_error (first, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (second, G_IO_ERROR, G_IO_ERROR_PENDING);
}

static void
test_call_of_another (void)
{
  g_autoptr (ProcfunCall) call = colours_call (3);
  gint item = 5;

  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "numbers_next()*numbers()*");
  g_assert_false (numbers_next (call, &item, NULL, NULL));
  g_test_assert_expected_messages ();
  g_assert_cmpint (item, ==, 0);
}

/* A generator that is open is a call that runs. */
static void
test_closed_executor (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  g_autoptr (ProcfunCall) open = numbers_call (1000);
  g_autoptr (ProcfunCall) late = numbers_call (1000);
  g_autoptr (GError) error = NULL;
  gint item;

  procfun_call_set_executor (open, executor);
  procfun_call_set_executor (late, executor);
  g_assert_true (numbers_next (open, &item, NULL, &error));
  procfun_executor_close_async (executor, NULL, NULL, NULL);
  g_assert_false (numbers_next (late, &item, NULL, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_true (numbers_next (open, &item, NULL, &error));
  g_clear_object (&open);
  g_assert_true (procfun_executor_close (executor, NULL, &error));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static const struct
{
  const char *name;
  GTestDataFunc func;
} tests[] = {
  { "failures", test_failures },
  { "item-that-cannot-be-sent", test_item_that_cannot_be_sent },
  { "item-too-large", test_item_too_large },
  { "timeout", test_timeout },
  { "timeout/between-items", test_timeout_between_items },
  { "cancel/before", test_cancel_before },
  { "cancel/while-waiting", test_cancel_while_waiting },
  { "abort/between-items", test_abort_between_items },
  { "abort/after-end", test_abort_after_end },
  { "drop", test_drop },
  { "drop/unused", test_drop_unused },
  { "drop/who-does-not-listen", test_drop_who_does_not_listen },
  { "signals", test_signals },
};

static void
add_tests (const ReaderMode *mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strdup_printf ("/generator-ends/%s/%s", mode->name, tests[i].name);

      calls_add_data_func (path, mode, tests[i].func);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (reader_modes); i++)
    add_tests (&reader_modes[i]);
  calls_add_func ("/generator-ends/a-dropped-call-still-calls-back", test_drop_while_waiting);
  calls_add_func ("/generator-ends/each-item-may-have-a-context", test_contexts);
  calls_add_func ("/generator-ends/a-context-may-go-before-the-call", test_context_goes_away);
  calls_add_func ("/generator-ends/a-main-loop-ends-a-dropped-call", test_main_loop);
  calls_add_func ("/generator-ends/misuse-is-refused", test_what_is_refused);
  calls_add_func ("/generator-ends/two-generators-take-turns", test_two_at_once);
  calls_add_func ("/generator-ends/a-call-of-another-function-is-refused", test_call_of_another);
  calls_add_func ("/generator-ends/closing-waits-for-an-open-generator", test_closed_executor);
  return fixture_run ();
}
