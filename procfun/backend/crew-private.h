/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/backend/crew.h"

#include "procfun/backend/nurseries.h"
#include "procfun/backend/queue.h"

struct _Crew
{
  ProcfunExecutor *executor; /* unowned */
  Nurseries *nurseries;

  GMutex lock; /* for all that follows */
  GCond room;  /* the queue has become shorter */
  guint n_wait_for_room;
  CrewConfig config;
  Queue queue;     /* (element-type CrewWaiter) */
  GQueue idle;     /* (element-type CrewMember): the one that worked last comes first */
  GQueue busy;     /* (element-type CrewMember) */
  guint n_workers; /* those that somebody is about to start among them */
  ProcfunFunction *initializer; /* (nullable) */
  GVariant *initializer_args;   /* (nullable) */

  GError *start_error; /* (nullable): of the last worker that did not start */
  gint64 retry;        /* in µs */
  gint64 retry_at;     /* monotonic time in µs */
};

struct _CrewMember
{
  GList link; /* in one of the two queues */
  Crew *crew;
  Worker worker; /* empty while a call has it */
  const char *module;
  int pid;
  gint64 started_at;
  guint64 n_calls;
  gboolean is_idle;

  /* Who has it */
  GThread *thread;
  gboolean is_async;     /* in the main context: */
  Exchange *front;       /* (nullable) (unowned): the call that it runs there */
  GQueue behind;         /* (element-type Exchange): those that have been sent */
  GMainContext *context; /* (nullable) */
};

/* Somebody who asks for a worker. */
typedef struct
{
  QueueEntry entry;
  const char *module;
  gboolean is_async;

  /* With the lock held */
  gboolean is_granted;
  CrewMember *member;  /* (nullable): this one */
  gboolean may_start;  /* or a new one, instead of */
  CrewMember *retired; /* (nullable) that one */

  GCond granted;   /* for a thread that waits */
  GSource *source; /* (nullable): for a main context */
} CrewWaiter;

/* FALSE: there is nothing to have now. */
gboolean crew_try (Crew *self, const CrewRequest *request, CrewWaiter *waiter);

/* FALSE: it is in the queue now. */
gboolean crew_ask (Crew *self, const CrewRequest *request, CrewWaiter *waiter);

/* What was granted. */
CrewMember *crew_redeem (Crew *self, const CrewRequest *request, CrewWaiter *waiter,
                         GError **error);

/* Sends it what waits at the head of the queue for this same main context, as far as it goes. */
void crew_feed (CrewMember *member);

/* With the lock held: whether @request can be sent to @member ahead of its turn. */
gboolean crew_can_send_ahead (const CrewMember *member, const CrewRequest *request);

/* A busy worker that @request can be sent to now: one whose answers this thread takes in any case.
 * (nullable) */
CrewMember *crew_find_busy (Crew *self, const CrewRequest *request);

/* Whether a worker could be started, or why not. */
void crew_note_start (Crew *self, const GError *error);
