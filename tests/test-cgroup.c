/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/limits.h"
#include "procfun/platform/cgroup.h"
#include "procfun/procfun-error.h"
#include "tests/fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A kernel of files, which gives nothing but what a test has put there */

static char *fake;

static char *
in_fake (const char *path)
{
  return g_build_filename (fake, path, NULL);
}

static void
put (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = in_fake (folder);
  g_autofree char *file = g_build_filename (path, name, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
  g_file_set_contents (file, text, -1, &error);
  g_assert_no_error (error);
}

static char *
get (const char *folder, const char *name)
{
  g_autofree char *path = in_fake (folder);

  return cgroup_read (path, name);
}

static void
put_group (const char *folder, const char *available, const char *enabled, const char *pids)
{
  put (folder, "cgroup.controllers", available);
  put (folder, "cgroup.subtree_control", enabled);
  put (folder, "cgroup.procs", pids);
  if (strcmp (folder, "/sys/fs/cgroup") != 0)
    put (folder, "cgroup.type", "domain\n");
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_remove (path);
}

static void
begin_fake (const char *path, gboolean systemd)
{
  g_autofree char *line = g_strdup_printf ("1:cpu:/elsewhere\n0::%s\n", path);

  fake = g_build_filename (g_get_tmp_dir (), "fake", NULL);
  put ("/proc/self", "cgroup", line);
  put ("/proc/self", "mountinfo",
       "22 1 0:20 / /proc rw shared:5 - proc proc rw\n"
       "23 1 0:21 / /sys/fs/cgroup rw,nosuid shared:6 - cgroup2 cgroup2 rw,nsdelegate\n");
  if (systemd)
    put ("/run/systemd/system", "units", "");
}

static void
end_fake (void)
{
  remove_tree (fake);
  g_clear_pointer (&fake, g_free);
}

static void
assert_place (const char *folder, CgroupControllers controllers)
{
  g_autoptr (CgroupPlace) place = cgroup_place_find (fake);
  g_autofree char *path = folder != NULL ? in_fake (folder) : NULL;

  if (folder == NULL)
    {
      g_assert_null (place);
      return;
    }
  g_assert_nonnull (place);
  g_assert_cmpstr (place->folder, ==, path);
  g_assert_cmpint (place->controllers, ==, controllers);
}

static char *
own_pid (void)
{
  return g_strdup_printf ("%d\n", (int)getpid ());
}

/* Places for a group */

static void
test_place_above_leaf (void)
{
  begin_fake ("/app/leaf", FALSE);
  put_group ("/sys/fs/cgroup/app", "cpu memory pids\n", "cpu memory pids\n", "");
  put_group ("/sys/fs/cgroup/app/leaf", "cpu memory pids\n", "", "1\n");
  assert_place ("/sys/fs/cgroup/app", CGROUP_MEMORY | CGROUP_PIDS);
  put_group ("/sys/fs/cgroup/app", "cpu pids\n", "cpu pids\n", "");
  assert_place ("/sys/fs/cgroup/app", CGROUP_PIDS);
  put_group ("/sys/fs/cgroup/app", "cpu\n", "cpu\n", "");
  put_group ("/sys/fs/cgroup/app/leaf", "cpu\n", "", "");
  assert_place (NULL, 0);
  end_fake ();
}

static void
test_place_enables (void)
{
  g_autofree char *written = NULL;

  begin_fake ("/app/leaf", FALSE);
  put_group ("/sys/fs/cgroup/app", "cpu memory pids\n", "cpu\n", "");
  put_group ("/sys/fs/cgroup/app/leaf", "cpu\n", "", "1\n");
  assert_place (NULL, 0); /* this kernel does not do what it is told */
  written = get ("/sys/fs/cgroup/app", "cgroup.subtree_control");
  g_assert_cmpstr (written, ==, "+memory +pids ");
  end_fake ();
}

static void
test_place_top (void)
{
  begin_fake ("/", FALSE);
  put_group ("/sys/fs/cgroup", "cpu memory\n", "memory\n", "1\n2\n");
  assert_place ("/sys/fs/cgroup", CGROUP_MEMORY);
  put_group ("/sys/fs/cgroup", "hugetlb\n", "", "1\n");
  assert_place (NULL, 0);
  end_fake ();
}

/* systemd says which groups it has given away. */
static void
test_place_of_systemd (void)
{
  g_autofree char *app = NULL;

  begin_fake ("/app/leaf", TRUE);
  put_group ("/sys/fs/cgroup/app", "memory pids\n", "memory pids\n", "");
  put_group ("/sys/fs/cgroup/app/leaf", "memory pids\n", "", "1\n");
  assert_place (NULL, 0);
  app = in_fake ("/sys/fs/cgroup/app");
  if (setxattr (app, "user.delegate", "1", 1, 0) != 0)
    g_test_skip ("the file system of temporary files has no attributes");
  else
    assert_place ("/sys/fs/cgroup/app", CGROUP_MEMORY | CGROUP_PIDS);
  end_fake ();
}

/* A group with processes cannot have groups with controllers. */
static void
test_place_moves_out_of_the_way (void)
{
  g_autofree char *pid = own_pid ();
  g_autofree char *moved = NULL;

  begin_fake ("/scope", FALSE);
  put_group ("/sys/fs/cgroup", "cpu\n", "", "");
  put_group ("/sys/fs/cgroup/scope", "memory pids\n", "memory pids\n", pid);
  assert_place ("/sys/fs/cgroup/scope", CGROUP_MEMORY | CGROUP_PIDS);
  moved = get ("/sys/fs/cgroup/scope/procfun-host", "cgroup.procs");
  g_assert_cmpstr (g_strchomp (moved), ==, g_strchomp (pid));
  end_fake ();
}

static void
test_place_moves_nobody_else (void)
{
  g_autofree char *pid = own_pid ();
  g_autofree char *pids = g_strconcat (pid, "1\n", NULL);
  g_autofree char *moved = NULL;

  begin_fake ("/scope", FALSE);
  put_group ("/sys/fs/cgroup", "cpu\n", "", "");
  put_group ("/sys/fs/cgroup/scope", "memory pids\n", "memory pids\n", pids);
  put ("/proc/1", "stat", "1 (in) it) S 0 1 1 0 -1\n");
  assert_place (NULL, 0);
  moved = get ("/sys/fs/cgroup/scope/procfun-host", "cgroup.procs");
  g_assert_null (moved);
  end_fake ();
}

static void
test_place_moves_descendants (void)
{
  g_autofree char *pid = own_pid ();
  g_autofree char *pids = g_strconcat (pid, "4712\n4711\n", NULL);
  g_autofree char *stat = g_strdup_printf ("4711 (a b) c) S %d 1 1 0 -1\n", (int)getpid ());
  g_autofree char *moved = NULL;

  begin_fake ("/scope", FALSE);
  put_group ("/sys/fs/cgroup", "cpu\n", "", "");
  put_group ("/sys/fs/cgroup/scope", "memory pids\n", "memory pids\n", pids);
  put ("/proc/4711", "stat", stat);
  put ("/proc/4712", "stat", "4712 (d) S 4711 1 1 0 -1\n");
  assert_place ("/sys/fs/cgroup/scope", CGROUP_MEMORY | CGROUP_PIDS);
  moved = get ("/sys/fs/cgroup/scope/procfun-host", "cgroup.procs");
  g_assert_cmpstr (moved, ==, "4711"); /* the last one */
  end_fake ();
}

/* A call inside of a call must not leave the outer one's group. */
static void
test_place_in_call (void)
{
  begin_fake ("/app/procfun-12-3", FALSE);
  put_group ("/sys/fs/cgroup/app", "memory pids\n", "memory pids\n", "");
  put_group ("/sys/fs/cgroup/app/procfun-12-3", "memory pids\n", "", "1\n");
  assert_place (NULL, 0);
  end_fake ();
  begin_fake ("/app/procfun-host", FALSE);
  put_group ("/sys/fs/cgroup/app", "memory pids\n", "memory pids\n", "");
  put_group ("/sys/fs/cgroup/app/procfun-host", "memory pids\n", "", "1\n");
  assert_place ("/sys/fs/cgroup/app", CGROUP_MEMORY | CGROUP_PIDS);
  end_fake ();
}

static void
test_place_mounts (void)
{
  static const struct
  {
    const char *path;
    const char *mountinfo;
    const char *folder;
  } cases[] = {
    { "/a/b/leaf", "2 1 0:2 /a /mnt/x\\040y rw - cgroup2 cgroup2 rw\n", "/mnt/x y/b" },
    { "/c/leaf", "2 1 0:2 /a /mnt/x\\040y rw - cgroup2 cgroup2 rw\n", NULL },
    { "/../leaf", "2 1 0:2 / /mnt/x\\040y rw - cgroup2 cgroup2 rw\n", NULL },
    { "/b/leaf", "2 1 0:2 / /mnt/x\\040y rw - cgroup cgroup rw,memory\n", NULL },
    { "/b/leaf", "2 1 0:2 / /mnt/x\\040y rw a:1 b:2 - cgroup2 cgroup2 rw\n", "/mnt/x y/b" },
    { "/b/leaf", "garbage\n - cgroup2 \n", NULL },
    { "/b/leaf", "", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      begin_fake (cases[i].path, FALSE);
      put ("/proc/self", "mountinfo", cases[i].mountinfo);
      put_group ("/mnt/x y/b", "memory\n", "memory\n", "");
      put_group ("/mnt/x y/b/leaf", "memory\n", "", "1\n");
      assert_place (cases[i].folder, CGROUP_MEMORY);
      end_fake ();
    }
}

static void
test_place_without_v2 (void)
{
  begin_fake ("/", FALSE);
  put ("/proc/self", "cgroup", "3:memory:/\n");
  assert_place (NULL, 0);
  end_fake ();
}

/* Settings of a group, and its answers */

static char *
get_only_group (const char *folder)
{
  g_autofree char *path = in_fake (folder);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  return g_build_filename (folder, g_dir_read_name (dir), NULL);
}

static void
assert_file (const char *folder, const char *name, const char *expected)
{
  g_autofree char *text = get (folder, name);

  g_assert_cmpstr (text, ==, expected);
}

static Cgroup *
make_group (const ProcfunLimits *limits, char **folder)
{
  g_autofree char *path = in_fake ("/groups");
  const CgroupPlace place = { path, CGROUP_MEMORY | CGROUP_PIDS };
  g_autoptr (GError) error = NULL;
  Cgroup *group;

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
  group = cgroup_new_in (&place, limits, &error);
  g_assert_no_error (error);
  *folder = get_only_group ("/groups");
  return group;
}

/* From what the processes in it have at that moment. */
static void
test_group_counts_anew (void)
{
  const ProcfunLimits limits = { .memory = 64 << 20 };
  const ProcfunLimits others = { .processes = 4 };
  g_autofree char *folder = NULL;
  g_autofree char *none = NULL;
  Cgroup *group;

  begin_fake ("/", FALSE);
  group = make_group (&limits, &folder);
  cgroup_suspend_memory (group);
  assert_file (folder, "memory.max", "max");
  cgroup_count_memory_anew (group);
  assert_file (folder, "memory.max", "max");
  put (folder, "memory.current", "1000\n");
  cgroup_count_memory_anew (group);
  assert_file (folder, "memory.max", "72352744");
  end_fake ();
  cgroup_free (group);
  g_clear_pointer (&folder, g_free);
  begin_fake ("/", FALSE);
  group = make_group (&others, &folder);
  cgroup_suspend_memory (group);
  cgroup_count_memory_anew (group);
  none = get (folder, "memory.max");
  g_assert_null (none);
  end_fake ();
  cgroup_free (group);
}

static void
test_group_is_told (void)
{
  const ProcfunLimits limits = { .memory = 64 << 20, .processes = 4 };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  Cgroup *group;

  begin_fake ("/", FALSE);
  group = make_group (&limits, &folder);
  assert_file (folder, "memory.max", "72351744"); /* 64 MiB, 1/64 of it, and 4 MiB */
  assert_file (folder, "memory.swap.max", "0");
  assert_file (folder, "memory.oom.group", "1");
  assert_file (folder, "pids.max", "4");
  g_assert_true (cgroup_limits_processes (group));
  g_assert_true (cgroup_add (group, 4711, &error));
  g_assert_no_error (error);
  assert_file (folder, "cgroup.procs", "4711");
  g_assert_true (cgroup_kill (group));
  assert_file (folder, "cgroup.kill", "1");
  end_fake ();
  cgroup_free (group);
}

static void
test_group_tells (void)
{
  const ProcfunLimits limits = { .memory = 64 << 20 };
  g_autofree char *folder = NULL;
  Cgroup *group;

  begin_fake ("/", FALSE);
  group = make_group (&limits, &folder);
  assert_file (folder, "pids.max", NULL);
  g_assert_false (cgroup_limits_processes (group));
  g_assert_false (cgroup_was_oom_killed (group));
  g_assert_cmpuint (cgroup_get_peak (group), ==, 0);
  g_assert_cmpuint (cgroup_get_refused_processes (group), ==, 0);
  put (folder, "memory.events", "low 0\nhigh 0\nmax 5\noom 1\noom_kill 0\noom_group_kill 0\n");
  g_assert_false (cgroup_was_oom_killed (group));
  put (folder, "memory.events", "low 0\nhigh 0\nmax 5\noom 1\noom_kill 2\noom_group_kill 1\n");
  put (folder, "memory.peak", "72351744\n");
  put (folder, "pids.events", "max 7\n");
  g_assert_true (cgroup_was_oom_killed (group));
  g_assert_cmpuint (cgroup_get_peak (group), ==, 72351744);
  g_assert_cmpuint (cgroup_get_refused_processes (group), ==, 7);
  end_fake ();
  cgroup_free (group);
}

/* A group that could not be removed is removed at the next occasion. A file stands for a process
 * that does not die. */
static void
test_group_removed_later (void)
{
  const ProcfunLimits limits = { .file_size = 1 };
  g_autofree char *folder = NULL;
  g_autofree char *path = NULL;
  g_autofree char *kill_file = NULL;
  Cgroup *group;

  begin_fake ("/", FALSE);
  group = make_group (&limits, &folder);
  path = in_fake (folder);
  kill_file = g_build_filename (path, "cgroup.kill", NULL);
  cgroup_free (group);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_unlink (kill_file);
  cgroup_make_files_for_tests (FALSE);
  g_free (folder);
  cgroup_free (make_group (&limits, &folder));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  cgroup_make_files_for_tests (TRUE);
  end_fake ();
}

/* Nothing is there but the folder: no limit is lost in silence. */
static void
test_group_refused (void)
{
  g_autofree char *path = NULL;
  const ProcfunLimits limits = { .processes = 4 };
  CgroupPlace place = { NULL, CGROUP_MEMORY | CGROUP_PIDS };
  g_autoptr (GError) error = NULL;

  begin_fake ("/", FALSE);
  path = in_fake ("/proc");
  place.folder = path;
  cgroup_make_files_for_tests (FALSE);
  g_assert_null (cgroup_new_in (&place, &limits, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX);
  g_assert_nonnull (strstr (error->message, "pids.max"));
  cgroup_make_files_for_tests (TRUE);
  end_fake ();
}

/* The kernel itself */

/* A folder in the real tree where a group can be made, controllers or not; NULL after a skip. */
static char *
find_real_folder (void)
{
  static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
  const CgroupPlace *place = cgroup_place_get ();

  if (place != NULL)
    return g_strdup (place->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *kill_file = g_build_filename (places[i], "cgroup.procs", NULL);
      g_autofree char *type = g_build_filename (places[i], "cgroup.controllers", NULL);

      if (g_access (kill_file, W_OK) == 0 && g_access (type, R_OK) == 0)
        return g_strdup (places[i]);
    }
  g_test_skip ("no control group (v2) can be made here");
  return NULL;
}

static GSubprocess *
start_shell (const char *script)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *shell
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                          "sh", "-c", script, NULL);

  g_assert_no_error (error);
  return shell;
}

/* Says that it may go on, and waits for a line. */
static void
let_go (GSubprocess *shell)
{
  char byte;

  g_assert_true (
      g_output_stream_write_all (g_subprocess_get_stdin_pipe (shell), "\n", 1, NULL, NULL, NULL));
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (shell), &byte, 1, NULL, NULL),
                   ==, 1);
}

