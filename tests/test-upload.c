/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs that are sent to hosts: here, with a home of its own for each test. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define WELCOME "echo Welcome; echo procfun-upload: stored; exec \"$@\""
#define ASK_AND_END "echo procfun-upload: absent; exit 3"
#define TALK "yes 'no word'"

static const char READ_SOME[] = "echo procfun-upload: absent; head -c 1000 >/dev/null; sleep 100";

typedef struct
{
  char *home;
  char *cache;
} Fixture;

static void
set_up (Fixture *self)
{
  self->home = g_dir_make_tmp ("procfun-XXXXXX", NULL);
  self->cache = g_build_filename (self->home, ".cache/procfun", NULL);
  g_assert_nonnull (self->home);
}

static void
tear_down (Fixture *self)
{
  const char *const argv[] = { "rm", "-rf", self->home, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
  g_free (self->home);
  g_free (self->cache);
}

/* @script: (nullable): a shell's, before the command of the host */
static ProcfunRemotePool *
make_hosts (Fixture *self, const char *script)
{
  g_autofree char *home = g_strconcat ("HOME=", self->home, NULL);
  const char *const plain[] = { "env", "-u", "XDG_CACHE_HOME", home, "{}", NULL };
  const char *const scripted[]
      = { "env", "-u", "XDG_CACHE_HOME", home, "sh", "-c", script, "sh", "{}", NULL };
  g_autoptr (ProcfunLauncher) launcher
      = procfun_launcher_new ("beta", script != NULL ? scripted : plain);
  ProcfunRemotePool *hosts = procfun_remote_pool_new (NULL, NULL);

  procfun_launcher_set_upload (launcher, TRUE);
  procfun_launcher_set_slots (launcher, 1);
  procfun_remote_pool_add_launcher (hosts, launcher);
  return hosts;
}

static void
call_there (Fixture *self, const char *script)
{
  ProcfunRemotePool *hosts = make_hosts (self, script);

  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (3, 4), TRUE, "7");
  remotes_close (hosts);
}

/* (transfer full): the path of the only file in the cache. */
static char *
find_file (Fixture *self)
{
  GDir *dir = g_dir_open (self->cache, 0, NULL);
  char *path;

  g_assert_nonnull (dir);
  path = g_build_filename (self->cache, g_dir_read_name (dir), NULL);
  g_assert_null (g_dir_read_name (dir));
  g_dir_close (dir);
  return path;
}

static guint64
get_inode (const char *path)
{
  struct stat st;

  g_assert_no_errno (stat (path, &st));
  g_assert_cmpuint (st.st_mode & 0777, ==, 0700);
  return st.st_ino;
}

static goffset
get_size (const char *path)
{
  struct stat st;

  g_assert_no_errno (stat (path, &st));
  return st.st_size;
}

static void
test_property (void)
{
  static const char *const command[] = { "env", NULL };
  g_autoptr (ProcfunLauncher) launcher = procfun_launcher_new ("beta", command);
  gboolean upload = FALSE;

  g_assert_false (procfun_launcher_get_upload (launcher));
  g_object_set (launcher, "upload", TRUE, NULL);
  g_assert_true (procfun_launcher_get_upload (launcher));
  g_object_get (launcher, "upload", &upload, NULL);
  g_assert_true (upload);
}

static void
test_once (void)
{
  g_autofree char *path = NULL, *name = NULL, *content = NULL, *hash = NULL;
  Fixture fixture;
  guint64 inode;
  gsize size;

  set_up (&fixture);
  call_there (&fixture, NULL);
  path = find_file (&fixture);
  inode = get_inode (path);
  g_assert_true (g_file_get_contents ("/proc/self/exe", &content, &size, NULL));
  hash = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *)content, size);
  name = g_path_get_basename (path);
  g_assert_cmpstr (name, ==, hash);
  call_there (&fixture, NULL);
  g_assert_cmpuint (get_inode (path), ==, inode);
  tear_down (&fixture);
}

