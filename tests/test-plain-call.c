/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that ask for nothing special go to a waiting worker without an object; their results are
 * the same. */

#include "procfun/core/function.h"
#include "procfun/core/plain-call.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/hostile-ring.h"
#include "tests/plain-calls.h"
#include "tests/pools.h"

#include <procfun.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of all calls of this program: long enough for a machine that is busy. */
#define TIMEOUT_S "4"

PROCFUN_DEFINE_STRUCT (Item, (char *, name), (gint, number), (bool, is_set))
PROCFUN_DEFINE_STRUCT (Basket, (guint8, a), (ItemArray, items), (ProcfunMaybeString, label),
                       (ProcfunDoubles, numbers), (GStrv, words), (float, b))

PROCFUN_DEFINE_STATIC_FUNCTION (give_maybe, ProcfunMaybeString, (ProcfunMaybeString, value))
{
  return g_strdup (value);
}
PROCFUN_DEFINE_STATIC_FUNCTION (split, GStrv, (const char *, value))
{
  return g_strsplit (value, " ", -1);
}
PROCFUN_DEFINE_STATIC_FUNCTION (give_bytes, GBytes *, (GBytes *, value))
{
  return g_bytes_ref (value);
}
PROCFUN_DEFINE_STATIC_FUNCTION (double_all, ProcfunDoubles, (ProcfunDoubles, values))
{
  double *doubled = g_new (double, MAX (values.length, 1));

  for (gsize i = 0; i < values.length; i++)
    doubled[i] = 2 * values.data[i];
  return procfun_doubles_new_take (doubled, values.length);
}
PROCFUN_DEFINE_STATIC_FUNCTION (make_basket, Basket, (gint, n))
{
  Basket basket = { 7, { g_new0 (Item, (gsize)n), (gsize)n }, NULL, { NULL, 0, NULL }, NULL, 0.5f };

  for (gint i = 0; i < n; i++)
    basket.items.data[i] = (Item){ g_strdup_printf ("item %d", i), i, i % 2 == 0 };
  basket.label = g_strdup ("€");
  basket.words = g_strsplit ("a b  c", " ", -1);
  return basket;
}
PROCFUN_DEFINE_STATIC_FUNCTION (sum_basket, gint, (Basket, basket))
{
  gint sum = 0;

  for (gsize i = 0; i < basket.items.length; i++)
    sum += basket.items.data[i].number;
  return sum + (gint)g_strv_length (basket.words);
}
PROCFUN_DEFINE_STATIC_FUNCTION (print_it, gint, (const char *, to_stdout),
                                (const char *, to_stderr))
{
  fputs (to_stdout, stdout);
  fputs (to_stderr, stderr);
  return 1;
}
PROCFUN_DEFINE_STATIC_FUNCTION (has_cancellable, gboolean)
{
  GCancellable *cancellable = procfun_get_cancellable ();

  return cancellable != NULL && cancellable == procfun_get_cancellable ();
}
PROCFUN_DEFINE_STATIC_FUNCTION (take_moment, gint, (gint, us))
{
  g_usleep ((gulong)us);
  return us;
}

/* Writes to the socket of its channel, beside the ring by which its result comes. */
PROCFUN_DEFINE_STATIC_FUNCTION (write_nonsense, gint, (gint, delay_us))
{
  g_usleep ((gulong)delay_us);
  return (gint)write (3, "nonsense", 8);
}

/* A pool with one worker that has been called before. */

#define FORGED_CALL_ID 3 /* of the next call */

typedef struct
{
  ProcfunPool *pool;
} Fixture;

static void
set_up (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  self->pool = procfun_pool_new (1);
  procfun_executor_set_default (PROCFUN_EXECUTOR (self->pool));
  for (gint i = 0; i < 3; i++)
    {
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
    }
}

static void
tear_down (Fixture *self)
{
  procfun_executor_set_default (NULL);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (self->pool), NULL, NULL));
  g_object_unref (self->pool);
}

static gint
get_pid (void)
{
  g_autoptr (GError) error = NULL;
  gint pid = get_process_id_process (&error);

  g_assert_no_error (error);
  return pid;
}

static void
test_no_object (void)
{
  Fixture fixture;

  set_up (&fixture);
  assert_needs_no_object (give_int_definition, 77);
  tear_down (&fixture);
}

/* Longer than anybody looks without sleeping. */
static void
test_moment (void)
{
  Fixture fixture;

  set_up (&fixture);
  assert_needs_no_object (&procfun_definition_of_take_moment, 200);
  g_assert_cmpint (get_pid (), ==, get_pid ());
  tear_down (&fixture);
}

