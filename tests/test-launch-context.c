/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include <sched.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (read_number, char *, (int, fd)) { return read_all (fd); }

PROCFUN_DEFINE_STATIC_FUNCTION (get_cpus, GStrv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  cpu_set_t set;

  CPU_ZERO (&set);
  sched_getaffinity (0, sizeof set, &set);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, &set))
      {
        g_autofree char *number = g_strdup_printf ("%d", cpu);

        g_strv_builder_add (builder, number);
      }
  return g_strv_builder_end (builder);
}

PROCFUN_DEFINE_STATIC_FUNCTION (count_variables, guint) { return g_strv_length (environ); }

/* Both ways: for one call, and for all calls of an executor. */
static void
assert_in_context (ProcfunLaunchContext *context, ProcfunCall *(*make) (const char *argument),
                   const char *argument, const char *expected)
{
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
      ProcfunCall *call = make (argument);

      if (i % 2 == 0)
        procfun_call_set_launch_context (call, context);
      else
        procfun_process_executor_set_launch_context (PROCFUN_PROCESS_EXECUTOR (executor), context);
      calls_assert_result (executor, call, i < 2, expected);
    }
}

static void
assert_fails_in_context (ProcfunLaunchContext *context, const char *pattern)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      ProcfunCall *call = add_call (1, 2);

      procfun_call_set_launch_context (call, context);
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN, pattern);
    }
}

static ProcfunCall *
make_get_folder (const char *unused)
{
  return get_folder_call ();
}

static ProcfunCall *
make_get_nice (const char *unused)
{
  return get_nice_call ();
}

static ProcfunCall *
make_get_cpus (const char *unused)
{
  return get_cpus_call ();
}

static ProcfunCall *
make_count_variables (const char *unused)
{
  return count_variables_call ();
}

/* Launch context that are those of the caller. */
static void
test_default (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  g_autofree char *folder = g_get_current_dir ();
  g_autofree char *expected = g_strdup_printf ("'%s'", folder);

  g_assert_null (procfun_launch_context_get_working_directory (context));
  g_assert_cmpint (procfun_launch_context_get_nice (context), ==, 0);
  assert_in_context (context, make_get_folder, NULL, expected);
}

static void
test_folder (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  procfun_launch_context_set_working_directory (context, "/usr");
  g_assert_cmpstr (procfun_launch_context_get_working_directory (context), ==, "/usr");
  assert_in_context (context, make_get_folder, NULL, "'/usr'");
  procfun_launch_context_set_working_directory (context, "/no/such/folder");
  assert_fails_in_context (context, "*add()*/no/such/folder*No such file or directory*");
  procfun_launch_context_set_working_directory (context, "/dev/null");
  assert_fails_in_context (context, "*add()*/dev/null*Not a directory*");
}

static void
test_environment (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  g_setenv ("PROCFUN_TEST_A", "a", TRUE);
  g_setenv ("PROCFUN_TEST_B", "b", TRUE);
  g_setenv ("PROCFUN_TEST_C", "c", TRUE);
  procfun_launch_context_set_variable (context, "PROCFUN_TEST_A", "other=\xc3\xa4");
  procfun_launch_context_unset_variable (context, "PROCFUN_TEST_B");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_A", "@ms 'other=\xc3\xa4'");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_B", "@ms nothing");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_C", "@ms 'c'");

  procfun_launch_context_clear_environment (context);
  procfun_launch_context_pass_variable (context, "PROCFUN_TEST_B");
  procfun_launch_context_pass_variable (context, "PROCFUN_TEST_NONE");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_A", "@ms 'other=\xc3\xa4'");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_B", "@ms 'b'");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_C", "@ms nothing");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_NONE", "@ms nothing");
  assert_in_context (context, make_count_variables, NULL, "uint32 2");

  /* The last word counts, and passing is of the value at the time of the call. */
  g_setenv ("PROCFUN_TEST_B", "changed", TRUE);
  procfun_launch_context_unset_variable (context, "PROCFUN_TEST_A");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_A", "@ms nothing");
  assert_in_context (context, get_variable_call, "PROCFUN_TEST_B", "@ms 'changed'");
  g_unsetenv ("PROCFUN_TEST_A");
  g_unsetenv ("PROCFUN_TEST_B");
  g_unsetenv ("PROCFUN_TEST_C");
}