/* A process with a session of its own, too. */
static void
test_real_kill (void)
{
  const ProcfunLimits limits = { 0 };
  g_autofree char *folder = find_real_folder ();
  const CgroupPlace place = { folder, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) shell = NULL;
  Cgroup *group;

  if (folder == NULL)
    return;
  cgroup_make_files_for_tests (FALSE);
  group = cgroup_new_in (&place, &limits, &error);
  g_assert_no_error (error);
  shell = start_shell ("read x; setsid sleep 1000 & sleep 1000 & echo; wait");
  g_assert_true (cgroup_add (group, atoi (g_subprocess_get_identifier (shell)), &error));
  g_assert_no_error (error);
  let_go (shell);
  while (fixture_count_processes () < 3) /* while one becomes another program, it is nobody */
    g_thread_yield ();
  if (!cgroup_kill (group))
    g_test_message ("this kernel cannot kill groups");
  g_subprocess_force_exit (shell);
  g_subprocess_wait (shell, NULL, &error);
  g_assert_no_error (error);
  cgroup_free (group);
  cgroup_make_files_for_tests (TRUE);
}

static void
assert_real_group_is_gone (const CgroupPlace *place)
{
  g_autofree char *name = g_strdup_printf ("procfun-%d-", (int)getpid ());
  g_autoptr (GDir) dir = g_dir_open (place->folder, 0, NULL);
  const char *entry;

  while ((entry = g_dir_read_name (dir)) != NULL)
    g_assert_false (g_str_has_prefix (entry, name));
}

