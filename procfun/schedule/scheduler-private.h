/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

#include "procfun/process/zygotes.h"
#include "procfun/schedule/queue.h"

struct _Scheduler
{
  ProcfunExecutor *executor; /* unowned */
  Zygotes *zygotes;

  GMutex lock; /* for all that follows */
  SchedulerConfig config;
  gboolean is_closing;
  guint64 state;     /* of processes that are good for calls: see zygotes_get_state() */
  Queue queue;       /* (element-type Waiter) */
  GQueue idle;       /* (element-type WorkerSlot): the one that worked last comes first */
  GQueue busy;       /* (element-type WorkerSlot): those that are about to be started among them */
  GQueue ended;      /* (element-type WorkerSlot): that may not be dead yet */
  guint n_permanent; /* slots that do not end by themselves */
  gint64 look_at;    /* when to look for those that have: monotonic time in µs */
  ProcfunFunction *initializer; /* (nullable) */
  GVariant *initializer_args;   /* (nullable) */

  GCond admission;   /* the queue has become shorter */
  guint n_in_thread; /* that wait for that */
  GQueue submitters; /* (element-type GSource): who wait for that in a main context */
  guint n_entering;  /* that have room, and are not in the queue yet */

  GError *start_error; /* (nullable): of the last worker that did not start */
  guint n_unsent;      /* in a row, that ended before their first call */
  gint64 retry;        /* in µs */
  gint64 retry_at;     /* monotonic time in µs */
};

/* Who will bring a call to an end, or give a worker back: a thread, or a main context. */
typedef struct
{
  GThread *thread;       /* unowned; that asked */
  GMainContext *context; /* (nullable) */
  gboolean is_stuck;     /* whoever runs the context waits for this scheduler */
} Owner;

struct _WorkerSlot
{
  gatomicrefcount ref_count; /* who holds it for several calls has one more */
  GList link;                /* in one of the queues */
  Scheduler *scheduler;
  Worker worker;    /* empty while a call has it, and before it is started */
  Process *process; /* (unowned) (nullable): the worker's, wherever that is */
  const char *module;
  guint64 inherited_state; /* of the worker */
  int pid;
  gint64 started_at;
  guint64 n_calls;
  gboolean is_idle;
  gboolean is_permanent;
  gboolean is_unsent; /* it had died before it was given its call */
  gboolean is_unused; /* there was no call */

  /* While somebody has it */
  Owner owner;
  ProcfunCall *call; /* (nullable) (unowned) */
  Exchange *head;    /* (nullable) (unowned): its call, where others may be sent behind it */
  GQueue pipelined;  /* (element-type Exchange): those that have been sent */
  gboolean is_held;  /* for several calls */
  gboolean is_lost;  /* while it was held */
};

/* Somebody who asks for a worker. */
typedef struct
{
  QueueEntry entry;
  const char *module;
  ProcfunCall *call; /* (nullable) (unowned) */
  Owner owner;

  /* With the lock held */
  gboolean is_assigned;
  WorkerSlot *slot;    /* (nullable): this one, which may have to be started, */
  WorkerSlot *retired; /* (nullable): instead of that one */

  GCond assigned;  /* for a thread that waits */
  GSource *source; /* (nullable): for a main context */
} Waiter;

/* @context: (nullable): of an asynchronous call */
void owner_init (Owner *self, GMainContext *context);
void owner_clear (Owner *self);

/* Whether nothing becomes of it while this thread waits. */
gboolean owner_is_here (const Owner *self);

/* The module is the waiter's to know before, like call and owner. FALSE: there is nothing to have
 * now, and the waiter is in the queue, if it @waits, or else what scheduler_find_busy() has found
 * is in
 * *@busy (nullable). */
gboolean scheduler_ask (Scheduler *self, const SlotRequest *request, Waiter *waiter, gboolean waits,
                        WorkerSlot **busy);

