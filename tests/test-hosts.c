/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs that break other libraries: tests/hosts.c and its parts, each run in a process of its
 * own. */

#include "tests/calls.h"
#include "tests/fixture.h"

#include <glib/gstdio.h>
#include <procfun.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SKIPPED 77
#define SOMEBODY "65534"

/* Paths of the helper programs: two builds from the same source. */
static char *hosts;
static char *other_build;

typedef struct
{
  GString *text; /* its output */
  int status;
} Outcome;

static void
outcome_clear (Outcome *self)
{
  g_string_free (self->text, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
run_with (Outcome *outcome, const char *const *argv, GSubprocessFlags errors)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) subprocess
      = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | errors, &error);
  char some[1000];
  gssize n;

  g_assert_no_error (error);
  outcome->text = g_string_new (NULL);
  while ((n = g_input_stream_read (g_subprocess_get_stdout_pipe (subprocess), some, sizeof some,
                                   NULL, &error))
         > 0)
    g_string_append_len (outcome->text, some, n);
  g_assert_no_error (error);
  g_subprocess_wait (subprocess, NULL, &error);
  g_assert_no_error (error);
  outcome->status = g_subprocess_get_status (subprocess);
}

static void
run (Outcome *outcome, const char *const *argv)
{
  run_with (outcome, argv, G_SUBPROCESS_FLAGS_STDERR_MERGE);
}

/* The host is content, or could not be made here. */
static void
expect_success (const char *const *argv)
{
  g_auto (Outcome) outcome = { NULL, 0 };

  run (&outcome, argv);
  if (WIFEXITED (outcome.status) && WEXITSTATUS (outcome.status) == SKIPPED)
    g_test_skip (g_strchomp (outcome.text->str));
  else if (outcome.status != 0)
    g_test_fail_printf ("%s ended with wait status %d: %s", argv[1], outcome.status,
                        outcome.text->str);
}

static void
test_host (gconstpointer name)
{
  const char *const argv[] = { hosts, name, NULL };

  expect_success (argv);
}

static void
test_constructors (void)
{
  expect_success (
      (const char *const[]){ "env", "HOSTS_CONSTRUCTORS=1", hosts, "constructors", NULL });
}

/* valgrind 3.19 does not know the debug information that clang writes. */
#ifdef __clang__
#define VALGRIND_READS_THIS FALSE
#else
#define VALGRIND_READS_THIS TRUE
#endif

/* It has no pidfds, and other ideas of what this program is. */
static void
test_valgrind (void)
{
  g_autofree char *valgrind = g_find_program_in_path ("valgrind");

  if (valgrind == NULL || !VALGRIND_READS_THIS || fixture_has_sanitizers ())
    g_test_skip ("there is no valgrind, or it does not go with this compiler or sanitizers");
  else
    /* A process that is killed leaves the pipes for a debugger behind. */
    expect_success ((const char *const[]){ valgrind, "-q", "--vgdb=no", "--trace-children=yes",
                                           "--error-exitcode=99", hosts, "calls", NULL });
}

/* From none at all to more than are needed: one program each, since GLib opens some once. */
static void
test_few_descriptors (void)
{
  for (int n = 0; n <= 20; n++)
    {
      g_autofree char *text = g_strdup_printf ("%d", n);
      const char *const argv[] = { hosts, "few", text, NULL };

      expect_success (argv);
    }
}

/* Processes that hold the output end when the program does. */
static void
test_killed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) host
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, hosts, "spins", NULL);
  GInputStream *output;
  char text[100];

  g_assert_no_error (error);
  output = g_subprocess_get_stdout_pipe (host);
  g_assert_cmpint (g_input_stream_read (output, text, sizeof text, NULL, NULL), >, 0);
  g_subprocess_force_exit (host);
  g_assert_cmpint (g_input_stream_read (output, text, sizeof text, NULL, NULL), ==, 0);
  g_subprocess_wait (host, NULL, NULL);
}

/* Files that are other than they were. A folder for each test, which others than root can enter. */

typedef struct
{
  char *folder;
  char *program; /* a copy of the hosts, in it */
} Place;

static void
write_program (const char *path, const char *contents, gssize size)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents_full (path, contents, size, G_FILE_SET_CONTENTS_NONE, 0755, &error);
  g_assert_no_error (error);
}

static char *
copy (const char *from, const char *folder, const char *name)
{
  g_autofree char *contents = NULL;
  char *path = g_build_filename (folder, name, NULL);
  gsize size;

  g_assert_true (g_file_get_contents (from, &contents, &size, NULL));
  write_program (path, contents, (gssize)size);
  return path;
}

