/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All properties of all classes: one that is set reads back, and notifies when it has changed, and
 * only then. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include <procfun.h>
#include <string.h>

static gpointer
make_call (void)
{
  return add_call (1, 2);
}

static gpointer
make_launcher (void)
{
  static const char *const command[] = { "env", NULL };

  return procfun_launcher_new ("alpha", command);
}

static gpointer
make_map (void)
{
  g_autoptr (ProcfunInline) executor = procfun_inline_new ();

  return procfun_map_new_on (PROCFUN_EXECUTOR (executor), add_function ());
}

static gpointer
make_pool (void)
{
  return procfun_pool_new (1);
}

static gpointer
make_remote_pool (void)
{
  return procfun_remote_pool_new (NULL, NULL);
}

static const struct
{
  const char *name;
  gpointer (*make) (void);
} objects[] = {
  { "call", make_call },
  { "fork-server", (gpointer (*) (void))procfun_fork_server_new },
  { "launcher", make_launcher },
  { "inline", (gpointer (*) (void))procfun_inline_new },
  { "map", make_map },
  { "pool", make_pool },
  { "remote-pool", make_remote_pool },
  { "spawner", (gpointer (*) (void))procfun_spawner_new },
};

static ProcfunLimits *
make_limits (void)
{
  ProcfunLimits *limits = procfun_limits_new ();

  procfun_limits_set_open_files (limits, 100);
  return limits;
}

static ProcfunSandboxRules *
make_rules (void)
{
  ProcfunSandboxRules *rules = procfun_sandbox_rules_new ();

  procfun_sandbox_rules_set_best_effort (rules, TRUE);
  procfun_sandbox_rules_add_readable (rules, "/usr");
  return rules;
}

/* TRUE: it is another value of such a kind. */
static gboolean
change_whole (const GParamSpec *spec, GValue *value)
{
  static const char *const words[] = { "env", "-i", NULL };

  if (spec->value_type == PROCFUN_TYPE_LIMITS)
    g_value_take_boxed (value, make_limits ());
  else if (spec->value_type == PROCFUN_TYPE_SANDBOX_RULES)
    g_value_take_boxed (value, make_rules ());
  else if (spec->value_type == G_TYPE_STRV)
    g_value_set_boxed (value, words);
  else if (spec->value_type == PROCFUN_TYPE_CODEC)
    g_value_set_object (
        value, procfun_codec_lookup (g_value_get_object (value) == procfun_codec_lookup ("json")
                                         ? "gvariant"
                                         : "json"));
  else if (spec->value_type == PROCFUN_TYPE_LAUNCH_CONTEXT)
    g_value_take_object (value, procfun_launch_context_new ());
  else if (spec->value_type == PROCFUN_TYPE_EXECUTOR)
    g_value_take_object (value, procfun_inline_new ());
  else
    return FALSE;
  return TRUE;
}

/* Copies are the same value, too. */
static gboolean
is_same (GParamSpec *spec, const GValue *a, const GValue *b)
{
  if (!G_IS_PARAM_SPEC_BOXED (spec) || g_value_get_boxed (a) == NULL)
    return g_param_values_cmp (spec, a, b) == 0;
  if (g_value_get_boxed (b) == NULL)
    return FALSE;
  if (spec->value_type == PROCFUN_TYPE_LIMITS)
    return procfun_limits_equal (g_value_get_boxed (a), g_value_get_boxed (b));
  if (spec->value_type == PROCFUN_TYPE_SANDBOX_RULES)
    return procfun_sandbox_rules_get_best_effort (g_value_get_boxed (a))
               == procfun_sandbox_rules_get_best_effort (g_value_get_boxed (b))
           && g_strv_equal (procfun_sandbox_rules_get_readable (g_value_get_boxed (a)),
                            procfun_sandbox_rules_get_readable (g_value_get_boxed (b)));
  return g_strv_equal (g_value_get_boxed (a), g_value_get_boxed (b));
}

