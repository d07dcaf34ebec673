/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Executors after the program has forked itself, or changed what its processes inherit. */

#include "procfun/platform/inherited-state.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (get_user, gint) { return (gint)geteuid (); }
PROCFUN_DEFINE_STATIC_FUNCTION (count_groups, gint) { return getgroups (0, NULL); }
PROCFUN_DEFINE_STATIC_FUNCTION (get_no_new_privs, gint)
{
  return prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_namespace, guint64, (const char *, name))
{
  g_autofree char *path = g_build_filename ("/proc/self/ns", name, NULL);
  struct stat st;

  return stat (path, &st) == 0 ? st.st_ino : 0;
}

/* Executors that keep something */

typedef ProcfunExecutor *(*MakeFunc) (void);

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static const struct
{
  const char *name;
  MakeFunc make;
} kinds[]
    = { { "pool", make_pool }, { "fork-server", make_fork_server }, { "spawner", make_spawner } };

static gint
call (ProcfunExecutor *executor, ProcfunCall *to_run)
{
  G_GNUC_UNUSED g_autoptr (ProcfunCall) owned = to_run;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (to_run, executor);
  result = procfun_call_run (to_run, NULL, &error);
  g_assert_no_error (error);
  return g_variant_get_int32 (result);
}

static void
test_fork_keeps_results_apart (gconstpointer kind)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)kind) ();
  gint mine = 1;
  pid_t pid;

  call (executor, add_call (0, 0));
  pid = fixture_fork ();
  if (pid == 0)
    mine = 1000;
  for (gint i = 0; i < 50; i++)
    g_assert_cmpint (call (executor, add_call (mine, i)), ==, mine + i);
  if (pid == 0)
    {
      g_object_unref (executor);
      fixture_exit_fork (TRUE);
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpint (call (executor, add_call (1, 2)), ==, 3);
}

static void
test_fork_leaves_worker (void)
{
  g_autoptr (ProcfunExecutor) executor = make_pool ();
  gint worker = call (executor, get_process_id_call ());
  pid_t pid = fixture_fork ();

  if (pid == 0)
    {
      gboolean differs = call (executor, get_process_id_call ()) != worker;

      procfun_executor_close (executor, NULL, NULL);
      g_object_unref (executor);
      fixture_exit_fork (differs);
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpint (call (executor, get_process_id_call ()), ==, worker);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* A call of the parent is aborted, and its executor closed, in the child. */
static void
test_fork_leaves_call (gconstpointer kind)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)kind) ();
  g_autoptr (ProcfunCall) running = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  int text[2];
  pid_t pid;

  g_assert_no_errno (pipe2 (text, O_CLOEXEC));
  running = read_all_call (text[0]);
  procfun_call_set_executor (running, executor);
  procfun_call_run_async (running, NULL, keep_result, &result);
  while (procfun_call_get_state (running) != PROCFUN_CALL_RUNNING)
    g_main_context_iteration (NULL, FALSE);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (NULL, FALSE);
  pid = fixture_fork ();
  if (pid == 0)
    {
      gboolean closed;

      procfun_call_abort (running);
      closed = procfun_executor_close (executor, NULL, NULL);
      while (result == NULL)
        g_main_context_iteration (NULL, TRUE);
      procfun_call_run_finish (running, result, &error);
      fixture_exit_fork (closed
                         && g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST));
    }
  fixture_wait_for_fork (pid);
  close (text[0]);
  g_assert_cmpint (write (text[1], "words", 5), ==, 5);
  close (text[1]);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  value = procfun_call_run_finish (running, result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "words");
}