/* Values */

#define N_TIMES 40

static void
check_strings (void)
{
  static const char *const texts[] = { "", "a b c", "€ und\t\n", "  " };
  GError *error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = give_string_process (texts[i], &error);
      g_autofree char *maybe = give_maybe_process ((ProcfunMaybeString)texts[i], &error);
      g_autofree char *none = give_maybe_process (NULL, &error);
      g_auto (GStrv) words = split_process (texts[i], &error);
      g_auto (GStrv) expected = g_strsplit (texts[i], " ", -1);

      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, texts[i]);
      g_assert_cmpstr (maybe, ==, texts[i]);
      g_assert_null (none);
      g_assert_cmpstrv (words, expected);
    }
}

static void
check_basket (gint n)
{
  GError *error = NULL;
  g_auto (Basket) basket = make_basket_process (n, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (basket.items.length, ==, n);
  g_assert_cmpstr (basket.label, ==, "€");
  g_assert_cmpuint (g_strv_length (basket.words), ==, 4);
  for (gint i = 0; i < n; i++)
    {
      g_assert_cmpint (basket.items.data[i].number, ==, i);
      g_assert_true (g_str_has_prefix (basket.items.data[i].name, "item "));
    }
  g_assert_cmpint (sum_basket_process (basket, &error), ==, n * (n - 1) / 2 + 4);
  g_assert_no_error (error);
}

/* Also what is too large for the ring. */
static void
check_bytes (gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size + 1), size);
  GError *error = NULL;
  g_autoptr (GBytes) back = give_bytes_process (bytes, &error);
  g_auto (ProcfunDoubles) doubled = { NULL, 0, NULL };
  const ProcfunDoubles numbers = { g_bytes_get_data (bytes, NULL), size / sizeof (double), NULL };

  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, back));
  doubled = double_all_process (numbers, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (doubled.length, ==, numbers.length);
}

static void
test_values (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < N_TIMES; i++)
    {
      g_assert_true (get_nothing_process (&error));
      g_assert_cmpint (give_int_process (-i, &error), ==, -i);
      check_strings ();
      check_basket (i);
      check_bytes ((gsize)i * 200);
      g_assert_no_error (error);
    }
  check_bytes (100000);
  tear_down (&fixture);
}

/* Errors */

static void
test_errors (void)
{
  Fixture fixture;

  set_up (&fixture);
  assert_same_errors (10);
  tear_down (&fixture);
}