/* Another value of the property than it has. FALSE: this test knows none, and has to learn it. */
static gboolean
change (const GParamSpec *spec, GValue *value)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    g_value_set_boolean (value, !g_value_get_boolean (value));
  else if (G_IS_PARAM_SPEC_UINT (spec))
    g_value_set_uint (value, g_value_get_uint (value) > 1 ? 1 : 2);
  else if (G_IS_PARAM_SPEC_INT (spec))
    g_value_set_int (value, g_value_get_int (value) + 1);
  else if (G_IS_PARAM_SPEC_INT64 (spec))
    g_value_set_int64 (value, g_value_get_int64 (value) == 7000 ? 8000 : 7000); /* µs */
  else if (G_IS_PARAM_SPEC_UINT64 (spec))
    g_value_set_uint64 (value, g_value_get_uint64 (value) == 4096 ? 8192 : 4096);
  else if (G_IS_PARAM_SPEC_STRING (spec))
    g_value_set_string (value, "/bin/true");
  else if (G_IS_PARAM_SPEC_FLAGS (spec))
    g_value_set_flags (value, g_value_get_flags (value) == 0 ? PROCFUN_RETRY_LOST : 0);
  else if (G_IS_PARAM_SPEC_ENUM (spec))
    g_value_set_enum (value, g_value_get_enum (value) == 0 ? 1 : 0);
  else
    return change_whole (spec, value);
  return TRUE;
}

static void
count (GObject *object, GParamSpec *spec, gpointer n)
{
  ++*(guint *)n;
}

static void
check_change (GObject *object, GParamSpec *spec, GValue *value)
{
  g_autofree char *signal = g_strconcat ("notify::", spec->name, NULL);
  g_auto (GValue) read = G_VALUE_INIT;
  guint n = 0;
  gulong handler = g_signal_connect (object, signal, G_CALLBACK (count), &n);

  g_test_message ("%s", spec->name);
  g_object_set_property (object, spec->name, value);
  g_assert_cmpuint (n, ==, 1);
  g_value_init (&read, spec->value_type);
  g_object_get_property (object, spec->name, &read);
  g_assert_true (is_same (spec, &read, value));
  if (G_IS_PARAM_SPEC_BOXED (spec))
    {
      g_value_set_boxed (&read, NULL);
      g_object_set_property (object, spec->name, &read);
      g_object_get_property (object, spec->name, &read);
      g_assert_null (g_value_get_boxed (&read));
      g_assert_cmpuint (n, ==, 2);
    }
  else
    {
      g_object_set_property (object, spec->name, &read);
      g_assert_cmpuint (n, ==, 1);
    }
  g_signal_handler_disconnect (object, handler);
}

static void
test_properties (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GObject) object = objects[i].make ();
  guint n_specs = 0, n_changed = 0;
  g_autofree GParamSpec **specs
      = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n_specs);

  for (guint k = 0; k < n_specs; k++)
    {
      GParamSpec *spec = specs[k];
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, spec->value_type);
      if ((spec->flags & G_PARAM_READABLE) != 0)
        g_object_get_property (object, spec->name, &value);
      if ((spec->flags & G_PARAM_WRITABLE) == 0 || (spec->flags & G_PARAM_CONSTRUCT_ONLY) != 0)
        continue;
      g_assert_true (change (spec, &value));
      check_change (object, spec, &value);
      n_changed++;
    }
  if (strcmp (objects[i].name, "inline") != 0)
    g_assert_cmpuint (n_changed, >, 0);
  if (PROCFUN_IS_EXECUTOR (object))
    procfun_executor_close (PROCFUN_EXECUTOR (object), NULL, NULL);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (guint i = 0; i < G_N_ELEMENTS (objects); i++)
    {
      g_autofree char *path = g_strconcat ("/properties/", objects[i].name, NULL);

      fixture_add_data_func (path, GUINT_TO_POINTER (i), test_properties);
    }
  return fixture_run ();
}
