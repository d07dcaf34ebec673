/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the tool looks into programs, also into those that answer anything, or not at all. The
 * program that is looked into is this one, which lies when its environment says so. */

#include "tests/fixture.h"
#include "tools/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIE "PROCFUN_TEST_LIE"

PROCFUN_DEFINE_STATIC_FUNCTION (multiply, gint, (gint, a), (gint, b)) { return a * b; }
PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION (PURE_COMPUTE, shout, char *, (const char *, text))
{
  return g_ascii_strup (text, -1);
}

/* Before the library looks at the command line. */
__attribute__ ((constructor (101))) static void
lie (void)
{
  const char *text = getenv (LIE);

  if (text == NULL)
    return;
  if (strcmp (text, "crash") == 0)
    raise (SIGKILL);
  if (strcmp (text, "exit") == 0)
    _exit (3);
  if (write (STDOUT_FILENO, text, strlen (text)) < 0)
    _exit (4);
  _exit (0);
}

static Program *
open_with (const char *text, GError **error)
{
  Program *program;

  if (text != NULL)
    g_setenv (LIE, text, TRUE);
  program = program_open ("/proc/self/exe", error);
  g_unsetenv (LIE);
  return program;
}

#define NAMED(rest) "{\"build\": \"b\", \"functions\": [{\"name\": \"f\"" rest "}]}"

static const struct
{
  const char *name;
  const char *text;
  GQuark (*domain) (void); /* (nullable): any */
  int code;
  const char *message;
} lies[] = {
  { "a-crash", "crash", procfun_error_quark, PROCFUN_ERROR_CRASHED, "it crashed: " },
  { "an-exit", "exit", procfun_error_quark, PROCFUN_ERROR_EXITED, "exit code 3" },
  { "nothing", "", procfun_error_quark, PROCFUN_ERROR_PROTOCOL, "it said nothing" },
  { "nothing-but-lines", "\n\n", procfun_error_quark, PROCFUN_ERROR_PROTOCOL, "it said nothing" },
  { "no-JSON", "here they are: [", NULL, 0, "cannot list its functions: " },
  { "no-object", "[]", procfun_error_quark, PROCFUN_ERROR_PROTOCOL, "no list of functions" },
  { "no-list", "{\"build\": \"b\"}", procfun_error_quark, PROCFUN_ERROR_PROTOCOL,
    "no list of functions" },
  { "another-type-of-list", "{\"build\": \"b\", \"functions\": 3}", procfun_error_quark,
    PROCFUN_ERROR_PROTOCOL, "no list of functions" },
  { "no-build", "{\"build\": 7, \"functions\": []}", procfun_error_quark, PROCFUN_ERROR_PROTOCOL,
    "no list of functions" },
  { "an-element-of-another-type", "{\"build\": \"b\", \"functions\": [3]}", procfun_error_quark,
    PROCFUN_ERROR_PROTOCOL, "has no name" },
  { "a-function-without-a-name", "{\"build\": \"b\", \"functions\": [{\"name\": 3}]}",
    procfun_error_quark, PROCFUN_ERROR_PROTOCOL, "has no name" },
  { "a-function-without-arguments", NAMED (""), NULL, 0, "cannot list its functions: " },
  { "a-function-without-a-result", NAMED (", \"arguments\": []"), NULL, 0,
    "cannot list its functions: " },
  { "an-unknown-type", NAMED (", \"arguments\": [], \"result\": {\"type\": \"?\"}"), NULL, 0,
    "cannot list its functions: " },
};

static void
test_lie (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = open_with (lies[i].text, &error);

  g_assert_null (program);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  if (lies[i].domain != NULL)
    g_assert_error (error, lies[i].domain (), lies[i].code);
  g_assert_nonnull (strstr (error->message, lies[i].message));
  g_assert_nonnull (strstr (error->message, "/exe"));
}

static void
test_truth (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = open_with (NULL, &error);
  ProcfunFunction *function;

  g_assert_no_error (error);
  g_assert_true (program->is_program);
  g_assert_cmpuint (program->functions->len, ==, 2);
  function = program_find (program, "shout", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (procfun_function_get_name (function), ==, "shout");
  g_assert_true (program_find (program, procfun_function_get_hash (function), &error) == function);
}

static void
check_not_found (Program *program, const char *name, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (program_find (program, name, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, message));
}

/* The most similar one is offered, or all where they are few. */
static void
test_suggestions (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = open_with (NULL, &error);
  g_autofree char *long_name = g_strnfill (200, 'x');

  g_assert_no_error (error);
  check_not_found (program, "multipyl", "multiply");
  check_not_found (program, "SHOUTS", "shout");
  check_not_found (program, "divide_by", ", which has ");
  check_not_found (program, long_name, "multiply");
}

static void
test_arguments (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = open_with (NULL, &error);
  ProcfunFunction *multiply = program_find (program, "multiply", &error);
  ProcfunFunction *shout = program_find (program, "shout", &error);
  g_autofree char *described = program_describe_arguments (multiply);
  g_autoptr (GVariant) numbers = program_read_arguments (multiply, "[2, 3]", FALSE, &error);
  g_autoptr (GVariant) text = program_read_arguments (shout, "[raw", TRUE, &error);
  g_autofree char *numbers_text = g_variant_print (numbers, FALSE);
  g_autofree char *text_text = g_variant_print (text, FALSE);

  g_assert_no_error (error);
  g_assert_cmpstr (described, ==, "i a, i b");
  g_assert_cmpstr (numbers_text, ==, "(2, 3)");
  g_assert_cmpstr (text_text, ==, "('[raw',)");
  g_assert_null (program_read_arguments (shout, NULL, TRUE, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (program_read_arguments (multiply, "[2]", FALSE, &error));
  g_assert_nonnull (strstr (error->message, "multiply (i a, i b)"));
  g_clear_error (&error);
  g_assert_null (program_read_arguments (multiply, "raw", TRUE, &error));
  g_assert_nonnull (error);
}

/* A file that is gone since it was looked into. */
static void
test_gone (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = open_with (NULL, &error);
  ProcfunFunction *multiply = program_find (program, "multiply", &error);

  g_assert_no_error (error);
  g_free (program->path);
  program->path = g_strdup ("/does/not/exist");
  program_become (program, multiply, "[2, 3]", &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  g_assert_nonnull (strstr (error->message, "/does/not/exist"));
  g_clear_error (&error);
  program_become_host (program, 2, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  g_thread_pool_set_max_idle_time (
      1); /* ms: GIO reads what the program says in a thread of a pool */

  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autofree char *path = g_strconcat ("/program/answers/", lies[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_lie);
    }
  fixture_add_func ("/program/functions-are-listed", test_truth);
  fixture_add_func ("/program/similar-names-are-offered", test_suggestions);
  fixture_add_func ("/program/arguments-are-read", test_arguments);
  fixture_add_func ("/program/one-that-is-gone-cannot-be-executed", test_gone);
  return fixture_run ();
}
