/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/queue.h"

/* All grow older at the same pace, so their order does not change while they wait: what one step of
 * priority is worth. */
#define STEP_US (G_USEC_PER_SEC / 100)

void
queue_init (Queue *self)
{
  g_queue_init (&self->entries);
  self->n_bytes = 0;
}

void
queue_push (Queue *self, QueueEntry *entry, int priority, gsize n_bytes)
{
  GList *before = self->entries.tail;

  entry->rank = g_get_monotonic_time () + (gint64)priority * STEP_US;
  entry->n_bytes = n_bytes;
  self->n_bytes += n_bytes;
  while (before != NULL && ((QueueEntry *)before->data)->rank > entry->rank)
    before = before->prev;
  g_queue_insert_after (&self->entries, before, entry);
  entry->link = before != NULL ? before->next : self->entries.head;
}

QueueEntry *
queue_peek (Queue *self)
{
  return g_queue_peek_head (&self->entries);
}

gboolean
queue_remove (Queue *self, QueueEntry *entry)
{
  if (entry->link == NULL)
    return FALSE;
  g_queue_delete_link (&self->entries, g_steal_pointer (&entry->link));
  self->n_bytes -= entry->n_bytes;
  return TRUE;
}
