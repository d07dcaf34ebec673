/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs and their descriptors: they close those that everybody counts on, leave some open for
 * all that they start, or have none left. */

#include "tests/hosts.h"

#include "tests/fixture.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void
assert_child_has_only_its_own (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *list = list_descriptors_process (&error);

  g_assert_no_error (error);
  g_assert_cmpstr (list, ==, "0 1 2 3 4 5");
}

/* Each combination of the three. */
static void
standard_closed (char **args)
{
  int saved[3];

  host_assert_works (); /* GLib's descriptors, which it keeps */
  for (int fd = 0; fd < 3; fd++)
    saved[fd] = fcntl (fd, F_DUPFD_CLOEXEC, 100);
  for (int set = 1; set < 8; set++)
    {
      for (int fd = 0; fd < 3; fd++)
        if ((set & 1 << fd) != 0)
          close (fd);
      assert_child_has_only_its_own ();
      for (int fd = 0; fd < 3; fd++)
        {
          while ((set & 1 << fd) != 0 && fcntl (fd, F_GETFD) >= 0)
            g_usleep (100); /* GLib's thread has a pidfd there until it has reaped */
          dup2 (saved[fd], fd);
        }
    }
}

/* Numbers that the child uses itself, too. */
static void
leaked (char **args)
{
  int pair[2];

  for (int i = 0; i < 10; i++)
    g_assert_cmpint (open ("/dev/null", O_RDWR), >=, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
  g_assert_cmpint (dup2 (pair[0], 500), ==, 500);
  assert_child_has_only_its_own ();
}

/* @args: how many descriptors there may be besides those that are open. GLib ends the program when
 * it finds none for itself, so that must not come to it. */
static void
few (char **args)
{
  struct rlimit limit, before;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;
  guint n_before;

  getrlimit (RLIMIT_NOFILE, &before);
  limit = before;
  n_before = fixture_count_descriptors ();
  limit.rlim_cur = n_before + (guint)atoi (args[0]);
  setrlimit (RLIMIT_NOFILE, &limit);
  if (add_run (call, cancellable, &error) == 3)
    return;
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  g_assert_nonnull (strstr (error->message, "add()"));
  g_assert_cmpint (atoi (args[0]), <, 20);
  setrlimit (RLIMIT_NOFILE, &before);
  procfun_executor_close (procfun_executor_get_default (), NULL, NULL); /* what it keeps */
  g_assert_cmpuint (fixture_count_descriptors (), ==, n_before);
}

/* Without a channel nothing can be answered. */
static void
function_closes_all (char **args)
{
  static const struct
  {
    gboolean stay;
    int code;
  } cases[] = { { FALSE, PROCFUN_ERROR_EXITED }, { TRUE, PROCFUN_ERROR_PROTOCOL } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (close_all_process (cases[i].stay, &error));
      g_assert_error (error, PROCFUN_ERROR, cases[i].code);
    }
}

const Host hosts_descriptors[] = { { "standard-closed", standard_closed },
                                   { "leaked", leaked },
                                   { "few", few },
                                   { "function-closes-all", function_closes_all },
                                   { NULL, NULL } };
