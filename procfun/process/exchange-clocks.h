/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/process.h"
#include "procfun/procfun-call.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-failure.h"

/* When something of a call is due: monotonic times in µs; 0: never. */
typedef struct
{
  ProcfunCall *call;           /* borrowed */
  const ProcfunLimits *limits; /* (nullable): borrowed */
  gint64 began_at; /* when the function was called, if that was before the clocks were made */
  gint64 timeout_at;
  gint64 deadline_at;
  gint64 cpu_check_at;
  gint64 end_by;        /* when the process must have ended */
  gint64 stacks_until;  /* when to stop waiting for the stacks of its threads */
  gint64 fork_ahead_at; /* when to fork the spares of its zygote */
  gboolean is_started;
  gboolean asked_for_stacks;
  gboolean has_returned; /* and its result is on its way */
  guint64 n_came;        /* bytes of that */
  gint64 cpu_time;       /* used by the function at the last check, in µs; -1: unknown */
  gint64 cpu_at_start;   /* used by the process before */
} Clocks;

/* A clock that ran out. */
typedef struct
{
  ProcfunCause cause;
  ProcfunError code;
  char *sentence; /* (transfer full): what the function did, without the subject */
} ClocksDue;

void clocks_init (Clocks *self, ProcfunCall *call);

/* Something else runs in the process before the function begins: each has the time of the call. */
void clocks_limit_preparation (Clocks *self);

/* The function begins. */
void clocks_start (Clocks *self, Process *process);

/* The function has returned, and so many bytes of its result have come. Its timeout has ended; what
 * counts is that more comes from time to time. */
void clocks_note_return (Clocks *self, guint64 n_bytes);

/* TRUE: the function's time is up, and *@due says which and how. */
gboolean clocks_check (Clocks *self, Process *process, ClocksDue *due);

/* The function's time is up, whatever has come of it. */
gboolean clocks_is_time_up (const Clocks *self);

/* When it will be, monotonic in µs; -1: never. */
gint64 clocks_get_time_up (const Clocks *self);

/* The process has answered or cannot any more, and should end by itself. */
void clocks_await_end (Clocks *self);

/* TRUE, once: it should have ended. */
gboolean clocks_take_end (Clocks *self);

void clocks_await_stacks (Clocks *self);

/* TRUE, once: the stacks are there (@have_stacks), or do not come. */
gboolean clocks_take_stacks (Clocks *self, gboolean have_stacks);

void clocks_delay_spares (Clocks *self);

/* TRUE, once: the spares of the zygote are due. */
gboolean clocks_take_spares (Clocks *self);

/* Makes *@time, -1 for never, the earlier one of both. @other: none where it is not positive. */
void clocks_take_earlier (gint64 *time, gint64 other);

/* The first time at which something is due; -1: none. @is_decided: the outcome is known, and the
 * function's own clocks do not count any more. */
gint64 clocks_get_wake_time (const Clocks *self, gboolean is_decided);
