/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/waker.h"
#include "procfun/schedule/context-source.h"

/* For context-source.c and context-waiter.c alone. */

/* After so much time others of the main loop have their turn. */
#define CONTEXT_TURN_US 1000

/* The source of a main context. */
struct _ContextSource
{
  GSource source;
  Scheduler *scheduler;
  gint is_ready; /* atomic: somebody is to be told something */

  /* With the scheduler's lock held */
  guint process; /* of the program's, that made it */

  GList link; /* among those of the scheduler */
  Owner owner;
  GQueue due;      /* (element-type ContextWaiter): they have left the queue */
  GQueue starting; /* (element-type ContextWaiter): their workers are being started */
  Heap deadlines;  /* of those that wait */
  GQueue sessions; /* (element-type ContextWaiter): without a call */
  gint64 look_at;  /* when to look who is absent: see presence.h; 0: never */
  guint n_waiters; /* that were not called back */

  GMutex lock;    /* the innermost: cancelled from any thread */
  GQueue tripped; /* (element-type ContextWaiter) */
  gint64 next;    /* the first deadline; 0: none */
};

typedef struct
{
  Waiter base; /* its place in the queue is its place in `due` when it has left the queue */
  HeapNode deadline;
  Canceller *canceller; /* (nullable): of its call */
  Waker *waker;         /* (nullable): of a session */
  GList session;
  GList tripped; /* data: NULL: it is not in that list */
  SlotFunc callback;
  gpointer user_data;
  ZygotesFork *fork;    /* (nullable): its worker is being started */
  gpointer fork_tag;    /* (nullable): of the descriptor that it waits for meanwhile */
  gboolean is_starting; /* it is in that list */
  gboolean is_over;     /* though it was assigned a worker */
} ContextWaiter;

/* The source */

void context_source_make_ready (ContextSource *self);

/* Its first deadline may be another one. With the lock held. */
void context_source_update_next (ContextSource *self);

/* Its thread deals with it now, and nobody else. With the lock held. */
ContextWaiter *context_source_take_out (ContextSource *self, GQueue *list, GList *link);

/* Those whose workers are being started. @is_told: by a zygote, but not by which. */
void context_source_go_on_starting (ContextSource *self, gboolean is_told);

/* The waiter */

/* Its call was cancelled. From any thread. */
void context_waiter_note_tripped (gpointer waiter);

/* With the lock held: it waits in vain. */
void context_waiter_give_up (ContextWaiter *self);

/* Goes on with one that has left the queue: starts its worker, or ends it. */
void context_waiter_tell (ContextWaiter *self);

/* Ends it with @error, which it takes, whatever it waits for. */
void context_waiter_abandon (ContextWaiter *self, GError *error);