/* With the lock held: gives those up that have another inherited state than @state; adds them to
 * @outdated. */
void scheduler_remove_outdated (Scheduler *self, guint64 state, GQueue *outdated);

/* What was assigned. The second is for who does not want it any more. */
WorkerSlot *scheduler_claim (Scheduler *self, const SlotRequest *request, Waiter *waiter,
                             GError **error);
void scheduler_cancel (Scheduler *self, Waiter *waiter);

/* Sends it what waits at the head of the queue for this same main context, as far as it goes. */
void scheduler_feed (WorkerSlot *slot);

/* With the lock held: whether @request can be sent to @slot ahead of its turn. */
gboolean scheduler_can_pipeline (WorkerSlot *slot, const SlotRequest *request);

/* With the lock held: a busy worker that @request can be sent to now, one whose answers this thread
 * takes in any case. (nullable) */
WorkerSlot *scheduler_find_busy (Scheduler *self, const SlotRequest *request);

/* With the lock held, around waiting in a thread: its main contexts stand still meanwhile. */
void scheduler_begin_wait (Scheduler *self);
void scheduler_end_wait (Scheduler *self);

/* With the lock held: those who have all the workers wait, and this thread is one of them, so that
 * it would wait for ever. */
gboolean scheduler_is_deadlocked (Scheduler *self);
void scheduler_set_nested (ProcfunFunction *function, GError **error);
void scheduler_set_closed (ProcfunFunction *function, GError **error);

/* For threads that wait with a GCond: wakes them when @cancellable trips. */
typedef struct
{
  Scheduler *scheduler;
  GCond *cond;
  GCancellable *cancellable; /* (nullable) */
  gulong handler;
} Alarm;

void alarm_set (Alarm *self, Scheduler *scheduler, GCond *cond, GCancellable *cancellable);
void alarm_clear (Alarm *self);

/* All with the lock held. */

/* Gives what is free to those who wait. */
void scheduler_assign (Scheduler *self);

/* Lets all threads look that wait. */
void scheduler_wake_threads (Scheduler *self);

/* Lets those look who wait for room, all threads and the first of the others. */
void scheduler_announce_admission (Scheduler *self);

/* Moves a slot, from where it is to where those are that work, or out. */
void worker_slot_set_busy (WorkerSlot *self);
void worker_slot_remove (WorkerSlot *self);

WorkerSlot *worker_slot_new (Scheduler *self, const char *module);
void worker_slot_unref (WorkerSlot *self);

/* Starts the worker of a new slot, without the lock. FALSE: the slot is gone. */
gboolean worker_slot_start (WorkerSlot *self, const SlotRequest *request, GError **error);
gboolean scheduler_is_backing_off (Scheduler *self);

/* With the lock held: a worker has become usable, or not (@error). */
void scheduler_note_start (Scheduler *self, const GError *error);

/* In scheduler-end.c. Notices those that have ended by themselves; with the lock held. @ended:
 * (element-type WorkerSlot) for scheduler_end_all(), without the lock. */
void scheduler_poll_exited (Scheduler *self, GQueue *ended);
void scheduler_poll_exited_sometimes (Scheduler *self, gint64 now, GQueue *ended);
void scheduler_end_all (GQueue *ended);

/* Why a worker is not to be used on after @n_calls. (nullable): it is. With the lock held. */
const char *worker_slot_find_reason (WorkerSlot *self, const Worker *worker, guint64 n_calls);

/* In scheduler-end.c, with the lock held: what its first call says of the next worker's prospects.
 */
void worker_slot_note_first_call (WorkerSlot *self, const Worker *worker, gboolean is_usable);

/* What becomes of a worker that has no call any more, in any way. */
void worker_slot_put_back (WorkerSlot *self, Worker *worker, gboolean is_usable);

/* A slot that was removed. @reason: (nullable): it could have gone on. */
void worker_slot_end (WorkerSlot *self, const char *reason);
