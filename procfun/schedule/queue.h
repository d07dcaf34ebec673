/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/heap.h"
#include <gio/gio.h>

/* Calls of one priority, in the order in which they came. */
typedef struct
{
  HeapNode node; /* by the rank of the first one */
  gint priority;
  GQueue entries; /* (element-type QueueEntry) */
} Lane;

/* Waiters for a worker, the most urgent first. All grow older at the same pace, so within a
 * priority the order is that of arrival, and adding, removing and looking take O(1); only the
 * lanes, one for each priority that is there, are sorted. It has no lock of its own. */
typedef struct
{
  Heap lanes;             /* that are not empty */
  GHashTable *priorities; /* (element-type gint Lane): the same and @usual, by priority */
  Lane usual;             /* of the default priority */
  guint length;
  guint64 n_bytes;
} Queue;

/* @priority is GLib's: less is more urgent. An entry becomes more urgent
 * by 100 each second, so that none waits for ever. */
typedef struct
{
  GList link;
  Lane *lane;  /* (nullable): NULL: it is not in the queue */
  gint64 rank; /* what it is sorted by: the time it came at, in µs, and its priority */
  gsize n_bytes;
} QueueEntry;

void queue_init (Queue *self);
void queue_clear (Queue *self);

void queue_push (Queue *self, QueueEntry *entry, gint priority, gsize n_bytes);

/* Puts one back that was removed, at its old place. */
void queue_return (Queue *self, QueueEntry *entry, gint priority);

/* (nullable) */
QueueEntry *queue_peek (const Queue *self);

static inline gboolean
queue_has (const QueueEntry *entry)
{
  return entry->lane != NULL;
}

/* FALSE: it is not in the queue any more. */
gboolean queue_remove (Queue *self, QueueEntry *entry);

/* The first one for which @is_wanted, when others come before it that are not: it looks at all of
 * these. (nullable) */
QueueEntry *queue_find (const Queue *self,
                        gboolean (*is_wanted) (QueueEntry *entry, gpointer user_data),
                        gpointer user_data);

/* In no particular order. */
void queue_foreach (const Queue *self, void (*func) (QueueEntry *entry, gpointer user_data),
                    gpointer user_data);
