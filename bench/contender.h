/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* One thing to measure. A program has a table of them and is one at a time, named by its argument.
 * It prints "ready", or "skip" and why; then it answers each line of its stdin:
 *
 *   warm N   makes N calls without looking at a clock, and prints an empty line
 *   run N    makes N calls, and prints the samples in one line: ns, or another unit of its own
 */
typedef struct
{
  const char *name;
  void (*set_up) (void); /* (nullable) */
  guint pause_us;        /* before each call, not part of it */

  /* One of these */
  void (*call) (void);       /* is timed: N samples */
  double (*sample) (void);   /* says itself what the sample is: N samples */
  double (*batch) (guint n); /* makes all N calls; one sample, for one call of them */
} Contender;

int contend (const Contender *contenders, gsize n_contenders, int argc, char **argv);

/* Ends the process. */
void contender_skip (const char *reason) G_GNUC_NORETURN;

/* Forks; the child runs @serve with one end of a socketpair and ends, at the latest with the
 * parent. To be called before there are threads. Returns the other end. */
int contender_fork_server (void (*serve) (int fd));

/* Of a clock that goes on, and of what this thread has used of the processor. */
double contender_get_ns (void);
double contender_get_cpu_ns (void);
