/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/output.h"
#include "procfun/process/worker.h"

/* Streams of a call's process besides its frames: crash report, stdout and stderr. */
typedef struct
{
  ProcfunCall *call; /* borrowed */
  guint64 limit;     /* of both outputs together, in bytes; 0: none */
  int report_fd;
  GByteArray *report; /* (nullable): none has come */
  Output outputs[2];
} Streams;

/* The descriptors to wait for: report, stdout, stderr; and the bits that say which are ready, the
 * first of them at 0. */
#define STREAMS_N_FDS 3
#define STREAMS_READY_REPORT (1U << 0)
#define STREAMS_READY_OUTPUT (1U << 1) /* and the next bit */

/* Takes the descriptors from @worker. @limits: (nullable) */
void streams_init (Streams *self, ProcfunCall *call, const ProcfunLimits *limits, Worker *worker);

/* Gives them back to @worker, if it is not NULL. */
void streams_clear (Streams *self, Worker *worker);

void streams_get_fds (Streams *self, GPollFD fds[STREAMS_N_FDS]);

void streams_receive_outputs (Streams *self, guint ready);
void streams_receive_report (Streams *self);

/* From now on only that output is taken which is there now, of the streams in @ready. */
void streams_begin_end (Streams *self, guint ready);

/* Takes a portion of it. TRUE: all is taken. @patience: longest wait for a full stream of the
 * program, in µs. */
gboolean streams_advance_end (Streams *self, gint64 patience);

/* More was printed, on one stream or on both together, than the limit of the call allows. */
gboolean streams_are_over_limit (Streams *self);

/* The streams of the program are full. */
gboolean streams_are_held_up (Streams *self);

gboolean streams_has_death (const Streams *self);
gboolean streams_has_stacks (const Streams *self);
GBytes *streams_get_report (const Streams *self);

/* All are open, and nothing of a crash has come. */
gboolean streams_are_intact (Streams *self);
