/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Node of a Heap, inside of what is sorted. */
typedef struct
{
  gint64 key;
  guint place; /* from 1; 0: in no heap */
} HeapNode;

/* Sorted set of nodes with the least key first: adding and removing take O(log n). */
typedef struct
{
  GPtrArray *nodes; /* (element-type HeapNode) */
} Heap;

void heap_init (Heap *self);
void heap_clear (Heap *self);

/* (nullable) */
HeapNode *heap_peek (const Heap *self);

void heap_add (Heap *self, HeapNode *node, gint64 key);

/* Does nothing to a node that is in no heap. */
void heap_remove (Heap *self, HeapNode *node);
void heap_change (Heap *self, HeapNode *node, gint64 key);