static void
place_init (Place *self)
{
  self->folder = g_dir_make_tmp ("hosts-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
  g_assert_cmpint (g_chmod (self->folder, 0755), ==, 0);
  g_assert_cmpint (g_chmod (g_get_tmp_dir (), 0711), ==, 0);
  self->program = copy (hosts, self->folder, "program");
}

static void
place_clear (Place *self)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (self->folder == NULL) /* skipped */
    return;
  dir = g_dir_open (self->folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
  g_free (self->program);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

typedef struct
{
  const char *name;
  int error_at_last; /* of a call that executes it */
} Replacement;

static const Replacement replacements[] = { { "another-build", PROCFUN_ERROR_MISMATCH },
                                            { "another-program", PROCFUN_ERROR_SPAWN },
                                            { "garbage", PROCFUN_ERROR_SPAWN },
                                            { "nothing", PROCFUN_ERROR_SPAWN } };

static char *
make_replacement (const Replacement *replacement, const char *folder)
{
  char *path = NULL;

  if (g_str_equal (replacement->name, "another-build"))
    return copy (other_build, folder, "replacement");
  if (g_str_equal (replacement->name, "another-program"))
    return copy ("/bin/true", folder, "replacement");
  path = g_build_filename (folder, "replacement", NULL);
  if (g_str_equal (replacement->name, "garbage"))
    write_program (path, "garbage", -1);
  return path;
}

/* The program goes on as it is. */
static void
test_replaced (gconstpointer replacement)
{
  g_auto (Place) place = { NULL, NULL };
  g_autofree char *path = NULL;
  const char *argv[] = { NULL, "replaced", NULL, NULL };

  place_init (&place);
  path = make_replacement (replacement, place.folder);
  argv[0] = place.program;
  argv[2] = g_file_test (path, G_FILE_TEST_EXISTS) ? path : NULL;
  expect_success (argv);
}

/* Between the look at the file and its execution: another program cannot be kept from running. */
static void
test_replaced_at_last (gconstpointer data)
{
  const Replacement *replacement = data;
  g_auto (Place) place = { NULL, NULL };
  g_autofree char *path = NULL;
  g_autofree char *code = g_strdup_printf ("%d", replacement->error_at_last);
  const char *argv[] = { NULL, "replaced-at-last", NULL, code, NULL };

  place_init (&place);
  argv[0] = place.program;
  argv[2] = path = make_replacement (replacement, place.folder);
  expect_success (argv);
}

/* Other users */

static gboolean
skip_without_root (void)
{
  if (geteuid () == 0)
    return FALSE;
  g_test_skip ("only root can become somebody else");
  return TRUE;
}

/* The arguments, up to NULL, as a command of another user. */
static const char *const *
as_somebody (const char *const *argv)
{
  static const char *with[16]
      = { "setpriv", "--reuid=" SOMEBODY, "--regid=" SOMEBODY, "--clear-groups" };
  gsize i = 4;

  while (*argv != NULL)
    with[i++] = *argv++;
  with[i] = NULL;
  return with;
}

/* The program, and the folder that it is in, are out of its reach. */
static void
test_root_no_more (void)
{
  g_auto (Place) place = { NULL, NULL };

  if (skip_without_root ())
    return;
  place_init (&place);
  g_assert_cmpint (g_chmod (place.folder, 0700), ==, 0);
  expect_success ((const char *const[]){ place.program, "root-no-more", place.folder, NULL });
}

static void
test_root_elsewhere (void)
{
  g_autofree char *empty = NULL;

  if (skip_without_root ())
    return;
  empty = g_dir_make_tmp ("hosts-XXXXXX", NULL);
  expect_success ((const char *const[]){ hosts, "root-elsewhere", empty, NULL });
  g_rmdir (empty);
}

/* A file that can be executed, and no more. */
static void
test_unreadable (void)
{
  g_auto (Place) place = { NULL, NULL };

  if (skip_without_root ())
    return;
  place_init (&place);
  g_assert_cmpint (g_chmod (place.program, 0711), ==, 0);
  expect_success (as_somebody ((const char *const[]){ place.program, "calls", NULL }));
}

static void
test_set_user_id (void)
{
  g_auto (Place) place = { NULL, NULL };

  if (skip_without_root ())
    return;
  place_init (&place);
  g_assert_cmpint (g_chmod (place.program, 04755), ==, 0);
  expect_success (as_somebody ((const char *const[]){ place.program, "set-user-id", NULL }));
}

/* Whether a program takes over before its main() when it is made to look like a child, or asked by
 * its command line. Another user's counts of coverage cannot be written, and gcc's library says so
 * on the standard error, in front of all. */
static void
test_taking_over (gconstpointer set_user_id)
{
  g_auto (Place) place = { NULL, NULL };
  g_autofree char *program = NULL;
  const char *const lines[][5] = { { "--procfun-serve=0000000000000000", "add" },
                                   { "--procfun-list" },
                                   { "--procfun-call=add", "[1, 2]" } };

  if (skip_without_root ())
    return;
  place_init (&place);
  program = copy (hosts, place.folder, "asked");
  g_assert_cmpint (g_chmod (program, set_user_id != NULL ? 04755 : 0755), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_auto (Outcome) outcome = { NULL, 0 };

      run_with (&outcome,
                as_somebody ((const char *const[]){ place.program, "impersonate", program,
                                                    lines[i][0], lines[i][1], NULL }),
                G_SUBPROCESS_FLAGS_STDERR_SILENCE);
      g_assert_cmpint (g_str_has_prefix (outcome.text->str, "main\n"), ==, set_user_id != NULL);
    }
}

/* An argument of a call, but no descriptors: a launcher has closed them. */
static void
test_argument_alone (void)
{
  const char *const arguments[] = { "--procfun-serve=0000000000000000", "--procfun-serve=zygote" };

  for (gsize i = 0; i < G_N_ELEMENTS (arguments); i++)
    {
      g_auto (Outcome) outcome = { NULL, 0 };

      run (&outcome, (const char *const[]){ hosts, arguments[i], "add", NULL });
      g_assert_true (WIFEXITED (outcome.status));
      g_assert_cmpint (WEXITSTATUS (outcome.status), ==, 126);
      g_assert_nonnull (strstr (outcome.text->str, "descriptors"));
      g_assert_null (strstr (outcome.text->str, "main"));
    }
}

static void
test_run_by_loader (void)
{
#if defined(__x86_64__) && defined(__LP64__)
  static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
#elif defined(__i386__)
  static const char loader[] = "/lib/ld-linux.so.2";
#else
  static const char loader[] = "/lib/ld-linux-aarch64.so.1";
#endif

  if (g_file_test (loader, G_FILE_TEST_EXISTS))
    expect_success ((const char *const[]){ loader, hosts, "by-loader", NULL });
  else
    g_test_skip ("the loader was not found");
}

static void
test_few_tasks (void)
{
  for (guint n = 1; n < 6; n++)
    {
      g_autofree char *number = g_strdup_printf ("%u", n);

      expect_success ((const char *const[]){ hosts, "few-tasks", number, NULL });
    }
}

static void
add_tests (void)
{
  static const char *const names[] = {
    "large-argument",
    "large-environment",
    "busy-threads",
    "thread-that-ends",
    "standard-closed",
    "leaked",
    "function-closes-all",
    "sigchld-ignored",
    "sigchld-no-wait",
    "thread-that-reaps",
    "sigpipe-default",
    "signals-blocked-and-ignored",
    "group-terminated",
    "no-new-privileges",
    "descendants",
    "forks",
    "retitled",
    "descriptors-lost",
    "descriptors-lost-in-main",
  };

  fixture_add_func ("/hosts/argument-alone", test_argument_alone);
  fixture_add_func ("/hosts/run-by-loader", test_run_by_loader);
  fixture_add_func ("/hosts/few-tasks", test_few_tasks);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_strconcat ("/hosts/", names[i], NULL);

      calls_add_data_func (path, names[i], test_host);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (replacements); i++)
    {
      g_autofree char *path = g_strconcat ("/hosts/replaced/", replacements[i].name, NULL);
      g_autofree char *last = g_strconcat (path, "/at-last", NULL);

      calls_add_data_func (path, &replacements[i], test_replaced);
      fixture_add_data_func (last, &replacements[i], test_replaced_at_last);
    }
  calls_add_func ("/hosts/constructors-may-call", test_constructors);
  calls_add_func ("/hosts/calls-work-under-valgrind", test_valgrind);
  calls_add_func ("/hosts/few-descriptors-are-an-error-or-enough", test_few_descriptors);
  calls_add_func ("/hosts/a-killed-host-takes-its-calls-along", test_killed);
  calls_add_data_func ("/hosts/a-host-that-executes-itself-leaves-no-process", "executes-itself",
                       test_host);
  calls_add_func ("/hosts/a-host-that-gave-up-root-still-calls", test_root_no_more);
  calls_add_func ("/hosts/a-host-in-another-root-still-calls", test_root_elsewhere);
  calls_add_func ("/hosts/a-host-that-can-only-be-executed-calls", test_unreadable);
  calls_add_func ("/hosts/a-set-user-id-host-is-refused", test_set_user_id);
  fixture_add_data_func ("/hosts/taking-over/a-set-user-id-host-never-takes-over", "",
                         test_taking_over);
  fixture_add_data_func ("/hosts/taking-over/a-host-takes-over-as-a-child-only", NULL,
                         test_taking_over);
}

int
main (int argc, char **argv)
{
  int status;

  fixture_init (&argc, &argv);
  hosts = g_test_build_filename (G_TEST_BUILT, "hosts", NULL);
  other_build = g_test_build_filename (G_TEST_BUILT, "hosts-other-build", NULL);
  add_tests ();
  status = fixture_run ();
  g_free (hosts);
  g_free (other_build);
  return status;
}
