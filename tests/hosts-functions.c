/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/hosts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

PROCFUN_DEFINE_FUNCTION (add, gint32, (gint32, a), (gint32, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (user, gint32) { return (gint32)geteuid (); }

PROCFUN_DEFINE_FUNCTION (length, guint64, (const char *, text)) { return strlen (text); }

/* proc(5): "SigBlk:\t0000000000000000" */
static guint64
read_mask (const char *status, const char *name)
{
  const char *line = strstr (status, name);

  return line != NULL ? g_ascii_strtoull (line + strlen (name) + 1, NULL, 16) : G_MAXUINT64;
}

/* Without the two signals of the C library, which its posix_spawn() leaves ignored in every
 * program. */
PROCFUN_DEFINE_FUNCTION (describe_signals, char *)
{
  const guint64 internal = 3ULL << 31;
  g_autofree char *status = NULL;

  g_file_get_contents ("/proc/self/status", &status, NULL, NULL);
  return g_strdup_printf ("blocked %" G_GINT64_MODIFIER "x, ignored %" G_GINT64_MODIFIER "x",
                          read_mask (status, "SigBlk"), read_mask (status, "SigIgn") & ~internal);
}

PROCFUN_DEFINE_FUNCTION (list_descriptors, char *)
{
  GString *list = g_string_new (NULL);

  for (int fd = 0; fd < 1024; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      g_string_append_printf (list, "%s%d", list->len > 0 ? " " : "", fd);
  return g_string_free (list, FALSE);
}

PROCFUN_DEFINE_FUNCTION (hold, gint32, (ProcfunFd, ready), (ProcfunFd, go))
{
  char byte = 'x';

  return write (ready, &byte, 1) == 1 && read (go, &byte, 1) == 1 ? 42 : -1;
}

PROCFUN_DEFINE_FUNCTION (spin, void)
{
  printf ("%d\n", (int)getpid ());
  fflush (stdout);
  for (;;)
    continue;
}

/* For a compiler that does nothing. */
PROCFUN_DEFINE_FUNCTION (crash, void) { *(volatile int *)0 = 1; }

PROCFUN_DEFINE_FUNCTION (close_all, void, (gboolean, stay))
{
  close_range (0, ~0U, 0);
  while (stay)
    pause ();
}

/* Says that it is what it should be, since the call may end in that moment. */
static void
become (Descendant kind, int ready)
{
  if (kind != DESCENDANT_CHILD)
    setsid ();
  if (kind == DESCENDANT_DAEMON && fork () != 0)
    _exit (0);
  if (write (ready, "x", 1) != 1)
    _exit (1);
  for (;;)
    pause ();
}

/* The descendant has @alive by inheritance. */
PROCFUN_DEFINE_FUNCTION (leave_behind, void, (Descendant, kind), (ProcfunFd, alive),
                         (gboolean, crashes))
{
  int ready[2];
  char byte;

  if (pipe (ready) != 0)
    abort ();
  if (fork () == 0)
    become (kind, ready[1]);
  if (read (ready[0], &byte, 1) != 1 || crashes)
    abort ();
}

PROCFUN_DEFINE_FUNCTION (return_twice, gint32) { return fork () == 0 ? 1 : 2; }

PROCFUN_DEFINE_FUNCTION (exit_in_fork, gint32)
{
  pid_t pid = fork ();
  int status = 0;

  if (pid == 0)
    exit (5);
  waitpid (pid, &status, 0);
  return WEXITSTATUS (status);
}

/* In a program, constructors may call; in the process of a call they run, too, and must not call
 * again. */
static GString *got;

static void
call_early (const char *name)
{
  g_autoptr (GError) error = NULL;
  gint32 sum;

  if (g_getenv ("HOSTS_CONSTRUCTORS") == NULL)
    return;
  if (got == NULL)
    got = g_string_new (NULL);
  sum = add_process (1, 2, &error);
  g_string_append_printf (got, "%s: %d %s\n", name, sum, error != NULL ? error->message : "");
}

__attribute__ ((constructor (102))) static void
call_first_of_all (void)
{
  call_early ("first");
}

__attribute__ ((constructor)) static void
call_later (void)
{
  call_early ("later");
}

PROCFUN_DEFINE_FUNCTION (what_constructors_got, char *)
{
  return g_strdup (got != NULL ? got->str : "nothing");
}
