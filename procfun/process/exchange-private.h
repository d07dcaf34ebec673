/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"

#include "procfun/process/escalation.h"
#include "procfun/process/items.h"
#include "procfun/process/outcome.h"
#include "procfun/process/output.h"
#include "procfun/wire/channel.h"

struct _Exchange
{
  GList link;                /* among those that wait for their turn */
  ProcfunCall *call;         /* borrowed */
  ProcfunFunction *function; /* the call's, borrowed with it */
  Worker worker;             /* that runs it */
  WorkerReleaseFunc release; /* (nullable) */
  gpointer release_data;
  gboolean is_map;   /* many calls, whose results do not come here */
  guint64 bytes_in;  /* of the arguments */
  guint64 bytes_out; /* of the result, or of the items that came */
  guint32 call_id;
  gboolean is_pipelined;
  ExchangeHeadFunc turn; /* (nullable) */
  gpointer turn_data;
  GByteArray *report; /* (nullable): none has come */
  Output outputs[2];
  Items items; /* of a generator */
  Escalation escalation;

  guint ready;       /* bits: which descriptors have something */
  gboolean started;  /* the worker is known to be there */
  gint64 timeout_at; /* monotonic times in µs; 0: never */
  gint64 deadline_at;
  gint64 end_by;       /* when it must have ended, because it has answered or can't any more */
  gint64 cpu_time;     /* of the child when it was last looked at, in µs; -1: never */
  gint64 cpu_at_hello; /* what it had used when the function began */
  gint64 cpu_check_at;
  gint64 fork_ahead_at; /* unless it has ended before */
  gint64 stacks_until;  /* when to wait no more for the stacks of its threads */
  gboolean asked_for_stacks;
  ChannelMark mark;       /* before it was sent */
  gboolean channel_ended; /* nothing more will come */
  gboolean answered;      /* and the worker waits for more */
  Outcome outcome;
  gboolean done; /* the child is dead, and all is known */
};

/* In the order of exchange_get_fds(). The channel comes first: what was printed before an answer is
 * ready when poll() comes to it, if the answer was. */
enum
{
  READY_CHANNEL = 1 << 0,
  READY_DEATH = 1 << 1,
  READY_REPORT = 1 << 2,
  READY_OUTPUT = 1 << 3 /* and the next bit */
};

/* Who takes a result for the end also sees to the end of the process; in exchange-begin.c. */
gboolean exchange_takes_result_for_end (const Worker *worker);

/* It has answered, or can't any more: it should end. */
void exchange_await_end (Exchange *self);

/* The function begins now, as far as can be seen from here. */
void exchange_start_clocks (Exchange *self);

/* Takes @error. The second is for a process that does not keep to the protocol. */
void exchange_fail (Exchange *self, ProcfunCause cause, GError *error);
void exchange_fail_and_kill (Exchange *self, ProcfunCause cause, GError *error);

/* Takes @sentence, whose subject is the function, and kills the process. */
void exchange_break_off (Exchange *self, ProcfunCause cause, ProcfunError code, char *sentence);

/* Handles all frames that are there, in exchange-frames.c, and says how many. */
guint exchange_receive (Exchange *self);

/* It has what it waited for: nothing of what may still come changes that. */
gboolean exchange_has_answered (Exchange *self);
