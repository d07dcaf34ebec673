/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/landlock.h"
#include "tests/escapes.h"
#include "tests/fixture.h"
#include "tests/remotes.h"
#include "tests/sandbox-conditions.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_LEVELS (PROCFUN_SANDBOX_PURE_COMPUTE + 1)

/* Functions that are called */

PROCFUN_DEFINE_STATIC_FUNCTION (try_escapes, ProcfunInt32s, (gint, level), (const char *, folder),
                                (gint, pid))
{
  g_autofree gint32 *outcomes = g_new0 (gint32, n_escapes);

  escapes_try ((ProcfunSandbox)level, folder, pid, outcomes);
  return procfun_int32s_new (outcomes, n_escapes);
}

PROCFUN_DEFINE_STATIC_FUNCTION (add, gint, (gint, a), (gint, b)) { return a + b; }

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (read_file, char *, (const char *, path))
{
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, error);
  return text;
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (write_file, gboolean, (const char *, path))
{
  FILE *file = fopen (path, "w");

  if (file != NULL)
    return fputs ("written", file) >= 0 && fclose (file) == 0;
  g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (errno), g_strerror (errno));
  return FALSE;
}

PROCFUN_DEFINE_STATIC_FUNCTION (trace, gint) { return (gint)syscall (SYS_ptrace, 0, 0, 0, 0); }

PROCFUN_DEFINE_STATIC_FUNCTION (abort_after_open, gint)
{
  if (open ("/etc/passwd", O_RDONLY) < 0)
    abort ();
  return 0;
}

static gpointer
run_thread (gpointer data)
{
  return data;
}

/* Errors of what a function may do that only computes, as bits. */
static guint
compute (void)
{
  GThread *thread = g_thread_try_new ("compute", run_thread, GINT_TO_POINTER (7), NULL);
  g_autoptr (GRegex) regex = g_regex_new ("a+b", G_REGEX_OPTIMIZE, 0, NULL);
  g_autofree char *block = g_malloc (8 << 20);
  gpointer code = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int fd = memfd_create ("compute", MFD_CLOEXEC);
  int fds[2];
  struct stat st;
  guint wrong = 0;

  memset (block, 1, 8 << 20);
  wrong |= thread == NULL || GPOINTER_TO_INT (g_thread_join (thread)) != 7 ? 1 << 0 : 0;
  wrong |= regex == NULL || !g_regex_match (regex, "aaab", 0, NULL) ? 1 << 1 : 0;
  wrong |= mprotect (code, 4096, PROT_READ | PROT_EXEC) != 0 ? 1 << 2 : 0;
  wrong |= fd < 0 || ftruncate (fd, 4096) != 0 || fstat (fd, &st) != 0 || st.st_size != 4096
               ? 1 << 3
               : 0;
  wrong |= pipe (fds) != 0 || write (fds[1], "x", 1) != 1 ? 1 << 4 : 0;
  wrong |= g_get_monotonic_time () <= 0 || g_get_real_time () <= 0 ? 1 << 5 : 0;
  wrong |= isatty (fds[0]) != 0 ? 1 << 6 : 0;
  wrong |= g_random_int_range (0, 2) > 1 ? 1 << 7 : 0;
  munmap (code, 4096);
  close (fd);
  close (fds[0]);
  close (fds[1]);
  return wrong;
}

PROCFUN_DEFINE_STATIC_FUNCTION (compute_only, guint) { return compute (); }

PROCFUN_DEFINE_STATIC_FUNCTION (read_descriptor, gint, (ProcfunFd, fd))
{
  char byte = 0;

  return read (fd, &byte, 1) == 1 ? byte : -errno;
}

PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION (PURE_COMPUTE, shut_in, gint, (const char *, path))
{
  int fd = open (path, O_RDONLY);

  return fd < 0 ? -errno : close (fd);
}

PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION_WITH_ERROR (READ_ONLY, look_only, gboolean,
                                                     (const char *, path))
{
  return write_file (path, error);
}

/* Executors */

typedef ProcfunExecutor *(*MakeFunc) (void);

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  ProcfunPool *pool = procfun_pool_new (1);

  return PROCFUN_EXECUTOR (pool);
}

static ProcfunExecutor *
make_hosts (void)
{
  return PROCFUN_EXECUTOR (remotes_new ("local*1"));
}

static const struct
{
  const char *name;
  MakeFunc make;
} executors[] = { { "spawner", make_spawner },
                  { "fork server", make_fork_server },
                  { "pool", make_pool },
                  { "hosts", make_hosts } };

#define POOL 2