static void
test_fork_leaves_session (void)
{
  g_autoptr (ProcfunExecutor) executor = make_pool ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunCall) any = get_process_id_call ();
  g_autoptr (ProcfunSession) session = procfun_pool_acquire (
      PROCFUN_POOL (executor), procfun_call_get_function (any), NULL, &error);
  gint worker;
  pid_t pid;

  g_assert_no_error (error);
  worker = call (PROCFUN_EXECUTOR (session), get_process_id_call ());
  pid = fixture_fork ();
  if (pid == 0)
    {
      g_autoptr (ProcfunCall) refused = get_process_id_call ();

      procfun_call_set_executor (refused, PROCFUN_EXECUTOR (session));
      procfun_call_run (refused, NULL, &error);
      g_object_unref (session);
      fixture_exit_fork (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST));
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpint (call (PROCFUN_EXECUTOR (session), get_process_id_call ()), ==, worker);
}

/* Changes */

static void
test_folder (gconstpointer kind)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)kind) ();
  g_autofree char *before = g_get_current_dir ();

  call (executor, add_call (1, 2));
  g_assert_no_errno (chdir ("/"));
  calls_assert_result (executor, get_folder_call (), FALSE, "'/'");
  g_assert_no_errno (chdir ("/proc"));
  calls_assert_result (executor, get_folder_call (), FALSE, "'/proc'");
  g_assert_no_errno (chdir (before));
}

static void
test_renew (gconstpointer kind)
{
  g_autoptr (ProcfunExecutor) executor = ((MakeFunc)kind) ();

  g_unsetenv ("TEST_INHERITED");
  calls_assert_result (executor, get_variable_call ("TEST_INHERITED"), FALSE, "@ms nothing");
  g_setenv ("TEST_INHERITED", "new", TRUE);
  procfun_process_executor_renew (PROCFUN_PROCESS_EXECUTOR (executor));
  calls_assert_result (executor, get_variable_call ("TEST_INHERITED"), FALSE, "@ms 'new'");
  g_unsetenv ("TEST_INHERITED");
}

/* Rights that a program gives up, in a process of its own that cannot get them back. */
static void
give_up_user (ProcfunExecutor *executor)
{
  g_assert_no_errno (setgid (65534));
  g_assert_no_errno (setuid (65534));
  g_assert_cmpint (call (executor, get_user_call ()), ==, 65534);
}

static void
give_up_groups (ProcfunExecutor *executor)
{
  const gid_t groups[] = { 65534, 65533, 65532 };

  for (gsize i = 0; i < 5; i++)
    {
      g_assert_no_errno (setgroups (G_N_ELEMENTS (groups), groups));
      procfun_process_executor_renew (PROCFUN_PROCESS_EXECUTOR (executor));
      g_assert_cmpint (call (executor, count_groups_call ()), ==, 3);
      g_assert_no_errno (setgroups (0, groups));
      g_usleep (2000); /* longer than such changes may go unseen */
      g_assert_cmpint (call (executor, count_groups_call ()), ==, 0);
    }
}