static void
test_nice (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();

  procfun_launch_context_set_nice (context, 19);
  g_assert_cmpint (procfun_launch_context_get_nice (context), ==, 19);
  assert_in_context (context, make_get_nice, NULL, "19");
}

/* Any one of those that there are. */
static void
test_affinity (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  g_auto (GStrv) cpus = get_cpus ();
  g_autofree char *expected = g_strdup_printf ("['%s']", cpus[0]);
  g_autofree char *doubled = g_strdup_printf ("%s-%s,%s", cpus[0], cpus[0], cpus[0]);
  static const char *const wrong[]
      = { "", ",", "0,", "-1", "1-", "2-1", "x", "0 1", "1024", "0-99999999999" };
  g_autoptr (GError) error = NULL;

  g_assert_true (procfun_launch_context_set_affinity (context, cpus[0], &error));
  assert_in_context (context, make_get_cpus, NULL, expected);
  g_assert_true (procfun_launch_context_set_affinity (context, doubled, &error));
  assert_in_context (context, make_get_cpus, NULL, expected);
  g_assert_true (procfun_launch_context_set_affinity (context, "1023", &error));
  assert_fails_in_context (context, "*add()*CPU*Invalid argument*");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (procfun_launch_context_set_affinity (context, wrong[i], &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
      g_clear_error (&error);
    }
}

static void
test_descriptors (void)
{
  static const int targets[] = { 0, 10, 11, 300 };

  for (gboolean async = FALSE; async <= TRUE; async++)
    for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
      {
        g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
        g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
        g_autoptr (GError) error = NULL;
        g_autofree char *expected = NULL;
        ProcfunCall *call;

        for (gsize k = 0; k < G_N_ELEMENTS (targets); k++)
          {
            g_autofree char *text = g_strdup_printf ("text %d", targets[k]);
            int fd = open_text (text);

            procfun_launch_context_add_fd (context, fd, targets[k], &error);
            g_assert_no_error (error);
            close (fd);
          }
        expected = g_strdup_printf ("'text %d'", targets[i]);
        call = read_number_call (targets[i]);
        procfun_call_set_launch_context (call, context);
        calls_assert_result (executor, call, async, expected);
      }
}

/* It is not taken from who gave it: also a second call has it. */
static void
test_descriptors_again (void)
{
  g_autoptr (ProcfunLaunchContext) context = procfun_launch_context_new ();
  g_autoptr (GError) error = NULL;
  int fd = open_text ("text");

  procfun_launch_context_add_fd (context, fd, 12, &error);
  g_assert_no_error (error);
  close (fd);
  procfun_launch_context_set_working_directory (context, "/");
  assert_in_context (context, make_get_folder, NULL, "'/'");
  g_assert_false (procfun_launch_context_add_fd (context, 1000000, 12, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  calls_add_func ("/launch-context/default-is-that-of-the-caller", test_default);
  calls_add_func ("/launch-context/folder-can-be-chosen", test_folder);
  calls_add_func ("/launch-context/environment-can-be-changed", test_environment);
  calls_add_func ("/launch-context/niceness-can-be-raised", test_nice);
  calls_add_func ("/launch-context/processors-can-be-chosen", test_affinity);
  calls_add_func ("/launch-context/descriptors-get-their-numbers", test_descriptors);
  calls_add_func ("/launch-context/descriptors-serve-a-second-call", test_descriptors_again);
  return fixture_run ();
}
