/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/leave.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef PROCFUN_COVERAGE

/* In each program and library that gcc instruments, but declared by no header of the C language
 * before gcc 12: https://gcc.gnu.org/onlinedocs/gcc/Gcov-and-Optimization.html */
extern void __gcov_dump (void);
extern void __gcov_reset (void);

static gboolean is_shut_in;

/* A process that may write only small files would be killed for its counts. */
static gboolean
may_write (void)
{
  struct rlimit limit;

  return !is_shut_in && getrlimit (RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

void
leave_write_counts (void)
{
  const int saved_errno = errno;

  if (!may_write ())
    return;
  __gcov_dump ();
  __gcov_reset (); /* or the same would be counted twice, and what follows not at all */
  errno = saved_errno;
}

void
leave_write_last_counts (void)
{
  leave_write_counts ();
  is_shut_in = TRUE;
}

#else

void
leave_write_counts (void)
{
}

void
leave_write_last_counts (void)
{
}

#endif

void
leave_process (int status)
{
  leave_write_counts ();
  _exit (status);
}