static void
test_deaths (void)
{
  GError *error = NULL;
  Fixture fixture;
  gint pid;

  set_up (&fixture);
  pid = get_pid ();
  do_crash_process (&error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
  g_clear_error (&error);
  g_assert_cmpint (get_pid (), !=, pid);
  get_pid ();
  g_assert_false (do_exit_process (3, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
  assert_same_error (g_steal_pointer (&error), do_exit_call (3));
  get_pid ();
  g_assert_false (do_exit_at_once_process (4, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_EXITED);
  g_clear_error (&error);
  get_pid ();
  tear_down (&fixture);
}

static void
test_timeout (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  g_assert_false (stay_for_ever_process (&error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  g_clear_error (&error);
  get_pid ();
  tear_down (&fixture);
}

static char *
call_forger (gint forgery, GError **error)
{
  char *text;
  Fixture fixture;

  set_up (&fixture);
  text = forge_process (forgery, FORGED_CALL_ID, error);
  tear_down (&fixture);
  return text;
}

static void
test_forged (void)
{
  for (gint forgery = FORGERY_NONE; forgery < FORGERY_LAST; forgery++)
    {
      GError *error = NULL;
      g_autofree char *text = call_forger (forgery, &error);
      Fixture fixture;

      if (forgery == FORGERY_NONE)
        {
          g_assert_no_error (error);
          g_assert_cmpstr (text, ==, "forged!");
          continue;
        }
      g_assert_null (text);
      set_up (&fixture);
      assert_same_error (error, forge_call (forgery, FORGED_CALL_ID));
      tear_down (&fixture);
    }
}

static gboolean
reads (ProcfunFunction *function, const guint8 *data, gsize size, gpointer result)
{
  PlainCall plain = { .function = function, .definition = function->definition, .result = result };

  return plain_call_read_result (&plain, data, size);
}

/* Numbers are read by their layout, and truth is checked besides. */
static void
test_forged_values (void)
{
  const gint number = 77;
  guint8 data[2 * sizeof number] = { 0 };
  gint value = 0;

  memcpy (data, &number, sizeof number);
  for (gsize size = 0; size <= sizeof data; size++)
    g_assert_cmpint (reads (take_moment_function (), data, size, &value), ==,
                     size == sizeof number);
  g_assert_cmpint (value, ==, number);
  for (guint8 truth = 0; truth < 4; truth++)
    g_assert_cmpint (reads (has_cancellable_function (), &truth, 1, &value), ==, truth <= 1);
  g_assert_false (reads (has_cancellable_function (), data, 2, &value));
}

/* Other frames of the function */

static void
test_output (void)
{
  const char *to_stdout = "# printed\n";
  const char *to_stderr = "";
  gconstpointer values[] = { &to_stdout, &to_stderr };
  gint result = 0;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 10; i++)
    g_assert_cmpint (plain_call_run (&procfun_definition_of_print_it, values, &result), ==,
                     PLAIN_CALL_MADE);
  tear_down (&fixture);
}

static void
test_progress (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 10; i++)
    g_assert_cmpint (report_half_process (&error), ==, 5);
  g_assert_no_error (error);
  get_pid ();
  tear_down (&fixture);
}

/* The pool */

static guint64
get_submitted (ProcfunPool *pool)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (pool));

  return procfun_statistics_get_submitted (statistics);
}

static guint64
get_succeeded (ProcfunPool *pool)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (PROCFUN_EXECUTOR (pool));

  return procfun_statistics_get_succeeded (statistics);
}

#define N_CALLS 500

static void
test_counted (void)
{
  GError *error = NULL;
  Fixture fixture;
  guint64 before;

  set_up (&fixture);
  before = get_submitted (fixture.pool);
  for (gint i = 0; i < N_CALLS; i++)
    give_int_process (i, &error);
  g_assert_no_error (error);
  g_assert_cmpint (fail_so_process (1, &error), ==, 0);
  g_clear_error (&error);
  g_assert_cmpuint (get_submitted (fixture.pool), ==, before + N_CALLS + 1);
  g_assert_cmpuint (get_succeeded (fixture.pool), ==, before + N_CALLS);
  tear_down (&fixture);
}

static void
test_recycled (void)
{
  GError *error = NULL;
  Fixture fixture;
  gint pid;

  set_up (&fixture);
  pid = get_pid ();
  leave_descriptor_process (&error);
  g_assert_cmpint (get_pid (), !=, pid);
  procfun_pool_set_calls_per_worker (fixture.pool, 10);
  pid = get_pid ();
  for (gint i = 0; i < 10; i++)
    give_int_process (i, &error);
  g_assert_cmpint (get_pid (), !=, pid);
  g_assert_no_error (error);
  tear_down (&fixture);
}

static void
test_killed_between (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 10; i++)
    {
      gint pid = get_pid ();

      g_assert_cmpint (get_pid (), ==, pid);
      kill (pid, SIGKILL);
      if (i % 2 == 0)
        g_usleep (2000); /* it may be dead, or about to die */
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
    }
  tear_down (&fixture);
}

static void
test_threads (void)
{
  Fixture fixture;
  guint64 before;

  set_up (&fixture);
  before = get_succeeded (fixture.pool);
  procfun_pool_set_max_workers (fixture.pool, 2);
  assert_right_from_threads (N_CALLS);
  g_assert_cmpuint (get_succeeded (fixture.pool), ==, before + 4 * N_CALLS);
  tear_down (&fixture);
}

/* Its result is right, and the worker gets no other call. */
static void
assert_disturbed (gint delay_us)
{
  g_autoptr (GError) error = NULL;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 3; i++)
    {
      const gint pid = get_pid ();

      g_assert_cmpint (write_nonsense_process (delay_us, &error), ==, 8);
      g_assert_no_error (error);
      g_assert_cmpint (get_pid (), !=, pid);
    }
  tear_down (&fixture);
}

static void
test_nonsense (void)
{
  assert_disturbed (0);
  assert_disturbed (10000); /* too late to be a plain call's */
}

static void
on_nonsense_written (GObject *source, GAsyncResult *result, gpointer done)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (write_nonsense_process_finish (result, &error), ==, 8);
  g_assert_no_error (error);
  *(gboolean *)done = TRUE;
}

static void
test_nonsense_async (void)
{
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 3; i++)
    {
      const gint pid = get_pid ();
      gboolean done = FALSE;

      write_nonsense_process_async (0, NULL, on_nonsense_written, &done);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (get_pid (), !=, pid);
    }
  tear_down (&fixture);
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer done)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (give_int_process_finish (result, &error), ==, 5);
  g_assert_no_error (error);
  *(gboolean *)done = TRUE;
}

