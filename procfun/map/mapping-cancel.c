/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Elements of a map that were cancelled, and have no answer yet. */

#include "procfun/core/function.h"
#include "procfun/map/mapping.h"

static int
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  guint64 one = *(const guint64 *)a;
  guint64 other = *(const guint64 *)b;

  return one < other ? -1 : one > other;
}

static void
add (Mapping *self, guint64 index)
{
  guint64 *key = g_memdup2 (&index, sizeof index);

  if (self->cancelled == NULL)
    self->cancelled = g_tree_new_full (compare, NULL, g_free, NULL);
  g_tree_insert (self->cancelled, key, key);
}

guint64
mapping_find_cancelled (Mapping *self, guint64 from)
{
  GTreeNode *node = self->cancelled != NULL ? g_tree_lower_bound (self->cancelled, &from) : NULL;

  return node != NULL ? *(guint64 *)g_tree_node_key (node) : G_MAXUINT64;
}

gboolean
mapping_forget_cancelled (Mapping *self, guint64 index)
{
  return self->cancelled != NULL && g_tree_remove (self->cancelled, &index);
}

/* (nullable): it is in no chunk that runs */
static MapSlot *
find_slot (Mapping *self, guint64 index)
{
  for (guint i = 0; i < self->slots->len; i++)
    {
      MapSlot *slot = self->slots->pdata[i];

      if (index >= slot->chunk.first && index - slot->chunk.first < slot->chunk.n)
        return slot;
    }
  return NULL;
}

void
mapping_cancel_element (Mapping *self, guint64 index)
{
  MapSlot *slot = find_slot (self, index);

  if (slot != NULL && !slot->is_aborted)
    {
      add (self, index);
      map_slot_cancel_element (slot, index - slot->chunk.first);
    }
  else if (slot == NULL && map_input_has (self->input, index))
    add (self, index);
}