/* Runs @script in a group with @text's limits, and gives the group after its end. */
static Cgroup *
run_in_group (const char *text, const char *script, GSubprocess **shell)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ProcfunLimits) limits = procfun_limits_new_from_string (text, NULL);
  Cgroup *group = cgroup_new_for_limits (limits, &error);

  g_assert_no_error (error);
  g_assert_nonnull (group);
  *shell = start_shell (script);
  g_assert_true (cgroup_add (group, atoi (g_subprocess_get_identifier (*shell)), &error));
  g_assert_no_error (error);
  let_go (*shell);
  g_subprocess_wait (*shell, NULL, &error);
  g_assert_no_error (error);
  return group;
}

static gboolean
skip_without (CgroupControllers controller)
{
  const CgroupPlace *place = cgroup_place_get ();

  if (place != NULL && (place->controllers & controller) != 0)
    return FALSE;
  g_test_skip ("no control group (v2) with this controller was given to this process");
  return TRUE;
}

static void
test_real_memory (void)
{
  g_autoptr (GSubprocess) shell = NULL;
  Cgroup *group;

  if (skip_without (CGROUP_MEMORY))
    return;
  cgroup_make_files_for_tests (FALSE);
  group = run_in_group ("memory=32M",
                        "read x; echo; head -c 100000000 /dev/zero | tail -c 100000000", &shell);
  g_assert_true (g_subprocess_get_if_signaled (shell));
  g_assert_cmpint (g_subprocess_get_term_sig (shell), ==, SIGKILL);
  g_assert_true (cgroup_was_oom_killed (group));
  g_test_message ("peak %" G_GUINT64_FORMAT, cgroup_get_peak (group));
  if (cgroup_get_peak (group) > 0) /* Linux 5.19 */
    g_assert_cmpuint (cgroup_get_peak (group), >, 32 << 20);
  cgroup_free (group);
  assert_real_group_is_gone (cgroup_place_get ());
  cgroup_make_files_for_tests (TRUE);
}

