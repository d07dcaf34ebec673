/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-async.h"
#include "procfun/process/zygotes.h"
#include "procfun/procfun-executor.h"
#include "procfun/procfun-statistics.h"
#include "procfun/schedule/queue.h"
#include "procfun/schedule/slots.h"
#include "procfun/schedule/starts.h"

typedef struct
{
  guint min_workers; /* that stay when there is nothing to do */
  guint max_workers;
  guint idle;                /* how long the others stay, in ms; 0: for ever */
  guint arena_idle;          /* after which they give shared memory back, in ms; 0: never */
  guint calls_in_flight;     /* that a worker has been sent and has not answered */
  guint64 calls_per_worker;  /* 0: any number */
  guint64 memory_per_worker; /* resident, in bytes; 0: any */
  gboolean refuses;          /* calls for which no worker is free, instead of letting them wait */
  guint max_queue_calls;     /* that may wait before there is no room for more; 0: any number */
  guint64 max_queue_bytes;   /* likewise, of their arguments */
  guint64 tolerated;         /* FrameLeftovers for which no worker is replaced */
  guint spares;              /* to be forked ahead by the zygotes of those that are not kept */
} SchedulerConfig;

/* A call or session that wants a worker. */
typedef struct
{
  ProcfunFunction *function;
  ProcfunCall *call;         /* (nullable) */
  const PlainCall *plain;    /* (nullable): a call that is no object; neither: a session */
  GCancellable *cancellable; /* (nullable): of a session */
  const ExchangeOptions *options;
  GBytes *arguments;            /* (nullable) */
  gint64 deadline;              /* monotonic time in µs; 0: none */
  gint priority;                /* see queue.h */
  guint may_be_pipelined : 1;   /* can be sent to a busy worker, and wait there */
  guint is_last : 1;            /* its worker ends with it, */
  guint is_first : 1;           /* and has had no other */
  guint may_be_refused : 1;     /* where none is free */
  guint is_plain_cancelled : 1; /* with the lock held: nobody else can tell a plain call so */
} SlotRequest;

static inline gboolean
slot_request_is_session (const SlotRequest *self)
{
  return self->call == NULL && self->plain == NULL;
}

static inline gsize
slot_request_get_size (const SlotRequest *self)
{
  if (self->plain != NULL)
    return self->plain->args.length;
  return self->arguments != NULL ? exchange_get_arguments_size (self->options, self->arguments) : 0;
}

/* Executes a worker for a call, where none is forked. It does not wait for it. */
typedef gboolean (*SchedulerLaunchFunc) (ProcfunExecutor *executor, const SlotRequest *request,
                                         Worker *worker, GError **error);

/* Gives a worker, or an error. */
typedef void (*SlotFunc) (WorkerSlot *slot, GError *error, gpointer user_data);

typedef struct _ContextSource ContextSource;

/* Sends the call of a thread that waits to the worker that it was assigned, in the thread that has
 * just given that back. FALSE: it is not sent. */
typedef gboolean (*HandOverFunc) (WorkerSlot *slot, gpointer user_data);

/* How a thread waits with a plain call. */
typedef struct
{
  HandOverFunc hand_over;
  gpointer user_data;
  gboolean has_waited; /* in return, as the next */
  gboolean was_handed_over;
  gboolean is_promised; /* it will be assigned the slot, when its call has been handed over */
} PlainWait;

/* A caller that waits for a worker: a thread, or a call in a main context. */
typedef struct
{
  QueueEntry entry;
  SlotRequest request;
  const char *module;
  const Owner *owner;

  GCond *assigned;       /* (nullable): of a thread; in a box with a reference count */
  PlainWait *plain;      /* (nullable): of a thread */
  ContextSource *source; /* (nullable): of a main context */

  /* With the lock held */
  gboolean is_assigned;
  WorkerSlot *slot;    /* (nullable): this one, which may have to be started, */
  WorkerSlot *retired; /* (nullable): instead of that one */
} Waiter;

/* A thread that waits, and has calls which nobody else can bring to an end. */
typedef struct
{
  GList link;
  GCond *cond; /* (nullable): it has none */
} Blocked;

/* The workers of an executor, and those who wait for one. Any thread may use it. */
struct _Scheduler
{
  ProcfunExecutor *executor;  /* unowned; emits the signals */
  SchedulerLaunchFunc launch; /* (nullable): workers are forked */
  gboolean keeps;             /* workers, for more than one call */
  Zygotes *zygotes;