static void
give_up_new_privileges (ProcfunExecutor *executor)
{
  g_assert_no_errno (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  g_usleep (2000);
  g_assert_cmpint (call (executor, get_no_new_privs_call ()), ==, 1);
}

/* It kills itself when all is well. */
static void
wait_for_kill (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* As a daemon does; and with the working directory left where it was, in the new root and out of
 * it. */
static void
test_root (void)
{
  static const char *const folders[][2] = { { "/", "/" }, { "/usr", NULL }, { "/", NULL } };

  if (geteuid () != 0)
    {
      g_test_skip ("only root can change the root");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      pid_t pid = fixture_fork ();
      guint before;

      if (pid != 0)
        {
          wait_for_kill (pid);
          continue;
        }
      g_assert_no_errno (chdir (folders[i][0]));
      before = inherited_state_get (g_get_monotonic_time ());
      g_assert_cmpuint (inherited_state_get (g_get_monotonic_time ()), ==, before);
      g_assert_no_errno (chroot ("/usr"));
      if (folders[i][1] != NULL)
        g_assert_no_errno (chdir (folders[i][1]));
      g_assert_cmpuint (inherited_state_get (g_get_monotonic_time ()), !=, before);
      raise (SIGKILL); /* there is no other program in that root, and no look for leaks then */
    }
}

/* The working directory is renamed, and another one has its path. */
static void
check_replaced (gint64 now)
{
  guint before;

  g_assert_no_errno (mkdir ("work", 0700));
  g_assert_no_errno (chdir ("work"));
  before = inherited_state_look (now);
  g_assert_no_errno (rename ("../work", "../old"));
  g_assert_no_errno (mkdir ("../work", 0700));
  g_assert_no_errno (chdir ("../work"));
  g_assert_cmpuint (inherited_state_get (now), !=, before);
  g_assert_no_errno (chdir (".."));
  g_assert_no_errno (rmdir ("work"));
  g_assert_no_errno (rmdir ("old"));
}

/* All at the same time, so that only what is looked at each time is seen. */
static void
check_identity (void)
{
  const gint64 now = g_get_monotonic_time ();
  const uid_t nobody = 65534, other = 65533;
  guint before = inherited_state_look (now);

  g_assert_no_errno (seteuid (nobody));
  g_assert_cmpuint (inherited_state_get (now), !=, before);
  before = inherited_state_get (now);
  g_assert_no_errno (seteuid (0));
  g_assert_cmpuint (inherited_state_get (now), !=, before);
  g_assert_no_errno (setresgid (nobody, nobody, nobody));
  g_assert_no_errno (setresuid (nobody, nobody, other)); /* nothing is left of root */
  before = inherited_state_look (now);
  g_assert_no_errno (seteuid (other));
  g_assert_cmpuint (inherited_state_get (now), !=, before);
  g_assert_no_errno (setresuid (nobody, nobody, nobody));
  before = inherited_state_look (now);
  g_assert_cmpint (setresuid (0, 0, 0), ==, -1);
  g_assert_cmpuint (inherited_state_get (now), ==, before);
  check_replaced (now);
  before = inherited_state_look (now);
  g_assert_no_errno (chdir ("/usr"));
  g_assert_cmpuint (inherited_state_get (now), !=, before);
}

static void
test_identity (void)
{
  g_autofree char *folder = NULL;
  pid_t pid;

  if (geteuid () != 0)
    {
      g_test_skip ("only root can change its user");
      return;
    }
  folder = g_dir_make_tmp ("procfun-test-XXXXXX", NULL);
  g_assert_nonnull (folder);
  pid = fixture_fork ();
  if (pid == 0)
    {
      g_assert_no_errno (chown (folder, 65534, 65534));
      g_assert_no_errno (chdir (folder));
      check_identity ();
      raise (SIGKILL); /* who has no rights cannot look for leaks */
    }
  wait_for_kill (pid);
  g_assert_no_errno (rmdir (folder));
}

/* In a thread of its own, whose privilege it is. @waited: in µs, of which @counted do not count.
 * The wait has begun before the look, as one has in which a process was started. */
static gpointer
change_after_wait (gpointer times)
{
  const gint64 waited = ((const gint64 *)times)[0], counted = ((const gint64 *)times)[1];
  const gint64 now = g_get_monotonic_time ();
  const guint before = inherited_state_look (now);

  inherited_state_note_wait (now - G_USEC_PER_SEC, now + waited);
  g_assert_no_errno (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  g_assert_cmpuint (inherited_state_get (now + counted + 999), ==, before);
  g_assert_cmpuint (inherited_state_get (now + counted + 1000), !=, before);
  return NULL;
}

static void
test_waits (void)
{
  static const gint64 times[][2] = { { 0, 0 }, { 50000, 50000 }, { G_USEC_PER_SEC, 100000 } };

  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    g_thread_join (g_thread_new ("waits", change_after_wait, (gpointer)times[i]));
}

static void
check_namespace (ProcfunExecutor *executor, int kind, const char *name)
{
  const guint64 before = get_namespace (name);
  g_autofree char *expected = NULL;

  g_assert_no_errno (unshare (kind));
  g_assert_cmpuint (get_namespace (name), !=, before);
  expected = g_strdup_printf ("uint64 %" G_GUINT64_FORMAT, get_namespace (name));
  g_usleep (2000); /* longer than such changes may go unseen */
  calls_assert_result (executor, get_namespace_call (name), FALSE, expected);
}

static void
change_mount_namespace (ProcfunExecutor *executor)
{
  check_namespace (executor, CLONE_NEWNS, "mnt");
}

static void
change_network_namespace (ProcfunExecutor *executor)
{
  check_namespace (executor, CLONE_NEWNET, "net");
}

/* Its first processes have the first numbers there. */
static void
change_pid_namespace (ProcfunExecutor *executor)
{
  g_assert_no_errno (unshare (CLONE_NEWPID));
  g_usleep (2000);
  g_assert_cmpint (call (executor, get_process_id_call ()), <, 10);
}

/* The process of a call that runs then may not be killed by this one. */
static void
give_up_user_of_call (ProcfunExecutor *executor)
{
  g_autoptr (ProcfunCall) running = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  int text[2];

  g_assert_no_errno (pipe2 (text, O_CLOEXEC));
  running = read_all_call (text[0]);
  procfun_call_set_executor (running, executor);
  procfun_call_run_async (running, NULL, keep_result, &result);
  while (procfun_call_get_pid (running) <= 0)
    g_main_context_iteration (NULL, FALSE);
  g_assert_no_errno (setgid (65534));
  g_assert_no_errno (setuid (65534));
  procfun_call_abort (running);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (procfun_call_run_finish (running, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (call (executor, get_user_call ()), ==, 65534);
}

static void
test_given_up (gconstpointer give_up)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root can give something up");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (ProcfunExecutor) executor = kinds[i].make ();
      pid_t pid = fixture_fork ();

      if (pid != 0)
        {
          fixture_wait_for_fork (pid);
          continue;
        }
      call (executor, add_call (1, 2));
      call (executor, add_call (1, 2));
      ((void (*) (ProcfunExecutor *))give_up) (executor);
      g_object_unref (executor);
      fixture_exit_fork (TRUE);
    }
}

static void
test_namespace (gconstpointer change)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    fixture_exit_fork (unshare (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) == 0);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (status == 0)
    test_given_up (change);
  else
    g_test_skip ("this process may not make namespaces");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const struct
      {
        const char *path;
        GTestDataFunc func;
      } tests[] = { { "fork-keeps-results-apart", test_fork_keeps_results_apart },
                    { "fork-leaves-call", test_fork_leaves_call },
                    { "change-of-folder-reaches-calls", test_folder },
                    { "renew-starts-new-processes", test_renew } };

      for (gsize j = 0; j < G_N_ELEMENTS (tests); j++)
        {
          g_autofree char *path
              = g_strdup_printf ("/inherited/%s/%s", kinds[i].name, tests[j].path);

          fixture_add_data_func (path, kinds[i].make, tests[j].func);
        }
    }
  fixture_add_func ("/inherited/fork-leaves-worker", test_fork_leaves_worker);
  fixture_add_func ("/inherited/fork-leaves-session", test_fork_leaves_session);
  fixture_add_data_func ("/inherited/calls-run-as-the-new-user", give_up_user, test_given_up);
  fixture_add_data_func ("/inherited/calls-of-the-old-user-do-not-hold-up-their-end",
                         give_up_user_of_call, test_given_up);
  fixture_add_data_func ("/inherited/calls-have-the-new-groups", give_up_groups, test_given_up);
  fixture_add_data_func ("/inherited/calls-have-no-privileges-that-were-given-up",
                         give_up_new_privileges, test_given_up);
  fixture_add_func ("/inherited/another-root-is-seen", test_root);
  fixture_add_func ("/inherited/user-and-folder-are-seen-at-once", test_identity);
  fixture_add_func ("/inherited/time-in-calls-hides-no-change-for-long", test_waits);
  fixture_add_data_func ("/inherited/calls-are-in-the-new-mount-namespace", change_mount_namespace,
                         test_namespace);
  fixture_add_data_func ("/inherited/calls-are-in-the-new-network-namespace",
                         change_network_namespace, test_namespace);
  fixture_add_data_func ("/inherited/calls-are-in-the-new-pid-namespace", change_pid_namespace,
                         test_namespace);
  return fixture_run ();
}
