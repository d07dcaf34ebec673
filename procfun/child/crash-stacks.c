/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/crash-stacks.h"

#include "procfun/child/crash-record.h"
#include "procfun/child/setup.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>

/* Time that a thread may take, which never begins if it blocks the signal; and that all threads may
 * take together. */
#define THREAD_MS 100
#define ALL_MS 1000

/* The thread that asks all others in turn, or 0; the thread that it asks now, or 0, and negative
 * once that thread has begun. */
static int conductor;
static int asked;

static void
write_own_stack (const siginfo_t *info, gpointer context)
{
  Fault fault;

  fault_read (&fault, info, context);
  if (!crash_record_begin ())
    return;
  crash_record_stack (&fault, context);
  crash_record_end ();
}

/* In the thread that is asked, unless that has come too late. */
static void
answer (int self, const siginfo_t *info, gpointer context)
{
  int expected = self;

  if (!__atomic_compare_exchange_n (&asked, &expected, -self, FALSE, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
    return;
  write_own_stack (info, context);
  __atomic_store_n (&asked, 0, __ATOMIC_RELEASE);
  thread_wake (&asked);
}

static void
ask (int thread)
{
  int expected = thread;

  __atomic_store_n (&asked, thread, __ATOMIC_RELEASE);
  if (thread_signal (thread, CRASH_STACKS_SIGNAL))
    thread_wait (&asked, thread, THREAD_MS);
  if (!__atomic_compare_exchange_n (&asked, &expected, 0, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
      && expected == -thread)
    thread_wait (&asked, expected, THREAD_MS);
}

static gint64
get_time_ms (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
conduct (int self, const siginfo_t *info, gpointer context)
{
  static int threads[CRASH_MAX_THREADS];
  static CrashHead end;
  gsize n = thread_list (threads, CRASH_MAX_THREADS);
  gint64 until = get_time_ms () + ALL_MS;

  crash_record_forget_modules ();
  for (gsize i = 0; i < n; i++)
    if (threads[i] == self)
      write_own_stack (info, context);
    else if (get_time_ms () < until)
      ask (threads[i]);
  crash_record_write (&end, CRASH_RECORD_STACKS_END, sizeof end);
}

/* The kernel sends this signal, too, for events that a program may have asked for. */
static void
on_signal (int signum, siginfo_t *info, void *context)
{
  int saved_errno = errno;
  int self = thread_get_id ();
  int nobody = 0;

  if (info->si_code > 0 || !crash_record_is_mine ())
    return;
  setup_check_parent ();
  if (info->si_pid == getpid ())
    answer (self, info, context);
  else if (__atomic_compare_exchange_n (&conductor, &nobody, self, FALSE, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
    {
      conduct (self, info, context);
      __atomic_store_n (&conductor, 0, __ATOMIC_RELEASE);
    }
  errno = saved_errno;
}

void
crash_stacks_install (void)
{
  struct sigaction action
      = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

  sigaction (CRASH_STACKS_SIGNAL, &action, NULL);
  setup_check_parent (); /* until now the signal was ignored */
}