static void
test_real_processes (void)
{
  g_autoptr (GSubprocess) shell = NULL;
  Cgroup *group;

  if (skip_without (CGROUP_PIDS))
    return;
  cgroup_make_files_for_tests (FALSE);
  group = run_in_group ("processes=3",
                        "read x; echo; sleep 0 & sleep 0 & sleep 0 & sleep 0 & sleep 0 & wait",
                        &shell);
  g_assert_cmpuint (cgroup_get_refused_processes (group), >, 0);
  cgroup_free (group);
  assert_real_group_is_gone (cgroup_place_get ());
  cgroup_make_files_for_tests (TRUE);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  cgroup_make_files_for_tests (TRUE);

  fixture_add_func ("/cgroup/place-is-above-own-leaf", test_place_above_leaf);
  fixture_add_func ("/cgroup/controllers-are-switched-on", test_place_enables);
  fixture_add_func ("/cgroup/place-may-be-the-top", test_place_top);
  fixture_add_func ("/cgroup/systemd-says-what-it-delegates", test_place_of_systemd);
  fixture_add_func ("/cgroup/process-moves-out-of-the-way", test_place_moves_out_of_the_way);
  fixture_add_func ("/cgroup/strangers-are-not-moved", test_place_moves_nobody_else);
  fixture_add_func ("/cgroup/descendants-move-along", test_place_moves_descendants);
  fixture_add_func ("/cgroup/nested-call-stays-in-outer-group", test_place_in_call);
  fixture_add_func ("/cgroup/any-mount-point-is-found", test_place_mounts);
  fixture_add_func ("/cgroup/there-is-no-place-without-v2", test_place_without_v2);
  fixture_add_func ("/cgroup/group-is-told-its-limits", test_group_is_told);
  fixture_add_func ("/cgroup/memory-can-be-counted-anew", test_group_counts_anew);
  fixture_add_func ("/cgroup/group-tells-what-happened", test_group_tells);
  fixture_add_func ("/cgroup/busy-group-is-removed-later", test_group_removed_later);
  fixture_add_func ("/cgroup/limit-without-controller-is-an-error", test_group_refused);
  fixture_add_func ("/cgroup/kernel-kills-the-whole-group", test_real_kill);
  fixture_add_func ("/cgroup/kernel-bounds-memory", test_real_memory);
  fixture_add_func ("/cgroup/kernel-bounds-processes", test_real_processes);

  return fixture_run ();
}
