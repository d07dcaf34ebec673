/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/io-thread.h"
#include "tests/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#define N_THREADS 8
#define N_CALLS 200

/* A call, which ends when somebody does the work that it gives. */
typedef struct
{
  GMainContext *context;
  GSourceFunc func;
  GMutex lock;
  GCond cond;
  gboolean works;
  gboolean has_ended;
  GThread *thread; /* that did it */
} Call;

static volatile sig_atomic_t n_signals;
static GThread *main_thread;

static void
on_signal (int signum)
{
  n_signals++;
}

static void
call_init (Call *self, GMainContext *context, GSourceFunc func)
{
  *self = (Call){ .context = context, .func = func };
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

static void
call_clear (Call *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
}

static gboolean
end_call (gpointer user_data)
{
  Call *self = user_data;

  g_assert_true (g_main_context_get_thread_default () == self->context);
  io_thread_drop_call ();
  g_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  self->thread = g_thread_self ();
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

static void
give_work (Call *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, self->func, self, NULL);
  g_source_attach (source, self->context);
}

static void
on_work (gpointer user_data)
{
  Call *self = user_data;

  g_mutex_lock (&self->lock);
  self->works = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* TRUE: it is to work */
static gboolean
wait_for_work (Call *self)
{
  gboolean has_ended;

  g_mutex_lock (&self->lock);
  while (!self->has_ended && !self->works)
    g_cond_wait (&self->cond, &self->lock);
  has_ended = self->has_ended;
  g_mutex_unlock (&self->lock);
  return !has_ended;
}

static void
wait_for_end (Call *self)
{
  IoWaiter waiter = { .func = on_work, .user_data = self };

  if (io_thread_join (&waiter))
    on_work (self);
  while (wait_for_work (self))
    io_thread_work (&waiter);
  io_thread_leave (&waiter);
}

/* Returns the thread that has done the work. */
static GThread *
call_once (GMainContext *context, GSourceFunc func)
{
  GThread *thread;
  Call call;

  call_init (&call, context, func);
  io_thread_add_call ();
  give_work (&call);
  wait_for_end (&call);
  thread = call.thread;
  call_clear (&call);
  return thread;
}

/* Until this thread works for itself. */
static GMainContext *
hold (void)
{
  GMainContext *context = io_thread_hold ();

  g_assert_nonnull (context);
  while (call_once (context, end_call) != g_thread_self ())
    ;
  return context;
}

static void
test_again_and_again (void)
{
  GMainContext *context = hold ();

  g_assert_null (g_main_context_get_thread_default ());
  io_thread_release (context);
}

static void
test_nobody_waits (void)
{
  GMainContext *context = hold ();
  Call call;

  call_init (&call, context, end_call);
  io_thread_add_call ();
  give_work (&call);
  g_assert_false (wait_for_work (&call));
  g_assert_true (call.thread != g_thread_self ());
  call_clear (&call);
  io_thread_release (context);
}

/* As is one that is begun in a main context. */
static void
test_other_call (void)
{
  GMainContext *context = hold ();

  io_thread_add_call ();
  g_assert_true (call_once (context, end_call) != g_thread_self ());
  io_thread_drop_call ();
  io_thread_release (context);
}

static gboolean
end_after_signal (gpointer user_data)
{
  Call *self = user_data;

  if (n_signals > 0)
    return end_call (self);
  give_work (self);
  return G_SOURCE_REMOVE;
}

/* While it works nothing interrupts it, and when it sleeps all may. */
static gboolean
send_signal (gpointer user_data)
{
  Call *self = user_data;

  if (g_thread_self () != main_thread)
    return end_call (self); /* this time it was late */
  g_assert_cmpint (pthread_kill (pthread_self (), SIGUSR1), ==, 0);
  g_assert_cmpint (n_signals, ==, 0);
  self->func = end_after_signal;
  give_work (self);
  return G_SOURCE_REMOVE;
}

static void
test_signal (void)
{
  struct sigaction before, action = { .sa_handler = on_signal };
  GMainContext *context = hold ();
  sigset_t mask;

  n_signals = 0;
  main_thread = g_thread_self ();
  sigaction (SIGUSR1, &action, &before);
  while (call_once (context, send_signal) != main_thread)
    ;
  g_assert_cmpint (n_signals, ==, 1);
  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  g_assert_false (sigismember (&mask, SIGUSR1));
  sigaction (SIGUSR1, &before, NULL);
  io_thread_release (context);
}

/* A connection that the other side has closed: the program has not asked to hear of it. */
static gboolean
write_in_vain (gpointer user_data)
{
  Call *self = user_data;
  int fds[2];

  if (g_thread_self () != main_thread)
    return end_call (self);
  g_assert_no_errno (pipe (fds));
  g_assert_no_errno (close (fds[0]));
  g_assert_cmpint (write (fds[1], "", 1), ==, -1);
  g_assert_cmpint (errno, ==, EPIPE);
  g_assert_no_errno (close (fds[1]));
  self->func = end_call;
  give_work (self);
  return G_SOURCE_REMOVE;
}

static void
test_broken_pipe (void)
{
  const struct sigaction kills = { .sa_handler = SIG_DFL };
  GMainContext *context = hold ();
  struct sigaction before;
  sigset_t pending, mask;

  main_thread = g_thread_self ();
  sigaction (SIGPIPE, &kills, &before);
  while (call_once (context, write_in_vain) != main_thread)
    ;
  pthread_sigmask (SIG_SETMASK, NULL, &mask);
  g_assert_false (sigismember (&mask, SIGPIPE));
  sigpending (&pending);
  g_assert_false (sigismember (&pending, SIGPIPE));
  sigaction (SIGPIPE, &before, NULL);
  io_thread_release (context);
}

static gpointer
call_often (gpointer context)
{
  for (guint i = 0; i < N_CALLS; i++)
    g_assert_nonnull (call_once (context, end_call));
  return NULL;
}

static void
test_many_threads (void)
{
  GMainContext *context = hold ();
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("caller", call_often, context);
  call_often (context);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  io_thread_release (context);
}

static void
test_fork (void)
{
  GMainContext *context;
  pid_t pid;

  if (fixture_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer lets no forked program have threads");
      return;
    }
  context = hold ();
  pid = fixture_fork ();
  if (pid == 0)
    {
      GMainContext *own = hold ();

      io_thread_release (own);
      fixture_exit_fork (own != context);
    }
  fixture_wait_for_fork (pid);
  io_thread_release (context);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/io-thread/who-calls-again-and-again-works", test_again_and_again);
  fixture_add_func ("/io-thread/works-when-nobody-waits", test_nobody_waits);
  fixture_add_func ("/io-thread/works-for-other-calls", test_other_call);
  fixture_add_func ("/io-thread/signals-come-when-who-works-sleeps", test_signal);
  fixture_add_func ("/io-thread/broken-connection-kills-nobody", test_broken_pipe);
  fixture_add_func ("/io-thread/many-threads-call", test_many_threads);
  fixture_add_func ("/io-thread/forked-program-has-its-own", test_fork);
  return fixture_run ();
}