static void
close_executor (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (executor, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (executor);
}

/* Conditions */

static gboolean
can_read_only (void)
{
  return landlock_get_version () > 0;
}

/* Escapes */

static gboolean
is_refused (gint32 outcome)
{
  return outcome == ESCAPE_TRAPPED || outcome == -EPERM || outcome == -EACCES || outcome == -ENOSYS;
}

static gboolean
is_possible (const Escape *escape)
{
  const guint version = landlock_get_version ();

#if !defined(__x86_64__) || !defined(__LP64__)
  if (escape->needs == ESCAPE_NEEDS_X86)
    return FALSE;
#endif
  return !(escape->needs == ESCAPE_NEEDS_SCOPE && version < LANDLOCK_SCOPE_VERSION)
         && !(escape->needs == ESCAPE_NEEDS_LANDLOCK && version < LANDLOCK_SCOPE_VERSION);
}

static void
check_escape (const Escape *escape, ProcfunSandbox level, gint32 outcome)
{
  if (outcome == ESCAPE_NOT_TRIED)
    return;
  if (escape->refused_from > level && outcome < 0)
    g_error ("%s does not work at level %u: %d", escape->name, level, outcome);
  if (escape->refused_from <= level && !is_refused (outcome))
    {
      if (is_possible (escape) || level == PROCFUN_SANDBOX_PURE_COMPUTE)
        g_error ("%s got out of level %u: %d", escape->name, level, outcome);
      g_test_message ("skipped: this kernel cannot refuse %s", escape->name);
    }
}

static void
try_level (ProcfunExecutor *executor, ProcfunSandbox level, gboolean on_call)
{
  char *folder = sandbox_make_folder ();
  g_autoptr (ProcfunCall) call = try_escapes_call ((gint)level, folder, getpid ());
  g_autoptr (GError) error = NULL;
  g_auto (ProcfunInt32s) outcomes = { 0 };

  procfun_call_set_executor (call, executor);
  if (on_call)
    procfun_call_set_sandbox (call, level);
  else
    procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor), level);
  outcomes = try_escapes_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (outcomes.length, ==, n_escapes);
  for (gsize i = 0; i < n_escapes; i++)
    check_escape (&escapes[i], level, outcomes.data[i]);
  g_assert_cmpuint (procfun_call_get_sandbox (call), ==, level);
  sandbox_remove_folder (folder);
}

static void
test_escapes (gconstpointer data)
{
  const ProcfunSandbox level = GPOINTER_TO_UINT (data);

  if (sandbox_skips ())
    return;
  if (level == PROCFUN_SANDBOX_READ_ONLY && !can_read_only ())
    {
      g_test_skip ("this kernel is without Landlock");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    for (gint on_call = 0; on_call < 2; on_call++)
      {
        ProcfunExecutor *executor = executors[i].make ();

        if (on_call || PROCFUN_IS_PROCESS_EXECUTOR (executor))
          try_level (executor, level, on_call);
        close_executor (executor);
      }
}

static void
test_table (void)
{
  g_assert_cmpuint (n_escapes, >=, 60);
  for (gsize i = 0; i < n_escapes; i++)
    for (gsize j = 0; j < i; j++)
      g_assert_cmpstr (escapes[i].name, !=, escapes[j].name);
}

/* Functions that pure computing leaves */

static void
test_compute (void)
{
  if (sandbox_skips ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      ProcfunExecutor *executor = executors[i].make ();
      g_autoptr (ProcfunCall) call = compute_only_call ();
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      procfun_call_set_sandbox (call, PROCFUN_SANDBOX_PURE_COMPUTE);
      g_assert_cmphex (compute_only_run (call, NULL, &error), ==, 0);
      g_assert_no_error (error);
      close_executor (executor);
    }
}

static void
test_descriptor (void)
{
  ProcfunExecutor *executor = make_fork_server ();
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (fds[1], "p", 1), ==, 1);
  call = read_descriptor_call (fds[0]);
  procfun_call_set_executor (call, executor);
  procfun_call_set_sandbox (call, PROCFUN_SANDBOX_PURE_COMPUTE);
  if (!sandbox_skips ())
    {
      g_assert_cmpint (read_descriptor_run (call, NULL, &error), ==, 'p');
      g_assert_no_error (error);
    }
  close (fds[0]);
  close (fds[1]);
  close_executor (executor);
}

/* Errors */

static void
run_pure (ProcfunCall *call, ProcfunExecutor *executor, GError **error)
{
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  procfun_call_set_sandbox (call, PROCFUN_SANDBOX_PURE_COMPUTE);
  result = procfun_call_run (call, NULL, error);
  g_assert_null (result);
}

