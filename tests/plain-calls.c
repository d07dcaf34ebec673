/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/plain-calls.h"

#include "tests/functions.h"
#include "tests/hostile-children.h"

#include "procfun/core/function.h"
#include "procfun/values/type-packed.h"
#include <unistd.h>

PROCFUN_DEFINE_FUNCTION (get_nothing, void) {}
PROCFUN_DEFINE_FUNCTION (give_int, gint, (gint, value)) { return value; }
ProcfunDefinition *const give_int_definition = &procfun_definition_of_give_int;

PROCFUN_DEFINE_FUNCTION (give_string, char *, (const char *, value)) { return g_strdup (value); }
PROCFUN_DEFINE_FUNCTION (report_half, gint)
{
  procfun_report_progress (0.5, "half");
  return 5;
}
PROCFUN_DEFINE_FUNCTION (stay_for_ever, void)
{
  for (;;)
    pause ();
}
PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail_so, gint, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "failed with %d", code);
  return 0;
}

PlainCallStatus
plain_call_run (ProcfunDefinition *definition, gconstpointer const *values, gpointer result)
{
  ProcfunFunction *function = procfun_definition_get_function (definition);
  g_auto (PlainCall) plain = { .function = function, .definition = definition, .result = result };

  g_assert_true (
      type_pack_arguments (definition->args, function->args_schema, values, &plain.args));
  return procfun_executor_run_plain (procfun_executor_get_default (), &plain);
}

void
assert_needs_no_object (ProcfunDefinition *definition, gint value)
{
  gconstpointer values[] = { &value };
  gint result = 0;

  while (plain_call_run (definition, values, &result) != PLAIN_CALL_DONE)
    g_thread_yield ();
  g_assert_cmpint (result, ==, value);
}

void
assert_same_error (GError *error, ProcfunCall *call)
{
  g_autoptr (GError) expected = NULL;

  g_assert_null (procfun_call_run (call, NULL, &expected));
  g_assert_error (error, expected->domain, expected->code);
  g_assert_cmpstr (error->message, ==, expected->message);
  g_object_unref (call);
  g_error_free (error);
}

void
assert_same_errors (gint n_times)
{
  GError *error = NULL;

  for (gint i = 0; i < n_times; i++)
    {
      g_assert_null (give_string_process (NULL, &error));
      assert_same_error (g_steal_pointer (&error), give_string_call (NULL));
      g_assert_null (give_string_process ("\xff", &error));
      assert_same_error (g_steal_pointer (&error), give_string_call ("\xff"));
      g_assert_cmpint (fail_so_process (i, &error), ==, 0);
      assert_same_error (g_steal_pointer (&error), fail_so_call (i));
      g_assert_null (do_return_null_process (&error));
      assert_same_error (g_steal_pointer (&error), do_return_null_call ());
      g_assert_null (do_return_latin1_process (&error));
      assert_same_error (g_steal_pointer (&error), do_return_latin1_call ());
      g_assert_false (fail_void_process (i, &error));
      assert_same_error (g_steal_pointer (&error), fail_void_call (i));
    }
}

typedef struct
{
  gint n_calls;
  gint n_wrong; /* (atomic) */
} Often;

static gpointer
call_often (gpointer data)
{
  Often *often = data;

  for (gint i = 0; i < often->n_calls; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("call %d", i);
      g_autofree char *back = give_string_process (text, &error);

      if (g_strcmp0 (text, back) != 0)
        g_atomic_int_inc (&often->n_wrong);
    }
  return NULL;
}

void
assert_right_from_threads (gint n_calls)
{
  GThread *threads[4];
  Often often = { .n_calls = n_calls };

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_often, &often);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (often.n_wrong, ==, 0);
}
