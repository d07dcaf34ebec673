/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void
leave_descriptor (void)
{
  g_assert_cmpint (open ("/dev/null", O_RDONLY | O_CLOEXEC), >, 0);
}

static void
leave_memfd (void)
{
  g_assert_cmpint (memfd_create ("left", MFD_CLOEXEC), >, 0);
}

static void
leave_mapping (void)
{
  int fd = memfd_create ("left", MFD_CLOEXEC);

  g_assert_true (mmap (NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
  close (fd);
}

static gint stays;

static gpointer
stay (gpointer user_data)
{
  g_atomic_int_set (&stays, TRUE);
  pause ();
  return NULL;
}

static void
leave_thread (void)
{
  g_thread_unref (g_thread_new ("stays", stay, NULL));
  while (!g_atomic_int_get (&stays)) /* it names itself before */
    g_thread_yield ();
}

static void
leave_file (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("TMPDIR"), "left", NULL);

  g_assert_true (g_file_set_contents (path, "", 0, NULL));
}

static void
leave_process (void)
{
  if (fork () == 0)
    {
      pause ();
      _exit (0);
    }
}

static void
leave_zombie (void)
{
  pid_t pid = fork ();
  siginfo_t info;

  if (pid == 0)
    _exit (0);
  g_assert_cmpint (waitid (P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), ==, 0);
}

/* Its parent is gone, and it is in a session of its own. It says when it is what it stays: while it
 * is being executed, its environment cannot be seen. */
static void
leave_orphan (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) shell
      = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "sh", "-c",
                          "setsid sh -c 'echo; kill -STOP $$' &", NULL);
  char byte;

  g_assert_no_error (error);
  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (shell), &byte, 1, NULL, NULL),
                   ==, 1);
  g_subprocess_wait (shell, NULL, &error);
  g_assert_no_error (error);
}

static void
leave_nothing (void)
{
}

/* Things to leave, and the fixture's words for them. */
static const struct
{
  const char *name;
  GTestFunc leave;
  const char *noticed;
} cases[] = {
  { "descriptor", leave_descriptor, "*left behind: descriptor*: /dev/null*" },
  { "memfd", leave_memfd, "*left behind: descriptor*: /memfd:left*" },
  { "mapping", leave_mapping, "*left behind: shared memory*/memfd:left*" },
  { "thread", leave_thread, "*left behind: thread*stays*" },
  { "file", leave_file, "*left behind: temporary file*/left*" },
  { "process", leave_process, "*left behind: process*test-fixture*" },
  { "zombie", leave_zombie, "*left behind: zombie*" },
  { "orphan", leave_orphan, "*left behind: process*kill -STOP*" },
};

/* In a program of its own, which is to fail. */
static void
test_notices (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_failed ();
      g_test_trap_assert_stderr (cases[i].noticed);
      return;
    }
  fixture_set_patience (100 * G_TIME_SPAN_MILLISECOND);
  cases[i].leave ();
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/fixture/nothing", leave_nothing);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/fixture/notices/", cases[i].name, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_notices);
    }
  return fixture_run ();
}
