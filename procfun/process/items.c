/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/items.h"

/* How far a function runs ahead of its reader: far enough that neither often waits for the other.
 */
#define WINDOW_ITEMS 256
#define WINDOW_BYTES ((guint64)256 * 1024)

typedef struct
{
  GVariant *value;
  GUnixFDList *fds; /* (nullable) */
  gsize size;
} Item;

void
items_init (Items *self)
{
  *self = (Items){ 0 };
  g_queue_init (&self->queue);
}

static void
item_free (gpointer item)
{
  Item *self = item;

  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_object (&self->fds);
  g_free (self);
}

void
items_clear (Items *self)
{
  if (!items_is_empty (self))
    g_queue_clear_full (&self->queue, item_free);
}

/* Not for each item, and early enough that the function need not wait. When it waits, it has used
 * up what it knows of; so when all of that is taken, more than half a window is to be told. */
void
items_give_credit (Items *self, Channel *channel, guint32 call_id)
{
  const FrameCredit credit
      = { self->taken.n_items + WINDOW_ITEMS, self->taken.n_bytes + WINDOW_BYTES };

  if (credit.n_items - self->credit.n_items < WINDOW_ITEMS / 2
      && credit.n_bytes - self->credit.n_bytes < WINDOW_BYTES / 2)
    return;
  self->credit = credit;
  channel_send (channel, FRAME_CREDIT, call_id, &credit, sizeof credit, NULL, NULL);
  channel_out_flush (&channel->out);
}

gboolean
items_push (Items *self, GVariant *value, GUnixFDList *fds, gsize size)
{
  Item *item = g_new0 (Item, 1);

  item->value = value;
  item->fds = fds;
  item->size = size;
  if (self->came.n_items >= self->credit.n_items || self->came.n_bytes >= self->credit.n_bytes)
    {
      item_free (item);
      return FALSE;
    }
  self->came.n_items++;
  self->came.n_bytes += size;
  g_queue_push_tail (&self->queue, item);
  return TRUE;
}

gboolean
items_is_empty (const Items *self)
{
  return self->queue.length == 0;
}

GVariant *
items_pop (Items *self, GUnixFDList **fds)
{
  Item *item = g_queue_pop_head (&self->queue);
  GVariant *value = NULL;

  *fds = NULL;
  if (item == NULL)
    return NULL;
  self->taken.n_items++;
  self->taken.n_bytes += item->size;
  value = g_steal_pointer (&item->value);
  *fds = g_steal_pointer (&item->fds);
  item_free (item);
  return value;
}
