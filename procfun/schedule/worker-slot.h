/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/schedule/owner.h"

typedef struct _Scheduler Scheduler;

/* A worker of a pool. One caller at a time has it: no two workers share a lock or a pipe. */
typedef struct
{
  gatomicrefcount ref_count; /* a session has one more */
  GList link;                /* in one of the lists of Slots */
  Scheduler *scheduler;
  Worker worker;    /* empty while an exchange has it, and before it is started */
  Process *process; /* (unowned) (nullable): the worker's, wherever that is */
  const char *module;
  guint64 inherited_state;       /* see zygotes_get_state() */
  ProcfunLaunchContext *context; /* (nullable) */
  ProcfunLimits *limits;         /* (nullable): of each of its calls; see Scheduler */
  int pid;
  gint64 started_at;
  guint64 n_calls;
  gboolean is_idle;
  gboolean is_permanent; /* has no idle timeout */
  gboolean is_unsent;    /* had died before it was given its call */
  gboolean is_unused;    /* was released without a call */
  gboolean is_spent;     /* shall have no calls but those that it has been sent */

  /* While it is busy */
  Owner owner;
  ProcfunCall *call;    /* (nullable) (unowned) */
  guint n_plain;        /* calls that it has been sent, and that are no objects, */
  GSource *waits;       /* (nullable) (unowned): which this source of a main context waits for */
  Exchange *head;       /* (nullable) (unowned): its call, where others may be sent behind it */
  GQueue pipelined;     /* (element-type Exchange): sent behind the head */
  gboolean is_held;     /* by a session */
  gboolean is_lost;     /* while it was held */
  GQueue reservations;  /* (element-type Reservation): that wait for this worker */
  gpointer reservation; /* (nullable) (unowned): that was assigned it, and is not told yet */
} WorkerSlot;

/* @module: of zygotes_get_key(). @context: (nullable): the one of all calls of the worker. With the
 * lock of @scheduler held. */
WorkerSlot *worker_slot_new (Scheduler *scheduler, const char *module,
                             ProcfunLaunchContext *context);
WorkerSlot *worker_slot_ref (WorkerSlot *self);
void worker_slot_unref (WorkerSlot *self);

/* Whether it runs a call. With the lock held. */
gboolean worker_slot_has_call (const WorkerSlot *self);
static inline gboolean
worker_slot_has_started (const WorkerSlot *self)
{
  return self->started_at > 0;
}

int worker_slot_get_pid (WorkerSlot *self);

/* The next release is not that of a call. */
void worker_slot_set_unused (WorkerSlot *self);

/* The worker had died before it was given its call. */
void worker_slot_set_unsent (WorkerSlot *self);

/* Whether an idle worker has left. */
gboolean worker_slot_has_hung_up (WorkerSlot *self);

/* Waits at most @ms milliseconds. */
gboolean worker_slot_is_dead (WorkerSlot *self, int ms);
