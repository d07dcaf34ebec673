/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/queue.h"

/* Worth of one step of priority. */
#define STEP_US (G_USEC_PER_SEC / 100)

void
queue_init (Queue *self)
{
  *self = (Queue){ .usual = { .priority = G_PRIORITY_DEFAULT, .entries = G_QUEUE_INIT } };
  heap_init (&self->lanes);
  self->priorities = g_hash_table_new (NULL, NULL);
}

void
queue_clear (Queue *self)
{
  heap_clear (&self->lanes);
  g_hash_table_unref (self->priorities);
}

static Lane *
get_lane (Queue *self, gint priority)
{
  Lane *lane;

  if (priority == self->usual.priority)
    return &self->usual;
  lane = g_hash_table_lookup (self->priorities, GINT_TO_POINTER (priority));
  if (lane == NULL)
    {
      lane = g_new0 (Lane, 1);
      lane->priority = priority;
      g_hash_table_insert (self->priorities, GINT_TO_POINTER (priority), lane);
    }
  return lane;
}

static gint64
get_first_rank (const Lane *lane)
{
  return ((const QueueEntry *)lane->entries.head->data)->rank;
}

/* It goes to its place from the end, or from the head. */
static void
insert (Queue *self, QueueEntry *entry, gint priority, gboolean from_head)
{
  Lane *lane = get_lane (self, priority);
  GList *next = from_head ? lane->entries.head : NULL;

  while (next != NULL && ((const QueueEntry *)next->data)->rank <= entry->rank)
    next = next->next;
  entry->lane = lane;
  entry->link.data = entry;
  if (next != NULL)
    g_queue_insert_before_link (&lane->entries, next, &entry->link);
  else
    g_queue_push_tail_link (&lane->entries, &entry->link);
  if (lane->node.place == 0)
    heap_add (&self->lanes, &lane->node, entry->rank);
  else if (lane->entries.head == &entry->link)
    heap_change (&self->lanes, &lane->node, entry->rank);
  self->length++;
  self->n_bytes += entry->n_bytes;
}

void
queue_push (Queue *self, QueueEntry *entry, gint priority, gsize n_bytes)
{
  entry->rank = g_get_monotonic_time () + (gint64)priority * STEP_US;
  entry->n_bytes = n_bytes;
  insert (self, entry, priority, FALSE);
}

void
queue_return (Queue *self, QueueEntry *entry, gint priority)
{
  insert (self, entry, priority, TRUE);
}

QueueEntry *
queue_peek (const Queue *self)
{
  const HeapNode *node = heap_peek (&self->lanes);

  return node != NULL ? ((const Lane *)node)->entries.head->data : NULL;
}

gboolean
queue_remove (Queue *self, QueueEntry *entry)
{
  Lane *lane = g_steal_pointer (&entry->lane);

  if (lane == NULL)
    return FALSE;
  g_queue_unlink (&lane->entries, &entry->link);
  self->length--;
  self->n_bytes -= entry->n_bytes;
  if (lane->entries.head != NULL)
    {
      heap_change (&self->lanes, &lane->node, get_first_rank (lane));
      return TRUE;
    }
  heap_remove (&self->lanes, &lane->node);
  if (lane != &self->usual)
    {
      g_hash_table_remove (self->priorities, GINT_TO_POINTER (lane->priority));
      g_free (lane);
    }
  return TRUE;
}

QueueEntry *
queue_find (const Queue *self, gboolean (*is_wanted) (QueueEntry *entry, gpointer user_data),
            gpointer user_data)
{
  QueueEntry *found = NULL;

  for (guint i = 0; i < self->lanes.nodes->len; i++)
    {
      const Lane *lane = self->lanes.nodes->pdata[i];
      GList *l = lane->entries.head;

      while (l != NULL && !is_wanted (l->data, user_data))
        l = l->next;
      if (l != NULL && (found == NULL || ((QueueEntry *)l->data)->rank < found->rank))
        found = l->data;
    }
  return found;
}

void
queue_foreach (const Queue *self, void (*func) (QueueEntry *entry, gpointer user_data),
               gpointer user_data)
{
  for (guint i = 0; i < self->lanes.nodes->len; i++)
    {
      const Lane *lane = self->lanes.nodes->pdata[i];

      for (GList *l = lane->entries.head; l != NULL; l = l->next)
        func (l->data, user_data);
    }
}