  GMutex lock; /* for all that follows */
  SchedulerConfig config;
  gboolean is_closing;
  ProcfunCloseFlags close_flags;
  gboolean drops_queued; /* one of these flags */
  gboolean is_aborting;  /* scheduler_abort() was called */
  guint64 state;         /* of processes that are good for calls: see zygotes_get_state() */
  Queue queue;           /* (element-type Waiter) */
  Slots slots;
  gint64 look_at;               /* when to look for workers that have left: monotonic time in µs */
  ProcfunFunction *initializer; /* (nullable): what each worker runs first */
  GVariant *initializer_args;   /* (nullable) */
  ProcfunLimits
      *worker_limits; /* (nullable): of each call of a worker; g_atomic_rc_box_acquire() */
  Starts *starts;
  GQueue probes;          /* (element-type Probe): see presence.h */
  guint n_absent;         /* of them, that have not come back in time */
  gboolean is_refused;    /* the machine has refused a process, and no call has ended since */
  gint64 no_starts_until; /* while calls are made in a main context: monotonic time in µs */
  GQueue sources;   /* (element-type ContextSource) (unowned): main contexts whose calls wait */
  guint n_sessions; /* those that wait without a call */
  GQueue blocked;   /* (element-type Blocked) */
  GQueue lookers;   /* (element-type GCond): of threads that wait; the first looks who is absent */

  /* They wait for the queue to become shorter. */
  GQueue in_admission; /* (element-type GCond): threads */
  GQueue submitters;   /* (element-type GSource): main contexts */
  guint n_entering;    /* calls that are admitted and not in the queue yet */
};

/* @keeps: workers have more than one call. @launch: (nullable): zygotes fork them. */
Scheduler *scheduler_new (ProcfunExecutor *executor, gboolean keeps, SchedulerLaunchFunc launch);

/* One with the same settings, which has nothing else in common with @other. */
Scheduler *scheduler_new_like (Scheduler *other);
Scheduler *scheduler_ref (Scheduler *self);
void scheduler_unref (Scheduler *self);

void scheduler_get_config (Scheduler *self, SchedulerConfig *config);

/* Sets one field, and does what follows from it. FALSE: it had that value. */
gboolean scheduler_set_config (Scheduler *self, gsize offset, gsize size, gconstpointer value);
#define SCHEDULER_SET(self, field, value)                                                          \
  scheduler_set_config (self, G_STRUCT_OFFSET (SchedulerConfig, field), sizeof (value), &(value))

/* @function: (nullable) */
void scheduler_set_initializer (Scheduler *self, ProcfunFunction *function, GVariant *args);

/* Adds a function that zygotes run before they fork. @args: (nullable). Processes from before are
 * not used any more. */
void scheduler_add_preload (Scheduler *self, ProcfunFunction *function, GVariant *args);

/* Calls are to have other limits from now on. */
#define SCHEDULER_REASON_LIMITS "worker-limits"

/* @limits: (nullable). Workers with other limits have no further call. FALSE: these are the same.
 */
gboolean scheduler_set_worker_limits (Scheduler *self, const ProcfunLimits *limits);
ProcfunLimits *scheduler_get_worker_limits (Scheduler *self); /* (transfer full) (nullable) */

void scheduler_describe (Scheduler *self, ProcfunStatistics *statistics);

/* Begins with a worker of @slot: sends what a new one has to run first, and confines it. Fails with
 * %PROCFUN_ERROR_SANDBOX. */
gboolean worker_slot_begin (WorkerSlot *self, const ExchangeOptions *options, GError **error);

/* Ends a slot whose worker is gone, or was not started. */
void worker_slot_drop (WorkerSlot *self);

/* Gives back a worker: after an exchange; unused, or by a session; as one that nobody shall use. */
void worker_slot_put_back (WorkerSlot *self, Worker *worker, gboolean is_usable);
void worker_slot_give_back (WorkerSlot *self);
void worker_slot_discard (WorkerSlot *self);

/* Keeps it for a session, until it is given back; FALSE: the scheduler is closed, and it must be
 * discarded. Each call of the session begins with taking it. Fails with %PROCFUN_ERROR_WORKER_LOST,
 * %PROCFUN_ERROR_BUSY, %PROCFUN_ERROR_CLOSED or, for another module, %PROCFUN_ERROR_INVALID. */
