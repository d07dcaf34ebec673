/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/heap.h"

void
heap_init (Heap *self)
{
  self->nodes = g_ptr_array_new ();
}

void
heap_clear (Heap *self)
{
  g_ptr_array_unref (self->nodes);
}

HeapNode *
heap_peek (const Heap *self)
{
  return self->nodes->len > 0 ? self->nodes->pdata[0] : NULL;
}

static HeapNode *
get (Heap *self, guint place)
{
  return self->nodes->pdata[place - 1];
}

static void
put (Heap *self, HeapNode *node, guint place)
{
  self->nodes->pdata[place - 1] = node;
  node->place = place;
}

static void
move_up (Heap *self, HeapNode *node)
{
  guint place = node->place;

  for (; place > 1 && get (self, place / 2)->key > node->key; place /= 2)
    put (self, get (self, place / 2), place);
  put (self, node, place);
}

static void
move_down (Heap *self, HeapNode *node)
{
  guint place = node->place;
  guint child;

  for (; (child = 2 * place) <= self->nodes->len; place = child)
    {
      if (child < self->nodes->len && get (self, child + 1)->key < get (self, child)->key)
        child++;
      if (get (self, child)->key >= node->key)
        break;
      put (self, get (self, child), place);
    }
  put (self, node, place);
}

void
heap_add (Heap *self, HeapNode *node, gint64 key)
{
  node->key = key;
  g_ptr_array_add (self->nodes, node);
  node->place = self->nodes->len;
  move_up (self, node);
}

void
heap_remove (Heap *self, HeapNode *node)
{
  HeapNode *last;
  guint place = node->place;

  if (place == 0)
    return;
  node->place = 0;
  last = self->nodes->pdata[self->nodes->len - 1];
  g_ptr_array_set_size (self->nodes, (gint)self->nodes->len - 1);
  if (last == node)
    return;
  put (self, last, place);
  move_up (self, last);
  move_down (self, last);
}

void
heap_change (Heap *self, HeapNode *node, gint64 key)
{
  if (node->place == 0 || node->key == key)
    return;
  node->key = key;
  move_up (self, node);
  move_down (self, node);
}
