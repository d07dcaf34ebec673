/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/escalation.h"
#include "procfun/process/exchange-clocks.h"
#include "procfun/process/outcome.h"
#include "procfun/process/streams.h"
#include "procfun/process/worker.h"

/* How a call comes to its end: what is known of the outcome, the clocks that may bring it about,
 * and the steps by which the process is ended. */
typedef struct
{
  ProcfunCall *call;           /* borrowed */
  Worker *worker;              /* borrowed */
  const ProcfunLimits *limits; /* (nullable): the call's own, and those of the worker; borrowed */
  ProcfunLimits *merged;       /* (nullable): where there are both */
  gboolean answered;           /* the process has answered; one that is kept waits for more */
  Outcome outcome;
  Clocks clocks;
  Escalation escalation;
} Ending;

void ending_init (Ending *self, ProcfunCall *call, int pid);
void ending_clear (Ending *self);

/* From here on there is a process. */
void ending_take_worker (Ending *self, Worker *worker);

gboolean ending_is_decided (const Ending *self);

/* The process should end by itself, unless it waits for more. */
void ending_await (Ending *self);

/* Takes @error. */
void ending_fail (Ending *self, ProcfunCause cause, GError *error);

/* The same for a process that breaks the protocol. */
void ending_fail_and_kill (Ending *self, ProcfunCause cause, GError *error);

/* Takes @sentence, whose subject is the function, and kills the process. */
void ending_break_off (Ending *self, ProcfunCause cause, ProcfunError code, char *sentence);

/* Looks at the canceller and the clocks of the call. */
void ending_check (Ending *self);

/* Takes the next step towards the end of the process, when its time has come. */
void ending_advance (Ending *self, const Streams *streams);

/* Monotonic time in µs; -1: never. */
gint64 ending_get_wake_time (const Ending *self);