static void
test_names (void)
{
  if (sandbox_skips ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      ProcfunExecutor *executor = executors[i].make ();
      g_autoptr (ProcfunCall) tracing = trace_call ();
      g_autoptr (ProcfunCall) reading = read_file_call ("/etc/passwd");
      g_autoptr (ProcfunCall) aborting = abort_after_open_call ();
      g_autoptr (GError) error = NULL;
      g_autofree char *report = NULL;

      run_pure (tracing, executor, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      g_assert_nonnull (strstr (error->message, "trace() was refused the system call ptrace"));
      g_clear_error (&error);
      run_pure (reading, executor, &error);
      g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_ACCES);
      g_assert_nonnull (strstr (error->message, "; read_file() was refused the system call open"));
      g_clear_error (&error);
      run_pure (aborting, executor, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED);
      report = procfun_failure_to_string (procfun_call_get_failure (aborting));
      g_assert_nonnull (strstr (report, "refused before: open"));
      close_executor (executor);
    }
}

/* Rules */

static void
set_rules (ProcfunCall *call, ProcfunSandbox level, const char *writable, const char *readable)
{
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();

  if (writable != NULL)
    procfun_sandbox_rules_add_writable (rules, writable);
  if (readable != NULL)
    procfun_sandbox_rules_add_readable (rules, readable);
  procfun_call_set_sandbox (call, level);
  procfun_call_set_sandbox_rules (call, rules);
}

static gboolean
skips_files (void)
{
  if (sandbox_skips ())
    return TRUE;
  if (can_read_only ())
    return FALSE;
  g_test_skip ("this kernel is without Landlock");
  return TRUE;
}

static void
test_folders (void)
{
  char *folder, *other;
  g_autofree char *inside = NULL, *outside = NULL;

  if (skips_files ())
    return;
  folder = sandbox_make_folder ();
  other = sandbox_make_folder ();
  inside = g_build_filename (folder, "new", NULL);
  outside = g_build_filename (other, "file", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      ProcfunExecutor *executor = executors[i].make ();
      g_autoptr (ProcfunCall) writing = write_file_call (inside);
      g_autoptr (ProcfunCall) wrong = write_file_call (outside);
      g_autoptr (ProcfunCall) reading = read_file_call (outside);
      g_autoptr (ProcfunCall) blind = read_file_call (outside);
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      set_rules (writing, PROCFUN_SANDBOX_READ_ONLY, folder, NULL);
      procfun_call_set_executor (writing, executor);
      g_assert_true (write_file_run (writing, NULL, &error));
      g_assert_no_error (error);
      set_rules (wrong, PROCFUN_SANDBOX_READ_ONLY, folder, NULL);
      procfun_call_set_executor (wrong, executor);
      g_assert_false (write_file_run (wrong, NULL, &error));
      g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_ACCES);
      g_clear_error (&error);
      set_rules (reading, PROCFUN_SANDBOX_READ_ONLY, folder, other);
      procfun_call_set_executor (reading, executor);
      text = read_file_run (reading, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (text, ==, "text");
      set_rules (blind, PROCFUN_SANDBOX_READ_ONLY, folder, inside);
      procfun_call_set_executor (blind, executor);
      g_assert_null (read_file_run (blind, NULL, &error));
      g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_ACCES);
      close_executor (executor);
    }
  sandbox_remove_folder (folder);
  sandbox_remove_folder (other);
}

static void
test_missing_folder (void)
{
  ProcfunExecutor *executor = make_fork_server ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  set_rules (call, PROCFUN_SANDBOX_READ_ONLY, "/procfun-none", NULL);
  procfun_call_set_executor (call, executor);
  if (!skips_files ())
    {
      add_run (call, NULL, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX);
      g_assert_nonnull (strstr (error->message, "/procfun-none"));
      g_assert_cmpuint (procfun_call_get_sandbox (call), ==, PROCFUN_SANDBOX_NONE);
    }
  close_executor (executor);
}

static void
test_rules (void)
{
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();
  g_autoptr (ProcfunSandboxRules) copy = NULL;

  g_assert_false (procfun_sandbox_rules_get_best_effort (rules));
  g_assert_null (procfun_sandbox_rules_get_writable (rules)[0]);
  procfun_sandbox_rules_set_best_effort (rules, TRUE);
  procfun_sandbox_rules_add_writable (rules, "/tmp/./a/");
  procfun_sandbox_rules_add_readable (rules, "/usr");
  procfun_sandbox_rules_add_readable (rules, "/etc");
  copy = procfun_sandbox_rules_copy (rules);
  g_assert_true (procfun_sandbox_rules_get_best_effort (copy));
  g_assert_cmpstr (procfun_sandbox_rules_get_writable (copy)[0], ==, "/tmp/a");
  g_assert_null (procfun_sandbox_rules_get_writable (copy)[1]);
  g_assert_cmpstr (procfun_sandbox_rules_get_readable (copy)[1], ==, "/etc");
  g_assert_null (procfun_sandbox_rules_get_readable (copy)[2]);
}

