/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/procfun-executor.h"
#include "procfun/procfun-statistics.h"

/* The workers of a pool, and those who wait for one. Whoever has a worker has it alone: there is no
 * lock and no pipe that two of them share. Any thread may ask. */
typedef struct _Crew Crew;

/* One of them, while somebody has it. */
typedef struct _CrewMember CrewMember;

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
} CrewConfig;

/* What is wanted. */
typedef struct
{
  ProcfunFunction *function;
  ProcfunCall *call;         /* (nullable): NULL for who holds the worker for several */
  GCancellable *cancellable; /* (nullable): of who has no call */
  const ExchangeOptions *options;
  int priority;          /* see queue.h */
  gsize n_bytes;         /* of arguments that wait */
  gint64 deadline;       /* monotonic time in µs; 0: none */
  gboolean may_go_ahead; /* it may be sent to a worker that is busy, and wait there */
} CrewRequest;

/* @executor, unowned, emits its signals. */
Crew *crew_new (ProcfunExecutor *executor);
void crew_unref (Crew *self);

void crew_get_config (Crew *self, CrewConfig *config);

/* Sets one of its fields, and does what follows from it. FALSE: it had that value. */
gboolean crew_set_config (Crew *self, gsize offset, gsize size, gconstpointer value);
#define CREW_SET(self, field, value)                                                               \
  crew_set_config (self, G_STRUCT_OFFSET (CrewConfig, field), sizeof (value), &(value))

/* (nullable): what each worker runs first. */
void crew_set_initializer (Crew *self, ProcfunFunction *function, GVariant *args);

/* Waits for a worker. Fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_TIMED_OUT,
 * %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_CLOSED for who wants to hold one, or %PROCFUN_ERROR_NESTED
 * when all workers are this thread's own, so that it would wait for ever. */
CrewMember *crew_acquire (Crew *self, const CrewRequest *request, GError **error);

/* (nullable): without an error when there is none to have now. */
CrewMember *crew_try_acquire (Crew *self, const CrewRequest *request, GError **error);

/* The same without waiting: @callback comes, maybe at once, or in @context. */
typedef void (*CrewFunc) (CrewMember *member, GError *error, gpointer user_data);
void crew_acquire_async (Crew *self, const CrewRequest *request, GMainContext *context,
                         CrewFunc callback, gpointer user_data);

/* (nullable): not NULL when the worker is busy, and the call is to be given to
 * exchange_new_behind() and crew_member_queue(). */
Exchange *crew_member_get_front (CrewMember *self);
void crew_member_queue (CrewMember *self, Exchange *exchange);

/* What is to be given to exchange_new(), and exchange_set_release() with the member. */
Worker *crew_member_get_worker (CrewMember *self);
void crew_member_release (Worker *worker, gboolean is_usable, gpointer member);

/* It has been given this. */
void crew_member_set_front (CrewMember *self, Exchange *exchange);

/* Sends what a new worker has to run first. */
void crew_member_begin (CrewMember *self, const ExchangeOptions *options);

/* It was never used; or is not used any more, by who held it. */
void crew_member_give_back (CrewMember *self);

/* It is not used, and nobody else shall. */
void crew_member_discard (CrewMember *self);

/* What is released next is no call: it was not begun. */
void crew_member_set_unused (CrewMember *self);

/* It had died, unnoticed, before it was given anything. */
void crew_member_set_unsent (CrewMember *self);

/* Keeps it for several calls, until it is given back; FALSE: the crew is closed, and it must be
 * discarded. Each call begins with taking it, in vain if it is lost (%PROCFUN_ERROR_WORKER_LOST),
 * is in use (%PROCFUN_ERROR_BUSY), or is no process for that function (%PROCFUN_ERROR_INVALID). */
gboolean crew_member_hold (CrewMember *self);
gboolean crew_member_take (CrewMember *self, ProcfunCall *call, gboolean is_async, GError **error);
int crew_member_get_pid (CrewMember *self);

/* Room in the queue for one more call, kept until crew_leave_entrance(). Fails with
 * %PROCFUN_ERROR_BUSY, or waits, and fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_CLOSED, or
 * %PROCFUN_ERROR_NESTED as above. */
gboolean crew_try_enter (Crew *self, ProcfunFunction *function, GError **error);
gboolean crew_enter (Crew *self, ProcfunFunction *function, GCancellable *cancellable,
                     GError **error);
void crew_leave_entrance (Crew *self);

/* The same without waiting: @callback comes, maybe at once, in this thread's main context. */
typedef void (*CrewRoomFunc) (GError *error, gpointer user_data);
void crew_enter_async (Crew *self, GCancellable *cancellable, CrewRoomFunc callback,
                       gpointer user_data);

void crew_describe (Crew *self, ProcfunStatistics *statistics);

/* Whether calls run or wait that only this thread can bring to an end. */
gboolean crew_has_own_calls (Crew *self);

/* Nobody waits for room any more, or for a worker to hold. */
void crew_begin_to_close (Crew *self);

/* Ends all calls, those in the queue, too, and does not wait for their grace periods. The second is
 * for what is still there a moment later. */
void crew_abort (Crew *self);
void crew_kill (Crew *self);

/* Ends all workers; no call runs. */
void crew_clear (Crew *self);
