/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/canceller.h"
#include "tests/fixture.h"

#include <sys/resource.h>
#include <unistd.h>

static void
test_cancellable (void)
{
  g_autoptr (Canceller) early = canceller_new ();
  g_autoptr (Canceller) late = canceller_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (g_cancellable_is_cancelled (canceller_get_cancellable (early)));
  g_assert_false (canceller_set_error_if_cancelled (early, &error));
  g_assert_no_error (error);
  canceller_cancel (early);
  canceller_cancel (late);
  g_assert_true (canceller_is_cancelled (early));
  g_assert_true (g_cancellable_is_cancelled (canceller_get_cancellable (early)));
  g_assert_true (g_cancellable_is_cancelled (canceller_get_cancellable (late)));
  g_assert_true (canceller_set_error_if_cancelled (late, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_source (void)
{
  static GSourceFuncs funcs = { NULL };
  g_autoptr (Canceller) canceller = canceller_new ();
  g_autoptr (GSource) before = g_source_new (&funcs, sizeof (GSource));
  g_autoptr (GSource) source = g_source_new (&funcs, sizeof (GSource));

  canceller_set_source (canceller, before);
  canceller_set_source (canceller, source);
  g_assert_cmpint (g_source_get_ready_time (source), ==, -1);
  canceller_cancel (canceller);
  g_assert_cmpint (g_source_get_ready_time (source), ==, 0);
  g_assert_cmpint (g_source_get_ready_time (before), ==, -1);
  canceller_set_source (canceller, NULL);
}

static gboolean
is_readable (int fd)
{
  GPollFD poll_fd = { .fd = fd, .events = G_IO_IN };

  return g_poll (&poll_fd, 1, 0) == 1;
}

static void
test_fd (void)
{
  g_autoptr (Canceller) canceller = canceller_new ();
  g_autoptr (Canceller) cancelled = canceller_new ();
  int fd = canceller_open_fd (canceller);

  g_assert_cmpint (fd, >=, 0);
  g_assert_false (is_readable (fd));
  canceller_cancel (canceller);
  g_assert_true (is_readable (fd));
  canceller_close_fd (canceller);
  canceller_cancel (cancelled);
  g_assert_true (is_readable (canceller_open_fd (cancelled)));
}

/* In a program of its own, since its limit of descriptors stays. */
static void
test_fd_without_descriptors (void)
{
  const struct rlimit none = { 0, 0 };
  g_autoptr (Canceller) canceller = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  canceller = canceller_new ();
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_cmpint (canceller_open_fd (canceller), ==, -1);
  canceller_cancel (canceller);
  g_assert_true (canceller_is_cancelled (canceller));
  _exit (0);
}

static gpointer
cancel (gpointer data)
{
  canceller_cancel (data);
  return NULL;
}

/* The object that is asked for during a cancellation has tripped, or will. */
static void
test_threads (void)
{
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (Canceller) canceller = canceller_new ();
      GThread *thread = g_thread_new ("cancel", cancel, canceller);
      GCancellable *cancellable = canceller_get_cancellable (canceller);

      g_thread_join (thread);
      g_assert_true (g_cancellable_is_cancelled (cancellable));
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/canceller/cancellable-trips-with-it", test_cancellable);
  fixture_add_func ("/canceller/descriptor-becomes-readable", test_fd);
  fixture_add_func ("/canceller/lack-of-descriptors-ends-nothing", test_fd_without_descriptors);
  fixture_add_func ("/canceller/source-becomes-ready", test_source);
  fixture_add_func ("/canceller/threads-may-ask-while-it-is-cancelled", test_threads);
  return fixture_run ();
}
