/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/timers.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* No more than so many are deleted one by one. */
#define MAX_TIMERS 1024

/* The kernel gives each timer of a process a number that is one higher than that of the one before.
 */
int
timers_find_next (void)
{
  struct sigevent nothing = { .sigev_notify = SIGEV_NONE };
  int number;

  if (syscall (SYS_timer_create, CLOCK_MONOTONIC, &nothing, &number) != 0)
    return -1;
  syscall (SYS_timer_delete, number);
  return number + 1;
}

gboolean
timers_delete_since (int *next)
{
  const int first = *next;
  int end;

  *next = timers_find_next ();
  end = *next - 1; /* the number of the one that was made just now */
  if (first < 0 || *next < 0)
    return *next == first;
  for (int i = first; i < end && i < first + MAX_TIMERS; i++)
    syscall (SYS_timer_delete, i);
  return end >= first && end - first <= MAX_TIMERS;
}

gboolean
timers_is_set (int which)
{
  struct itimerval timer = { 0 };

  getitimer (which, &timer);
  return timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0;
}