/* Which of several sandboxes counts */

static void
test_definition (void)
{
  char *folder;
  g_autofree char *path = NULL;

  if (skips_files ())
    return;
  folder = sandbox_make_folder ();
  path = g_build_filename (folder, "file", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      ProcfunExecutor *executor = executors[i].make ();
      g_autoptr (ProcfunCall) call = shut_in_call (path);
      g_autoptr (ProcfunCall) looking = look_only_call (path);
      g_autoptr (ProcfunCall) plain = add_call (1, 2);
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      procfun_call_set_sandbox (call, PROCFUN_SANDBOX_NONE);
      g_assert_cmpint (shut_in_run (call, NULL, &error), ==, -EACCES);
      g_assert_no_error (error);
      g_assert_cmpuint (procfun_call_get_sandbox (call), ==, PROCFUN_SANDBOX_PURE_COMPUTE);
      procfun_call_set_executor (looking, executor);
      g_assert_false (look_only_run (looking, NULL, &error));
      g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_ACCES);
      g_clear_error (&error);
      procfun_call_set_executor (plain, executor);
      g_assert_cmpint (add_run (plain, NULL, &error), ==, 3);
      g_assert_no_error (error);
      g_assert_cmpuint (procfun_call_get_sandbox (plain), ==, PROCFUN_SANDBOX_NONE);
      close_executor (executor);
    }
  g_assert_cmpuint (procfun_function_get_sandbox (shut_in_function ()), ==,
                    PROCFUN_SANDBOX_PURE_COMPUTE);
  g_assert_cmpuint (procfun_function_get_sandbox (look_only_function ()), ==,
                    PROCFUN_SANDBOX_READ_ONLY);
  g_assert_cmpuint (procfun_function_get_sandbox (add_function ()), ==, PROCFUN_SANDBOX_NONE);
  sandbox_remove_folder (folder);
}

static void
test_inline (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());
  g_autoptr (ProcfunCall) call = shut_in_call ("/");
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  shut_in_run (call, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
}

static void
test_executor_property (void)
{
  ProcfunExecutor *executor = make_fork_server ();
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();
  g_autoptr (ProcfunSandboxRules) got = NULL;
  ProcfunSandbox sandbox;

  procfun_sandbox_rules_add_writable (rules, "/tmp");
  g_object_set (executor, "sandbox", PROCFUN_SANDBOX_READ_ONLY, "sandbox-rules", rules, NULL);
  g_object_get (executor, "sandbox", &sandbox, "sandbox-rules", &got, NULL);
  g_assert_cmpuint (sandbox, ==, PROCFUN_SANDBOX_READ_ONLY);
  g_assert_cmpstr (procfun_sandbox_rules_get_writable (got)[0], ==, "/tmp");
  close_executor (executor);
}

#define add_level_test(path, level)                                                                \
  fixture_add_data_func (path, GUINT_TO_POINTER (level), test_escapes)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/sandbox/the table of escapes has no name twice", test_table);
  add_level_test ("/sandbox/no new rights are gained", PROCFUN_SANDBOX_NO_NEW_PRIVS);
  add_level_test ("/sandbox/no network is reached", PROCFUN_SANDBOX_NO_NETWORK);
  add_level_test ("/sandbox/no file is changed", PROCFUN_SANDBOX_READ_ONLY);
  add_level_test ("/sandbox/a function that computes reaches nothing",
                  PROCFUN_SANDBOX_PURE_COMPUTE);
  fixture_add_func ("/sandbox/a function can compute", test_compute);
  fixture_add_func ("/sandbox/a passed descriptor can be read", test_descriptor);
  fixture_add_func ("/sandbox/a refused system call is named", test_names);
  fixture_add_func ("/sandbox/listed folders are left", test_folders);
  fixture_add_func ("/sandbox/a listed folder that is missing is an error", test_missing_folder);
  fixture_add_func ("/sandbox/rules are copied", test_rules);
  fixture_add_func ("/sandbox/a definition has the last word", test_definition);
  fixture_add_func ("/sandbox/a sandbox needs a process", test_inline);
  fixture_add_func ("/sandbox/an executor has a sandbox", test_executor_property);
  sandbox_add_other_user ("/sandbox/the same holds for a user without rights");
  return fixture_run ();
}
