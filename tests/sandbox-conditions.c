/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/sandbox-conditions.h"

#include "tests/fixture.h"

#include <glib/gstdio.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

gboolean
sandbox_skips (void)
{
  if (fixture_has_sanitizers ())
    g_test_skip ("sanitizers open files of their own in the process of the function");
#ifndef HAVE_SECCOMP
  else
    g_test_skip ("this build is without libseccomp");
#else
  else if (g_getenv ("PROCFUN_NO_SECCOMP") != NULL || prctl (PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
    g_test_skip ("there is no seccomp here");
  else
    return FALSE;
#endif
  return TRUE;
}

static void
make_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, "text", -1, &error);
  g_assert_no_error (error);
}

char *
sandbox_make_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("test-sandbox-XXXXXX", &error);
  g_autofree char *inner = g_build_filename (folder, "folder", NULL);

  g_assert_no_error (error);
  make_file (folder, "file");
  make_file (folder, "file-to-go");
  g_assert_cmpint (g_mkdir (inner, 0700), ==, 0);
  return folder;
}

void
sandbox_remove_folder (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}

static void
become_nobody (gpointer user_data)
{
  const uid_t nobody = 65534;

  if (setgroups (0, NULL) != 0 || setresgid (nobody, nobody, nobody) != 0
      || setresuid (nobody, nobody, nobody) != 0)
    _exit (1);
}

static void
test_other_user (gconstpointer path)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  char *argv[] = { program, (char *)"-s", (char *)path, NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "TMPDIR", "/tmp", TRUE);
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;
  int status;

  if (geteuid () != 0)
    {
      g_test_skip ("this user has no rights to give up");
      return;
    }
  if (sandbox_skips ())
    return;
  if (!g_spawn_sync ("/", argv, environment, G_SPAWN_DEFAULT, become_nobody, NULL, &output, NULL,
                     &status, &error))
    {
      g_test_skip ("others may not execute the tests");
      return;
    }
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", error->message, output);
}

void
sandbox_add_other_user (const char *path)
{
  fixture_add_data_func (path, path, test_other_user);
}
