/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* Waiters for a worker, the most urgent first. It has no lock of its own. */
typedef struct
{
  GQueue entries; /* (element-type QueueEntry) */
  guint64 n_bytes;
} Queue;

/* @priority is GLib's: less is more urgent. An entry becomes more urgent
 * by 100 each second, so that none waits for ever. */
typedef struct
{
  gint64 rank; /* what it is sorted by: the time it came at, in µs, and its priority */
  gsize n_bytes;
  GList *link;
} QueueEntry;

void queue_init (Queue *self);

void queue_push (Queue *self, QueueEntry *entry, int priority, gsize n_bytes);

/* (nullable) */
QueueEntry *queue_peek (Queue *self);

/* FALSE: it is not in the queue any more. */
gboolean queue_remove (Queue *self, QueueEntry *entry);
