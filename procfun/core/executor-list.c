/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/executor-list.h"

struct _ExecutorEntry
{
  GList link;
  GWeakRef executor; /* weak: an executor that ends in another thread must not be revived */
};

G_LOCK_DEFINE_STATIC (entries);
static GQueue entries = G_QUEUE_INIT; /* (element-type ExecutorEntry) */

ExecutorEntry *
executor_list_add (ProcfunExecutor *executor, guint *number)
{
  static guint n_made;
  ExecutorEntry *entry = g_new0 (ExecutorEntry, 1);

  entry->link.data = entry;
  g_weak_ref_init (&entry->executor, executor);
  G_LOCK (entries);
  *number = ++n_made;
  g_queue_push_tail_link (&entries, &entry->link);
  G_UNLOCK (entries);
  return entry;
}

void
executor_list_remove (ExecutorEntry *entry)
{
  G_LOCK (entries);
  g_queue_unlink (&entries, &entry->link);
  G_UNLOCK (entries);
  g_weak_ref_clear (&entry->executor);
  g_free (entry);
}

GPtrArray *
executor_list_ref_all (void)
{
  GPtrArray *executors = g_ptr_array_new_with_free_func (g_object_unref);

  G_LOCK (entries);
  for (GList *link = entries.head; link != NULL; link = link->next)
    {
      ExecutorEntry *entry = link->data;
      ProcfunExecutor *executor = g_weak_ref_get (&entry->executor);

      if (executor != NULL)
        g_ptr_array_add (executors, executor);
    }
  G_UNLOCK (entries);
  return executors;
}