gboolean worker_slot_hold (WorkerSlot *self);
gboolean worker_slot_take (WorkerSlot *self, ProcfunCall *call, gboolean is_async, GError **error);

/* Calls from now on get workers that are started after this. */
void scheduler_renew (Scheduler *self);

/* Whether calls run or wait that only this thread can bring to an end. */
gboolean scheduler_has_own_calls (Scheduler *self);

/* From now on nobody waits for room, or for a worker to hold. */
void scheduler_begin_to_close (Scheduler *self);

/* From now on no call is assigned a worker, and those that wait end; or calls that have one are
 * cancelled. */
void scheduler_end_calls (Scheduler *self, ProcfunCloseFlags flags);

/* Cancels all calls, without grace periods. The second form kills their workers. */
void scheduler_abort (Scheduler *self);
void scheduler_kill (Scheduler *self);

/* Ends all workers; no call runs. */
void scheduler_clear (Scheduler *self);

/* For those who wait: waiter.c, admission.c and pipeline.c. */

/* Workers that cannot be used any more. (element-type WorkerSlot) */
typedef struct
{
  GQueue exited;
  GQueue outdated; /* they began before the program changed what they would inherit now */
} GoneWorkers;

/* Moves such workers to @gone, with the lock held; the second form ends and reaps them, without the
 * lock. @state: what a new worker would inherit. */
void scheduler_remove_gone (Scheduler *self, gint64 now, guint64 state, GoneWorkers *gone);
void scheduler_end_gone (GoneWorkers *gone);

/* Assigns a worker if one can be had. With the lock held. */
gboolean scheduler_assign_to (Scheduler *self, Waiter *waiter);

/* The next one to be assigned something. (nullable) With the lock held. */
Waiter *scheduler_get_next (Scheduler *self);

/* Assigns a slot beyond the bound. With the lock held. */
void scheduler_let_through (Scheduler *self, Waiter *waiter);

/* Gives free workers to waiters. With the lock held. */
void scheduler_assign (Scheduler *self);

/* Starts what was assigned, if need be. (nullable): NULL without an error when no worker can be
 * started now, and it is better to wait for one that is busy. The second form gives it back. */
WorkerSlot *scheduler_claim (Scheduler *self, Waiter *waiter, GError **error);
void scheduler_cancel (Scheduler *self, Waiter *waiter);

/* Ends the worker that was to make room for that of @waiter. */
void scheduler_retire (Waiter *waiter);

/* Ends the worker of a slot that was removed. Without the lock. @reason: (nullable): it could have
 * gone on. */
void scheduler_end_worker (WorkerSlot *slot, const char *reason);

void scheduler_end_all (GQueue *slots, const char *reason); /* (element-type WorkerSlot) */

/* Reaps a slot that was removed, now or later, without the lock. The first form waits @ms
 * milliseconds for its death; @exited: (element-type WorkerSlot). */
void scheduler_reap (WorkerSlot *slot, int ms);
void scheduler_reap_all (GQueue *exited);

/* Why a worker is not to be used after @n_calls calls. (nullable): it is. With the lock held. */
const char *worker_slot_find_reason (WorkerSlot *self, const Worker *worker, guint64 n_calls);

/* Draws conclusions for the next start from a worker's first call. With the lock held. */
void worker_slot_note_first_call (WorkerSlot *self, const Worker *worker, gboolean is_usable);

/* Around waiting in a thread, whose main contexts stand still meanwhile. @cond is signalled when
 * all workers belong to threads that wait. With the lock held. */
void scheduler_begin_wait (Scheduler *self, Blocked *blocked, GCond *cond);
void scheduler_end_wait (Scheduler *self, Blocked *blocked);

/* Wakes those that may wait for each other. With the lock held. */
void scheduler_check_deadlock (Scheduler *self);

/* Whether all workers belong to threads that wait, one of them this one. With the lock held. */
gboolean scheduler_is_deadlocked (Scheduler *self);

/* Room in the queue for another call. With the lock held. */
gboolean scheduler_has_room (Scheduler *self);

/* Lets the first one in that waits for it: admission.c. With the lock held. */
void scheduler_announce_room (Scheduler *self);

void scheduler_set_nested (ProcfunFunction *function, GError **error);
void scheduler_set_closed (ProcfunFunction *function, GError **error);
void scheduler_set_busy (ProcfunFunction *function, GError **error);
