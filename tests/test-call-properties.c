/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties of a call that a user interface can bind to. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <string.h>

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (report_and_end, gint, (gboolean, fails))
{
  procfun_report_progress (0.25, "reading");
  g_usleep (30000); /* reports that come together are told as one */
  procfun_report_progress (0.75, "writing");
  if (!fails)
    return 5;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing to write to");
  return 0;
}

/* Something with a property to bind to, as a GtkProgressBar has its “fraction”. */
#define TEST_TYPE_BAR (test_bar_get_type ())
G_DECLARE_FINAL_TYPE (TestBar, test_bar, TEST, BAR, GObject)

struct _TestBar
{
  GObject parent_instance;
  double fraction;
  guint n_set;
};

G_DEFINE_FINAL_TYPE (TestBar, test_bar, G_TYPE_OBJECT)

static void
test_bar_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  TestBar *self = TEST_BAR (object);

  g_assert_cmpfloat (g_value_get_double (value), >=, self->fraction);
  self->fraction = g_value_get_double (value);
  self->n_set++;
}

static void
test_bar_class_init (TestBarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = test_bar_set_property;
  g_object_class_install_property (object_class, 1,
                                   g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0,
                                                        G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
}

static void
test_bar_init (TestBar *self)
{
}

/* The names that were told, in order; what is told twice is there once. */
typedef struct
{
  GString *names;
  GThread *thread;
  GMainContext *context; /* (nullable) */
} Log;

static void
on_notify (ProcfunCall *call, GParamSpec *pspec, Log *self)
{
  g_autofree char *word = g_strdup_printf (" %s ", pspec->name);

  g_assert_true (g_thread_self () == self->thread);
  g_assert_true (self->context == NULL || g_main_context_is_owner (self->context));
  if (strstr (self->names->str, word) == NULL)
    g_string_append (self->names, word + 1);
}

static void
assert_told (ProcfunCall *call, gboolean async, const char *expected)
{
  g_autoptr (GMainContext) context = async ? g_main_context_new () : NULL;
  Log log = { g_string_new (" "), g_thread_self (), context };
  g_autoptr (GVariant) result = NULL;

  g_signal_connect (call, "notify", G_CALLBACK (on_notify), &log);
  if (async)
    {
      g_main_context_push_thread_default (context);
      procfun_call_run_async (call, NULL, NULL, NULL);
      log.context = context;
      while (procfun_call_get_state (call) == PROCFUN_CALL_RUNNING)
        g_main_context_iteration (context, TRUE);
      while (g_main_context_iteration (context, FALSE))
        ;
      g_main_context_pop_thread_default (context);
    }
  else
    result = procfun_call_run (call, NULL, NULL);
  g_assert_cmpstr (log.names->str + 1, ==, expected);
  g_signal_handlers_disconnect_by_data (call, &log);
  g_string_free (log.names, TRUE);
}

static void
test_success (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = calls_on_executor (report_and_end_call (FALSE));
      g_autoptr (TestBar) bar = g_object_new (TEST_TYPE_BAR, NULL);
      g_autoptr (ProcfunUsage) usage = NULL;
      g_autoptr (ProcfunFailure) failure = NULL;
      g_autoptr (GVariant) result = NULL;
      g_autofree char *message = NULL;
      int pid;

      g_object_bind_property (call, "progress", bar, "fraction", G_BINDING_SYNC_CREATE);
      assert_told (call, async, "state pid progress-message progress result usage ");
      g_object_get (call, "progress-message", &message, "pid", &pid, "result", &result, "failure",
                    &failure, "usage", &usage, NULL);
      g_assert_cmpstr (message, ==, "writing");
      g_assert_cmpstr (procfun_call_get_progress_message (call), ==, "writing");
      g_assert_cmpfloat (procfun_call_get_progress (call), ==, 0.75);
      g_assert_cmpfloat (bar->fraction, ==, 0.75);
      g_assert_cmpuint (bar->n_set, ==, 3);
      g_assert_cmpint (pid, ==, procfun_call_get_pid (call));
      g_assert_cmpint (g_variant_get_int32 (result), ==, 5);
      g_assert_null (failure);
      g_assert_nonnull (usage);
    }
}

static void
test_failure (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = calls_on_executor (report_and_end_call (TRUE));
      g_autoptr (ProcfunFailure) failure = NULL;
      g_autoptr (GVariant) result = NULL;

      assert_told (call, async, "state pid progress-message progress failure usage ");
      g_object_get (call, "result", &result, "failure", &failure, NULL);
      g_assert_null (result);
      g_assert_cmpint (procfun_failure_get_cause (failure), ==, PROCFUN_CAUSE_ERROR);
    }
}

/* A call that never had a process. */
static void
test_refused (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call
          = calls_on_executor (procfun_call_new (add_function (), g_variant_new ("()")));

      assert_told (call, async, "state failure ");
      g_assert_cmpfloat (procfun_call_get_progress (call), ==, 0);
      g_assert_null (procfun_call_get_progress_message (call));
    }
}

static void
test_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = report_and_end_call (FALSE);

      procfun_call_set_executor (call, executor);
      assert_told (call, async, "state pid progress-message progress result ");
    }
}

static void
test_settings (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (ProcfunExecutor) got = NULL;
  g_autoptr (ProcfunLimits) got_limits = NULL;
  Log log = { g_string_new (" "), g_thread_self (), NULL };
  gint priority;

  procfun_limits_set_memory (limits, 1 << 30);
  g_signal_connect (call, "notify", G_CALLBACK (on_notify), &log);
  g_object_set (call, "executor", executor, NULL);
  g_object_set (call, "limits", limits, NULL);
  g_object_set (call, "io-priority", 200, NULL);
  g_assert_cmpstr (log.names->str + 1, ==, "executor limits io-priority ");
  g_object_get (call, "executor", &got, "limits", &got_limits, "io-priority", &priority, NULL);
  g_assert_true (got == executor);
  g_assert_cmpuint (procfun_limits_get_memory (got_limits), ==, 1 << 30);
  g_assert_cmpint (priority, ==, 200);
  g_string_truncate (log.names, 1);
  procfun_call_set_executor (call, executor);
  procfun_call_set_io_priority (call, 200);
  g_assert_cmpstr (log.names->str + 1, ==, "");
  g_string_free (log.names, TRUE);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/call-properties/a call that succeeds tells its progress and its result",
                  test_success);
  calls_add_func ("/call-properties/a call that fails tells its failure", test_failure);
  calls_add_func ("/call-properties/a call without a process tells its failure", test_refused);
  fixture_add_func ("/call-properties/an inline call tells the same", test_inline);
  fixture_add_func ("/call-properties/settings are told when they change", test_settings);
  return fixture_run ();
}