/* Its worker is watched by a main context from then on. */
static void
test_after_async (void)
{
  g_autoptr (GError) error = NULL;
  Fixture fixture;

  set_up (&fixture);
  for (gint i = 0; i < 20; i++)
    {
      gboolean done = FALSE;

      give_int_process_async (5, NULL, on_called, &done);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      for (gint k = 0; k < 3; k++)
        g_assert_cmpint (give_int_process (k, &error), ==, k);
      g_assert_no_error (error);
    }
  tear_down (&fixture);
}

static void
test_closed (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  g_assert_true (procfun_executor_close (PROCFUN_EXECUTOR (fixture.pool), NULL, NULL));
  give_int_process (1, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CLOSED);
  assert_same_error (g_steal_pointer (&error), give_int_call (1));
  tear_down (&fixture);
}

static void
test_codec (void)
{
  GError *error = NULL;
  Fixture fixture;

  set_up (&fixture);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (fixture.pool),
                                      procfun_codec_get_json ());
  for (gint i = 0; i < 3; i++)
    g_assert_cmpint (give_int_process (i, &error), ==, i);
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (fixture.pool),
                                      procfun_codec_get_gvariant ());
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (fixture.pool), 8);
  for (gint i = 0; i < 3; i++)
    {
      g_assert_cmpint (give_int_process (i, &error), ==, i);
      g_assert_no_error (error);
      g_assert_null (give_string_process ("more than eight bytes", &error));
      assert_same_error (g_steal_pointer (&error), give_string_call ("more than eight bytes"));
      make_basket_process (3, &error);
      assert_same_error (g_steal_pointer (&error), make_basket_call (3));
    }
  tear_down (&fixture);
}

/* In the process of the caller */

static void
test_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunStatistics) statistics = NULL;
  const gint value = 77;
  gconstpointer values[] = { &value };
  gint result = 0;
  GError *error = NULL;

  procfun_executor_set_default (executor);
  g_assert_cmpint (plain_call_run (give_int_definition, values, &result), ==, PLAIN_CALL_DONE);
  g_assert_cmpint (result, ==, value);
  check_strings ();
  check_basket (5);
  check_bytes (1000);
  g_assert_true (has_cancellable_process (&error));
  g_assert_cmpint (report_half_process (&error), ==, 5);
  g_assert_no_error (error);
  fail_so_process (3, &error);
  assert_same_error (g_steal_pointer (&error), fail_so_call (3));
  g_assert_null (do_return_null_process (&error));
  g_assert_nonnull (procfun_error_get_failure (error));
  assert_same_error (g_steal_pointer (&error), do_return_null_call ());
  statistics = procfun_statistics_new (executor);
  g_assert_cmpuint (procfun_statistics_get_failed (statistics), ==, 4);
  procfun_executor_set_default (NULL);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_setenv ("PROCFUN_TIMEOUT", TIMEOUT_S, TRUE);

  fixture_add_func ("/plain-call/needs-no-object", test_no_object);
  fixture_add_func ("/plain-call/needs-no-object-while-it-sleeps", test_moment);
  fixture_add_func ("/plain-call/inline-needs-no-object", test_inline);
  fixture_add_func ("/plain-call/values-arrive-and-return", test_values);
  fixture_add_func ("/plain-call/errors-are-those-of-an-object", test_errors);
  fixture_add_func ("/plain-call/deaths-are-told", test_deaths);
  fixture_add_func ("/plain-call/ends-when-its-time-is-up", test_timeout);
  fixture_add_func ("/plain-call/forged-answers-are-refused-alike", test_forged);
  fixture_add_func ("/plain-call/forged-values-are-refused", test_forged_values);
  fixture_add_func ("/plain-call/output-makes-an-object", test_output);
  fixture_add_func ("/plain-call/progress-is-no-answer", test_progress);
  fixture_add_func ("/plain-call/is-counted", test_counted);
  fixture_add_func ("/plain-call/worker-is-recycled", test_recycled);
  fixture_add_func ("/plain-call/worker-killed-between-calls-is-replaced", test_killed_between);
  fixture_add_func ("/plain-call/nonsense-beside-a-result-costs-the-worker", test_nonsense);
  fixture_add_func ("/plain-call/nonsense-costs-it-in-a-main-context", test_nonsense_async);
  fixture_add_func ("/plain-call/threads-share-workers", test_threads);
  fixture_add_func ("/plain-call/asynchronous-calls-come-between", test_after_async);
  fixture_add_func ("/plain-call/closed-pool-refuses-it", test_closed);
  fixture_add_func ("/plain-call/other-codec-and-payload-limit-hold", test_codec);

  return fixture_run ();
}
