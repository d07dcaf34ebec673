/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/procfun-executor.h"
#include "procfun/procfun-statistics.h"

/* The workers of a pool, and those who wait for one. Whoever has a worker has it alone: there is no
 * lock and no pipe that two of them share. Any thread may ask. */
typedef struct _Scheduler Scheduler;

/* One of them, while somebody has it. */
typedef struct _WorkerSlot WorkerSlot;

typedef struct
{
  guint min_workers; /* that stay when there is nothing to do */
  guint max_workers;
  guint idle;                /* how long the others stay, in ms; 0: for ever */
  guint calls_in_flight;     /* that a worker has been sent and has not answered */
  guint64 calls_per_worker;  /* 0: any number */
  guint64 memory_per_worker; /* resident, in bytes; 0: any */
  guint max_queue_calls;     /* that may wait before there is no room for more; 0: any number */
  guint64 max_queue_bytes;   /* likewise, of their arguments */
} SchedulerConfig;

/* What is wanted. */
typedef struct
{
  ProcfunFunction *function;
  ProcfunCall *call;         /* (nullable): NULL for who holds the worker for several */
  GCancellable *cancellable; /* (nullable): of who has no call */
  const ExchangeOptions *options;
  int priority;              /* see queue.h */
  gsize n_bytes;             /* of arguments that wait */
  gint64 deadline;           /* monotonic time in µs; 0: none */
  gboolean may_be_pipelined; /* it may be sent to a worker that is busy, and wait there */
} SlotRequest;

/* @executor, unowned, emits its signals. */
Scheduler *scheduler_new (ProcfunExecutor *executor);

/* One with the same settings, which has nothing else in common with @other. */
Scheduler *scheduler_new_like (Scheduler *other);

/* Calls from now on get workers that are started after this. */
void scheduler_renew (Scheduler *self);

void scheduler_unref (Scheduler *self);

void scheduler_get_config (Scheduler *self, SchedulerConfig *config);

/* Sets one of its fields, and does what follows from it. FALSE: it had that value. */
gboolean scheduler_set_config (Scheduler *self, gsize offset, gsize size, gconstpointer value);
#define SCHEDULER_SET(self, field, value)                                                          \
  scheduler_set_config (self, G_STRUCT_OFFSET (SchedulerConfig, field), sizeof (value), &(value))

/* (nullable): what each worker runs first. */
void scheduler_set_initializer (Scheduler *self, ProcfunFunction *function, GVariant *args);

/* Waits for a worker. Fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_TIMED_OUT,
 * %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_CLOSED for who wants to hold one, or %PROCFUN_ERROR_NESTED
 * when all workers are this thread's own, so that it would wait for ever. */
WorkerSlot *scheduler_acquire (Scheduler *self, const SlotRequest *request, GError **error);

/* (nullable): without an error when there is none to have now. */
WorkerSlot *scheduler_try_acquire (Scheduler *self, const SlotRequest *request, GError **error);

/* The same without waiting: @callback comes, maybe at once, or in @context. */
typedef void (*SlotFunc) (WorkerSlot *slot, GError *error, gpointer user_data);
void scheduler_acquire_async (Scheduler *self, const SlotRequest *request, GMainContext *context,
                              SlotFunc callback, gpointer user_data);

/* (nullable): not NULL when the worker is busy, and the call is to be given to
 * exchange_new_pipelined() and worker_slot_queue(). */
Exchange *worker_slot_get_head (WorkerSlot *self);
void worker_slot_queue (WorkerSlot *self, Exchange *exchange);

/* What is to be given to exchange_new(), and exchange_set_release() with the slot. */
Worker *worker_slot_get_worker (WorkerSlot *self);
void worker_slot_release (Worker *worker, gboolean is_usable, gpointer slot);

/* It has been given this. */
void worker_slot_set_head (WorkerSlot *self, Exchange *exchange);

/* Sends what a new worker has to run first. */
void worker_slot_begin (WorkerSlot *self, const ExchangeOptions *options);

/* It was never used; or is not used any more, by who held it. */
void worker_slot_give_back (WorkerSlot *self);

/* It is not used, and nobody else shall. */
void worker_slot_discard (WorkerSlot *self);

/* What is released next is no call: it was not begun. */
void worker_slot_set_unused (WorkerSlot *self);

/* It had died, unnoticed, before it was given anything. */
void worker_slot_set_unsent (WorkerSlot *self);

/* Keeps it for several calls, until it is given back; FALSE: the scheduler is closed, and it must
 * be discarded. Each call begins with taking it, in vain if it is lost
 * (%PROCFUN_ERROR_WORKER_LOST), is in use (%PROCFUN_ERROR_BUSY), or is no process for that function
 * (%PROCFUN_ERROR_INVALID). */
gboolean worker_slot_hold (WorkerSlot *self);
gboolean worker_slot_take (WorkerSlot *self, ProcfunCall *call, gboolean is_async, GError **error);
int worker_slot_get_pid (WorkerSlot *self);

/* Room in the queue for one more call, kept until scheduler_leave_admission(). Fails with
 * %PROCFUN_ERROR_BUSY, or waits, and fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_CLOSED, or
 * %PROCFUN_ERROR_NESTED as above. */
gboolean scheduler_try_admit (Scheduler *self, ProcfunFunction *function, GError **error);
gboolean scheduler_admit (Scheduler *self, ProcfunFunction *function, GCancellable *cancellable,
                          GError **error);
void scheduler_leave_admission (Scheduler *self);

/* The same without waiting: @callback comes, maybe at once, in this thread's main context. */
typedef void (*AdmissionFunc) (GError *error, gpointer user_data);
void scheduler_admit_async (Scheduler *self, GCancellable *cancellable, AdmissionFunc callback,
                            gpointer user_data);

void scheduler_describe (Scheduler *self, ProcfunStatistics *statistics);

/* Whether calls run or wait that only this thread can bring to an end. */
gboolean scheduler_has_own_calls (Scheduler *self);

/* Nobody waits for room any more, or for a worker to hold. */
void scheduler_begin_to_close (Scheduler *self);

/* Ends all calls, those in the queue, too, and does not wait for their grace periods. The second is
 * for what is still there a moment later. */
void scheduler_abort (Scheduler *self);
void scheduler_kill (Scheduler *self);

/* Ends all workers; no call runs. */
void scheduler_clear (Scheduler *self);
