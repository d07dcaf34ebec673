/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that wait for calls which only they could bring to an end. */

#include "procfun/schedule/context-source.h"
#include "procfun/schedule/scheduler.h"

static gboolean
all_are_stuck (Scheduler *self)
{
  if (self->slots.busy.length < self->config.max_workers)
    return FALSE;
  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    if (!((const WorkerSlot *)l->data)->owner.is_stuck)
      return FALSE;
  return TRUE;
}

/* Threads that wait for each other, or for themselves, have to see it now. */
void
scheduler_check_deadlock (Scheduler *self)
{
  if (self->blocked.length == 0 || !all_are_stuck (self))
    return;
  for (GList *l = self->blocked.head; l != NULL; l = l->next)
    g_cond_signal (((const Blocked *)l->data)->cond);
}

/* A thread that waits in the queue is no obstacle: it takes what it gets. But calls that wait in
 * its main contexts would have to be brought to an end by it. FALSE: it has nothing. */
static gboolean
mark_all (Scheduler *self, gboolean is_stuck)
{
  gboolean found = FALSE;

  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    found = owner_mark (&((WorkerSlot *)l->data)->owner, is_stuck) || found;
  for (GList *l = self->sources.head; l != NULL; l = l->next)
    found = context_source_mark (l->data, is_stuck) || found;
  return found;
}

void
scheduler_begin_wait (Scheduler *self, Blocked *blocked, GCond *cond)
{
  *blocked = (Blocked){ .link = { .data = blocked }, .cond = NULL };
  if (!mark_all (self, TRUE))
    return;
  blocked->cond = cond;
  g_queue_push_tail_link (&self->blocked, &blocked->link);
  scheduler_check_deadlock (self);
}

void
scheduler_end_wait (Scheduler *self, Blocked *blocked)
{
  if (blocked->cond == NULL)
    return;
  g_queue_unlink (&self->blocked, &blocked->link);
  mark_all (self, FALSE);
}

gboolean
scheduler_is_deadlocked (Scheduler *self)
{
  if (!all_are_stuck (self))
    return FALSE;
  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    if (owner_is_here (&((const WorkerSlot *)l->data)->owner))
      return TRUE;
  return FALSE;
}
