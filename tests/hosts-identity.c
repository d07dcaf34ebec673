/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs that are not who they were, or whose files are not what they were. */

#include "tests/hosts.h"

#include "procfun/wire/setup.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOBODY 65534

static void
calls (char **args)
{
  host_assert_works ();
}

static void
no_new_privileges (char **args)
{
  g_assert_cmpint (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
  host_assert_works ();
}

/* @args: a folder that only root can enter, and the program lies in. Calls of before had processes
 * of root; none of these may be of use any more. */
static void
root_no_more (char **args)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (user_process (&error), ==, 0);
  g_assert_no_error (error);
  g_assert_cmpint (chdir (args[0]), ==, 0);
  g_assert_cmpint (setgroups (0, NULL), ==, 0);
  g_assert_cmpint (setresgid (NOBODY, NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (setresuid (NOBODY, NOBODY, NOBODY), ==, 0);
  g_assert_cmpint (user_process (&error), ==, NOBODY);
  g_assert_no_error (error);
}

/* @args: an empty folder; no /proc, and nothing else. */
static void
root_elsewhere (char **args)
{
  g_assert_cmpint (chroot (args[0]), ==, 0);
  g_assert_cmpint (chdir ("/"), ==, 0);
  host_assert_fails (NULL, PROCFUN_ERROR_SPAWN);
  _exit (0); /* LeakSanitizer wants /proc, too */
}

/* A set-user-ID program cannot be entered by its calls, so none must start another. */
static void
set_user_id (char **args)
{
  if (getauxval (AT_SECURE) == 0)
    host_skip ("set-user-ID programs are none here");
  host_assert_fails (NULL, PROCFUN_ERROR_SPAWN);
}

/* @args: a command line, executed with all that makes a program take over. */
static void
impersonate (char **args)
{
  int channel[2], lifeline[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, channel), ==, 0);
  g_assert_cmpint (pipe (lifeline), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      dup2 (channel[i], 100 + i);
      dup2 (lifeline[i], 102 + i);
    }
  dup2 (100, SETUP_CHANNEL_FD);
  dup2 (102, SETUP_LIFELINE_FD);
  g_setenv ("PROCFUN_COMMAND_LINE", "1", TRUE);
  execv (args[0], args);
  g_error ("%s: %s", args[0], g_strerror (errno));
}

/* @args: what the program's file becomes, nothing: removed. */
static void
replaced (char **args)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  gint32 value;

  g_assert_cmpint (args[0] != NULL ? g_rename (args[0], self) : g_unlink (self), ==, 0);
  value = build_process (&error);
  g_assert_no_error (error);
  g_assert_cmpint (value, ==, build ());
}

/* @args: what the program's file becomes in the moment before it is executed. */
static void
replaced_at_last (char **args)
{
  const char *const launcher[]
      = { "sh", "-c", "rm \"$1\"; mv \"$0\" \"$1\"; exec \"$@\"", args[0], NULL };
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (ProcfunCall) call = build_call ();
  g_autoptr (GError) error = NULL;

  procfun_spawner_set_launcher (PROCFUN_SPAWNER (executor), launcher);
  procfun_call_set_executor (call, executor);
  g_assert_cmpint (build_run (call, NULL, &error), ==, 0);
  printf ("%s\n", error->message);
  g_assert_error (error, PROCFUN_ERROR, atoi (args[1]));
}

const Host hosts_identity[] = { { "calls", calls },
                                { "no-new-privileges", no_new_privileges },
                                { "root-no-more", root_no_more },
                                { "root-elsewhere", root_elsewhere },
                                { "set-user-id", set_user_id },
                                { "impersonate", impersonate },
                                { "replaced", replaced },
                                { "replaced-at-last", replaced_at_last },
                                { NULL, NULL } };
