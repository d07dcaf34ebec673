/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/crew.h"

#include "procfun/process/zygotes.h"
#include "procfun/schedule/queue.h"

struct _Crew
{
  ProcfunExecutor *executor; /* unowned */
  Nurseries *nurseries;

  GMutex lock; /* for all that follows */
  CrewConfig config;
  gboolean is_closing;
  Queue queue;       /* (element-type CrewWaiter) */
  GQueue idle;       /* (element-type CrewMember): the one that worked last comes first */
  GQueue busy;       /* (element-type CrewMember): those that are about to be started among them */
  GQueue ended;      /* (element-type CrewMember): that may not be dead yet */
  guint n_permanent; /* members that do not end by themselves */
  gint64 look_at;    /* when to look for those that have: monotonic time in µs */
  ProcfunFunction *initializer; /* (nullable) */
  GVariant *initializer_args;   /* (nullable) */

  GCond room;        /* the queue has become shorter */
  guint n_in_thread; /* that wait for that */
  GQueue newcomers;  /* (element-type GSource): who wait for that in a main context */
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
  gboolean is_stuck;     /* whoever runs the context waits for this crew */
} CrewOwner;

struct _CrewMember
{
  gatomicrefcount ref_count; /* who holds it for several calls has one more */
  GList link;                /* in one of the queues */
  Crew *crew;
  Worker worker;    /* empty while a call has it, and before it is started */
  Process *process; /* (unowned) (nullable): the worker's, wherever that is */
  const char *module;
  int pid;
  gint64 started_at;
  guint64 n_calls;
  gboolean is_idle;
  gboolean is_permanent;
  gboolean is_unsent; /* it had died before it was given its call */
  gboolean is_unused; /* there was no call */

  /* While somebody has it */
  CrewOwner owner;
  ProcfunCall *call; /* (nullable) (unowned) */
  Exchange *front;   /* (nullable) (unowned): its call, where others may be sent behind it */
  GQueue behind;     /* (element-type Exchange): those that have been sent */
  gboolean is_held;  /* for several calls */
  gboolean is_lost;  /* while it was held */
};

/* Somebody who asks for a worker. */
typedef struct
{
  QueueEntry entry;
  const char *module;
  ProcfunCall *call; /* (nullable) (unowned) */
  CrewOwner owner;

  /* With the lock held */
  gboolean is_granted;
  CrewMember *member;  /* (nullable): this one, which may have to be started, */
  CrewMember *retired; /* (nullable): instead of that one */

  GCond granted;   /* for a thread that waits */
  GSource *source; /* (nullable): for a main context */
} CrewWaiter;

/* @context: (nullable): of an asynchronous call */
void crew_owner_init (CrewOwner *self, GMainContext *context);
void crew_owner_clear (CrewOwner *self);

/* Whether nothing becomes of it while this thread waits. */
gboolean crew_owner_is_here (const CrewOwner *self);

/* The module is the waiter's to know before, like call and owner. FALSE: there is nothing to have
 * now, and the waiter is in the queue, if it @waits, or else what crew_find_busy() has found is in
 * *@busy (nullable). */
gboolean crew_ask (Crew *self, const CrewRequest *request, CrewWaiter *waiter, gboolean waits,
                   CrewMember **busy);

/* What was granted. The second is for who does not want it any more. */
CrewMember *crew_redeem (Crew *self, const CrewRequest *request, CrewWaiter *waiter,
                         GError **error);
void crew_decline (Crew *self, CrewWaiter *waiter);

/* Sends it what waits at the head of the queue for this same main context, as far as it goes. */
void crew_feed (CrewMember *member);

/* With the lock held: whether @request can be sent to @member ahead of its turn. */
gboolean crew_can_send_ahead (CrewMember *member, const CrewRequest *request);

/* With the lock held: a busy worker that @request can be sent to now, one whose answers this thread
 * takes in any case. (nullable) */
CrewMember *crew_find_busy (Crew *self, const CrewRequest *request);

/* With the lock held, around waiting in a thread: its main contexts stand still meanwhile. */
void crew_begin_wait (Crew *self);
void crew_end_wait (Crew *self);

/* With the lock held: those who have all the workers wait, and this thread is one of them, so that
 * it would wait for ever. */
gboolean crew_is_deadlocked (Crew *self);
void crew_set_nested (ProcfunFunction *function, GError **error);
void crew_set_closed (ProcfunFunction *function, GError **error);

/* For threads that wait with a GCond: wakes them when @cancellable trips. */
typedef struct
{
  Crew *crew;
  GCond *cond;
  GCancellable *cancellable; /* (nullable) */
  gulong handler;
} CrewAlarm;

void crew_alarm_set (CrewAlarm *self, Crew *crew, GCond *cond, GCancellable *cancellable);
void crew_alarm_clear (CrewAlarm *self);

/* All with the lock held. */

/* Gives what is free to those who wait. */
void crew_serve (Crew *self);

/* Lets all threads look that wait. */
void crew_wake_threads (Crew *self);

/* Lets those look who wait for room, all threads and the first of the others. */
void crew_announce_room (Crew *self);

/* Moves a member, from where it is to where those are that work, or out. */
void crew_member_set_busy (CrewMember *self);
void crew_member_strike (CrewMember *self);

CrewMember *crew_member_new (Crew *self, const char *module);
void crew_member_unref (CrewMember *self);

/* Starts the worker of a new member, without the lock. FALSE: the member is gone. */
gboolean crew_member_start (CrewMember *self, const CrewRequest *request, GError **error);
gboolean crew_is_backing_off (Crew *self);

/* With the lock held: a worker has become usable, or not (@error). */
void crew_note_start (Crew *self, const GError *error);

/* In crew-end.c. Notices those that have ended by themselves; with the lock held. @ended:
 * (element-type CrewMember) for crew_end_all(), without the lock. */
void crew_look (Crew *self, GQueue *ended);
void crew_look_sometimes (Crew *self, gint64 now, GQueue *ended);
void crew_end_all (GQueue *ended);

/* Why a worker is not to be used on after @n_calls. (nullable): it is. With the lock held. */
const char *crew_member_find_reason (CrewMember *self, const Worker *worker, guint64 n_calls);

/* In crew-end.c, with the lock held: what its first call says of the next worker's prospects. */
void crew_member_note_first_call (CrewMember *self, const Worker *worker, gboolean is_usable);

/* What becomes of a worker that has no call any more, in any way. */
void crew_member_put_back (CrewMember *self, Worker *worker, gboolean is_usable);

/* A member that was struck. @reason: (nullable): it could have gone on. */
void crew_member_end (CrewMember *self, const char *reason);