static void
test_damaged (void)
{
  g_autofree char *path = NULL;
  Fixture fixture;

  set_up (&fixture);
  call_there (&fixture, NULL);
  path = find_file (&fixture);
  g_assert_true (g_file_set_contents (path, "#!/bin/false\n", -1, NULL)); /* under the same name */
  call_there (&fixture, NULL);
  g_free (g_steal_pointer (&path));
  path = find_file (&fixture);
  get_inode (path);
  tear_down (&fixture);
}

/* As a login shell's. A word that was not to come now is text, too. */
static void
test_banner (void)
{
  Fixture fixture;

  set_up (&fixture);
  call_there (&fixture, WELCOME);
  tear_down (&fixture);
}

/* The shell that a launcher gives its last word to, as sshd does. */
static void
test_quoted (void)
{
  g_autoptr (ProcfunLauncher) launcher = NULL;
  ProcfunRemotePool *hosts = procfun_remote_pool_new (NULL, NULL);
  g_autofree char *home = NULL;
  Fixture fixture;

  set_up (&fixture);
  home = g_strconcat ("HOME=", fixture.home, NULL);
  launcher = procfun_launcher_new (
      "by a shell", (const char *const[]){ "env", "-u", "XDG_CACHE_HOME", home, "sh", "-c", NULL });
  g_object_set (launcher, "quote", TRUE, "upload", TRUE, "slots", 1, NULL);
  procfun_remote_pool_add_launcher (hosts, launcher);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
  g_free (find_file (&fixture));
  tear_down (&fixture);
}

/* It has an add() of its own. */
static void
test_library (void)
{
  g_autofree char *library = g_test_build_filename (G_TEST_BUILT, ".libs/tool-library.so", NULL);
  g_autofree char *path = NULL;
  ProcfunRemotePool *hosts;
  Fixture fixture;

  if (!g_file_test (library, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("the library of the tests is not installed");
      return;
    }
  set_up (&fixture);
  hosts = make_hosts (&fixture, NULL);
  procfun_remote_pool_set_library (hosts, library);
  calls_assert_result (PROCFUN_EXECUTOR (hosts), add_call (2, 3), FALSE, "5");
  remotes_close (hosts);
  path = find_file (&fixture);
  get_inode (path);
  g_assert_cmpint (get_size (path), ==, get_size (library));
  tear_down (&fixture);
}

static void
assert_unreachable (Fixture *self, const char *script, const char *pattern)
{
  ProcfunRemotePool *hosts = make_hosts (self, script);

  procfun_remote_pool_set_connect_timeout (hosts, script == READ_SOME ? G_USEC_PER_SEC : 0);
  calls_assert_error (PROCFUN_EXECUTOR (hosts), add_call (1, 2), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_ENGINE, pattern);
  remotes_close (hosts);
}

static void
test_no_room (void)
{
  g_autofree char *file = NULL;
  Fixture fixture;

  set_up (&fixture);
  file = g_build_filename (fixture.home, ".cache", NULL);
  g_assert_true (g_file_set_contents (file, "no folder", -1, NULL));
  assert_unreachable (&fixture, NULL, "*beta*mkdir*");
  tear_down (&fixture);
}

static void
test_hosts_that_break_off (void)
{
  static const struct
  {
    const char *script;
    const char *pattern;
  } hosts[] = { { ASK_AND_END, "*beta*ended before it had the program*" },
                { TALK, "*beta*what is no message*no word*" },
                { READ_SOME, "*beta*did not answer within 1 s*" } };
  Fixture fixture;

  set_up (&fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    assert_unreachable (&fixture, hosts[i].script, hosts[i].pattern);
  g_assert_false (g_file_test (fixture.cache, G_FILE_TEST_EXISTS));
  tear_down (&fixture);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/upload/a launcher has it as a property", test_property);
  fixture_add_func ("/upload/a program is sent once", test_once);
  fixture_add_func ("/upload/a file that was damaged is sent again", test_damaged);
  fixture_add_func ("/upload/text before the first word is passed over", test_banner);
  fixture_add_func ("/upload/a shell can take the command apart once more", test_quoted);
  fixture_add_func ("/upload/a library is sent and loaded there", test_library);
  fixture_add_func ("/upload/the error has what the shell said", test_no_room);
  fixture_add_func ("/upload/hosts that break off fail their calls", test_hosts_that_break_off);
  return fixture_run ();
}
