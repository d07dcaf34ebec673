/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/backend/exchange.h"
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
} CrewConfig;

/* What is wanted. */
typedef struct
{
  ProcfunFunction *function;
  const ExchangeOptions *options;
  int priority;          /* see queue.h */
  gsize n_bytes;         /* of arguments that wait */
  gint64 deadline;       /* monotonic time in µs; 0: none */
  gboolean may_go_ahead; /* it may be sent to a worker that is busy, and wait there */
} CrewRequest;

/* @executor, unowned, emits its signals. */
Crew *crew_new (ProcfunExecutor *executor);
void crew_unref (Crew *self);

void crew_configure (Crew *self, const CrewConfig *config);
void crew_get_config (Crew *self, CrewConfig *config);

/* (nullable): what each worker runs first. */
void crew_set_initializer (Crew *self, ProcfunFunction *function, GVariant *args);

/* Waits for a worker. Fails with %G_IO_ERROR_CANCELLED, %PROCFUN_ERROR_TIMED_OUT,
 * %PROCFUN_ERROR_SPAWN, or %PROCFUN_ERROR_NESTED when all workers are this thread's own, so that it
 * would wait for ever. */
CrewMember *crew_acquire (Crew *self, const CrewRequest *request, GCancellable *cancellable,
                          GError **error);

/* The same without waiting: @callback comes, maybe at once, in this thread's main context. */
typedef void (*CrewFunc) (CrewMember *member, GError *error, gpointer user_data);
void crew_acquire_async (Crew *self, const CrewRequest *request, GCancellable *cancellable,
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

/* It was never used. */
void crew_member_give_back (CrewMember *self);

/* It had died, unnoticed, before it was given anything. */
void crew_member_discard (CrewMember *self);

guint crew_get_queue (Crew *self, guint64 *n_bytes);
void crew_describe (Crew *self, ProcfunStatistics *statistics);

/* Waits until the queue is shorter than @n_calls and @n_bytes, where these are not 0. */
gboolean crew_wait_for_room (Crew *self, guint n_calls, guint64 n_bytes, GCancellable *cancellable,
                             GError **error);

/* Ends all workers; nobody may have one. */
void crew_clear (Crew *self);
