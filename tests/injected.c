/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* injected EXECUTOR: calls functions while tests/inject-shim.c makes system calls fail, and looks
 * that each call ends with its result or with an error of the library, that the executor works
 * again afterwards, and that nothing is left. Exits with 0, or says what was wrong. */

#include <dirent.h>
#include <dlfcn.h>
#include <procfun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((gsize)200 * 1024)

/* How long what ends moments after a call may take. */
#define PATIENCE_US (3 * G_USEC_PER_SEC)

PROCFUN_DEFINE_FUNCTION (sum, gint, (gint, a), (gint, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (pass, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

PROCFUN_DEFINE_FUNCTION (crash, void) { *(volatile int *)NULL = 1; }

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (refuse, gint, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "refused");
  return 0;
}

static const char *step = "";

static void
stop (const char *what, const char *more)
{
  fprintf (stderr, "%s: %s%s%s\n", step, what, more != NULL ? ": " : "", more != NULL ? more : "");
  fflush (stderr);
  _Exit (3);
}

static void
set_active (int is_active)
{
  void (*func) (int) = (void (*) (int))dlsym (RTLD_DEFAULT, "inject_set_active");

  if (func != NULL)
    func (is_active);
}

/* After a failure, processes that were forked ahead may be bad, and new ones are put off for a
 * moment. */
#define TRIES 40
#define TRY_STEP_US 50000

/* A step that takes longer hangs, and is ended by SIGALRM. */
#define STEP_MAX_S 10

static void
begin_step (const char *name)
{
  step = name;
  alarm (STEP_MAX_S);
}

/* @may_fail: an error of the library will do. */
static void
check (gboolean is_right, GError *error, gboolean may_fail)
{
  if (error == NULL && is_right)
    return;
  if (error == NULL)
    stop ("wrong result and no error", NULL);
  if (!may_fail)
    stop ("failed when nothing failed any more", error->message);
  if (error->domain != PROCFUN_ERROR || error->message[0] == '\0')
    stop (g_quark_to_string (error->domain), error->message);
  g_error_free (error);
}

static void
check_own_error (GError *error, GQuark domain, int code, gboolean may_fail)
{
  if (error != NULL && g_error_matches (error, domain, code))
    g_error_free (error);
  else
    check (FALSE, error, may_fail);
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
run_async (ProcfunExecutor *executor, gboolean may_fail)
{
  g_autoptr (ProcfunCall) call = sum_call (4, 5);
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;
  int number;

  begin_step ("async call");
  procfun_call_set_executor (call, executor);
  sum_run_async (call, NULL, on_end, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  number = sum_run_finish (call, result, &error);
  check (number == 9, error, may_fail);
}

static void
run_large (ProcfunExecutor *executor, gboolean may_fail)
{
  g_autofree guint8 *data = g_malloc (LARGE);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) same = NULL;
  GError *error = NULL;

  begin_step ("large call");
  memset (data, 'x', LARGE);
  bytes = g_bytes_new_take (g_steal_pointer (&data), LARGE);
  same = pass_process_with (bytes, executor, NULL, &error);
  check (same != NULL && g_bytes_equal (bytes, same), error, may_fail);
}

static void
run_small (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;
  int number;

  begin_step ("call");
  number = sum_process_with (2, 3, executor, NULL, &error);
  check (number == 5, error, may_fail);
}

static void
run_again (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  begin_step ("call when nothing fails any more");
  for (guint i = 0; i < TRIES; i++)
    {
      g_clear_error (&error);
      if (sum_process_with (2, 3, executor, NULL, &error) == 5 && error == NULL)
        return;
      g_usleep (TRY_STEP_US);
    }
  stop ("fails", error != NULL ? error->message : NULL);
}

static void
run_refusal (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;

  begin_step ("call that fails");
  refuse_process_with (7, executor, NULL, &error);
  check_own_error (error, G_FILE_ERROR, 7, may_fail);
}

static void
run_crash (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;

  begin_step ("call that crashes");
  crash_process_with (executor, NULL, &error);
  check_own_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, may_fail);
}

static ProcfunExecutor *
make_executor (const char *kind)
{
  if (g_str_equal (kind, "spawner"))
    return PROCFUN_EXECUTOR (procfun_spawner_new ());
  if (g_str_equal (kind, "pool"))
    return PROCFUN_EXECUTOR (procfun_pool_new (2));
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static void
close_executor (ProcfunExecutor *executor)
{
  GError *error = NULL;

  begin_step ("close");
  check (procfun_executor_close (executor, NULL, &error), error, TRUE);
}

/* Leftovers */

static guint
count_entries (const char *path)
{
  DIR *dir = opendir (path);
  guint n = 0;

  while (dir != NULL && readdir (dir) != NULL)
    n++;
  if (dir != NULL)
    closedir (dir);
  return n;
}

static gboolean
has_children (void)
{
  g_autofree char *text = NULL;
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int)getpid ());

  return g_file_get_contents (path, &text, NULL, NULL) && text[0] != '\0';
}

static void
check_leftovers (guint n_fds, guint n_threads)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE_US;

  begin_step ("leftovers");
  while (has_children () || count_entries ("/proc/self/fd") > n_fds
         || count_entries ("/proc/self/task") > n_threads)
    {
      if (g_get_monotonic_time () > end)
        stop (has_children ()                           ? "a process"
              : count_entries ("/proc/self/fd") > n_fds ? "a descriptor"
                                                        : "a thread",
              NULL);
      g_usleep (2000);
    }
}

int
main (int argc, char **argv)
{
  const char *kind = argc > 1 ? argv[1] : "pool";
  ProcfunExecutor *executor = make_executor ("spawner");
  guint n_fds, n_threads;

  run_async (executor, FALSE);
  close_executor (executor);
  g_object_unref (executor);
  n_fds = count_entries ("/proc/self/fd");
  n_threads = count_entries ("/proc/self/task");

  executor = make_executor (kind);
  set_active (1);
  if (g_str_equal (kind, "crash"))
    run_crash (executor, TRUE);
  else
    {
      run_small (executor, TRUE);
      run_async (executor, TRUE);
      run_large (executor, TRUE);
      run_refusal (executor, TRUE);
    }
  set_active (0);
  run_again (executor);
  set_active (1);
  close_executor (executor);
  g_object_unref (executor);
  set_active (0);
  check_leftovers (n_fds, n_threads);
  return 0;
}
