/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads as the kernel sees them. */

#include "procfun/platform/thread.h"
#include "tests/fixture.h"

#include <errno.h>
#include <string.h>

#define NAME "another thread" /* as long as one can be, but for one letter */

typedef struct
{
  int id;
  gboolean is_busy;
  int may_end;   /* a word to wait for */
  int has_begun; /* another one */
} Other;

static gpointer
run (gpointer data)
{
  Other *self = data;

  __atomic_store_n (&self->id, thread_get_id (), __ATOMIC_RELEASE);
  __atomic_store_n (&self->has_begun, 1, __ATOMIC_RELEASE);
  thread_wake (&self->has_begun);
  while (__atomic_load_n (&self->may_end, __ATOMIC_ACQUIRE) == 0)
    if (!__atomic_load_n (&self->is_busy, __ATOMIC_ACQUIRE))
      thread_wait (&self->may_end, 0, 60 * 1000);
  return NULL;
}

static GThread *
begin (Other *self)
{
  GThread *thread = g_thread_new (NAME, run, self);

  while (__atomic_load_n (&self->has_begun, __ATOMIC_ACQUIRE) == 0)
    thread_wait (&self->has_begun, 0, 60 * 1000);
  return thread;
}

static void
end (Other *self, GThread *thread)
{
  __atomic_store_n (&self->may_end, 1, __ATOMIC_RELEASE);
  thread_wake (&self->may_end);
  g_thread_join (thread);
}

static gboolean
is_listed (int id)
{
  int ids[64];
  gsize n = thread_list (ids, G_N_ELEMENTS (ids));

  for (gsize i = 0; i < n; i++)
    if (ids[i] == id)
      return TRUE;
  return FALSE;
}

static void
test_listed (void)
{
  Other other = { 0 };
  GThread *thread = begin (&other);
  int first = 0;

  errno = EDOM;
  g_assert_true (is_listed (thread_get_id ()));
  g_assert_true (is_listed (other.id));
  g_assert_false (is_listed (G_MAXINT));
  g_assert_cmpuint (thread_list (&first, 1), ==, 1);
  g_assert_cmpint (errno, ==, EDOM);
  g_assert_true (is_listed (first));
  g_assert_cmpuint (thread_count (), >=, 2);
  end (&other, thread);
}

/* Other threads may have come with a sanitizer, or with GLib. */
static void
test_names (void)
{
  char own[THREAD_NAME_SIZE], name[THREAD_NAME_SIZE];
  Other other = { 0 };
  GThread *thread = begin (&other);
  const guint n = thread_count ();

  thread_get_name (own);
  g_assert_cmpstr (own, !=, NAME);
  errno = EDOM;
  memset (name, 'x', sizeof name);
  thread_get_other_name (name);
  g_assert_cmpint (errno, ==, EDOM);
  if (n == 2)
    g_assert_cmpstr (name, ==, NAME);
  g_assert_cmpuint (strnlen (name, sizeof name), <, sizeof name);
  end (&other, thread);
}

static void
test_asleep (void)
{
  Other other = { .is_busy = TRUE };
  GThread *thread = begin (&other);

  /* One that is busy sleeps at no time, since it is running or could run. */
  g_assert_false (thread_others_are_asleep ());
  __atomic_store_n (&other.is_busy, FALSE, __ATOMIC_RELEASE);
  while (!thread_others_are_asleep ())
    g_usleep (500);
  end (&other, thread);
}

static int n_signals;
static siginfo_t last;

static void
on_signal (int signum, siginfo_t *info, gpointer context)
{
  n_signals++;
  last = *info;
}

static void
test_signals (void)
{
  const struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
  struct sigaction before;
  siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer keeps signals until the thread makes a call that waits");
      return;
    }
  g_assert_cmpint (sigaction (SIGUSR1, &action, &before), ==, 0);
  errno = EDOM;
  g_assert_true (thread_signal (thread_get_id (), SIGUSR1));
  g_assert_cmpint (n_signals, ==, 1);
  g_assert_cmpint (last.si_code, ==, SI_TKILL);
  g_assert_false (thread_signal (G_MAXINT, SIGUSR1));
  info.si_value.sival_int = 7;
  thread_signal_again (SIGUSR1, &info);
  g_assert_cmpint (n_signals, ==, 2);
  g_assert_cmpint (last.si_code, ==, SI_QUEUE);
  g_assert_cmpint (last.si_value.sival_int, ==, 7);
  g_assert_cmpint (errno, ==, EDOM);
  sigaction (SIGUSR1, &before, NULL);
}

/* A value that is another one already, or a time that is over, ends the wait. */
static void
test_wait (void)
{
  int word = 1;

  errno = EDOM;
  thread_wait (&word, 0, 60 * 1000);
  thread_wait (&word, 1, 1);
  thread_wake (&word);
  g_assert_cmpint (errno, ==, EDOM);
  g_assert_cmpint (word, ==, 1);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/thread/all-are-listed", test_listed);
  fixture_add_func ("/thread/another-one-has-a-name", test_names);
  fixture_add_func ("/thread/one-that-is-busy-does-not-sleep", test_asleep);
  fixture_add_func ("/thread/signals-come-as-they-were", test_signals);
  fixture_add_func ("/thread/a-wait-ends", test_wait);
  return fixture_run ();
}
