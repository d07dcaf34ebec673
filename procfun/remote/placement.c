/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/placement.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/remote-host.h"

void
placement_init (Placement *self)
{
  self->hosts = g_ptr_array_new_with_free_func ((GDestroyNotify)remote_host_free);
  queue_init (&self->queue);
  heap_init (&self->deadlines);
}

void
placement_clear (Placement *self)
{
  g_ptr_array_unref (self->hosts);
  queue_clear (&self->queue);
  heap_clear (&self->deadlines);
}

/* The queue */

static void
cancel_queued (RemoteCall *remote)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  GError *error = NULL;

  g_cancellable_cancel (cancelled);
  g_cancellable_set_error_if_cancelled (cancelled, &error); /* the words are GLib's */
  remote_call_fail (remote, PROCFUN_CAUSE_CANCELLED, NULL, error);
}

static RemoteCall *
get_call (QueueEntry *entry)
{
  return entry != NULL ? (gpointer)((guint8 *)entry - G_STRUCT_OFFSET (RemoteCall, entry)) : NULL;
}

static void
watch_deadline (Placement *self, RemoteCall *remote)
{
  if (remote->deadline_at > 0)
    heap_add (&self->deadlines, &remote->deadline_node, remote->deadline_at);
}

static void
leave_queue (Placement *self, RemoteCall *remote)
{
  queue_remove (&self->queue, &remote->entry);
  heap_remove (&self->deadlines, &remote->deadline_node);
}

void
placement_push (Placement *self, RemoteCall *remote)
{
  queue_push (&self->queue, &remote->entry, remote->head.priority, g_bytes_get_size (remote->args));
  watch_deadline (self, remote);
}

void
placement_return (Placement *self, RemoteCall *remote)
{
  gboolean is_cancelled;

  remote->host = NULL;
  g_mutex_lock (&remote->lock);
  is_cancelled = remote->is_cancelled;
  g_mutex_unlock (&remote->lock);
  if (is_cancelled)
    {
      cancel_queued (remote);
      return;
    }
  queue_return (&self->queue, &remote->entry, remote->head.priority);
  watch_deadline (self, remote);
}

void
placement_cancel (Placement *self, RemoteCall *remote)
{
  if (!queue_has (&remote->entry))
    return;
  leave_queue (self, remote);
  cancel_queued (remote);
}

void
placement_drop (Placement *self)
{
  QueueEntry *entry;

  while ((entry = queue_peek (&self->queue)) != NULL)
    {
      RemoteCall *remote = get_call (entry);

      leave_queue (self, remote);
      remote_call_fail (remote, PROCFUN_CAUSE_START, NULL,
                        g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_CLOSED,
                                     _ ("%s() cannot be called: the executor is closed"),
                                     remote->function_name));
    }
}

void
placement_cancel_running (Placement *self)
{
  for (guint i = 0; i < self->hosts->len; i++)
    remote_host_cancel_all (self->hosts->pdata[i]);
}

/* Which host */

/* The one with the largest share of free slots. (nullable) */
static RemoteHost *
choose_host (Placement *self, const RemoteCall *remote)
{
  RemoteHost *best = NULL;
  double best_load = 0;

  for (guint i = 0; i < self->hosts->len; i++)
    {
      RemoteHost *host = self->hosts->pdata[i];
      const guint room = remote_host_get_room (host);
      const guint n = remote_host_get_n_calls (host);
      const double load = (double)n / (n + room + 1);

      if (room > 0 && remote_host_may_run (host, remote->head.contract)
          && (best == NULL || load < best_load))
        {
          best = host;
          best_load = load;
        }
    }
  return best;
}

/* Why no host will run @remote, unless one may yet. (nullable) */
static const GError *
find_obstacle (Placement *self, const RemoteCall *remote)
{
  const GError *why = NULL;

  for (guint i = 0; i < self->hosts->len; i++)
    {
      const RemoteHost *host = self->hosts->pdata[i];
      const GError *refusal = remote_host_get_refusal (host, remote->head.contract);

      if (refusal == NULL && (remote_host_is_there (host) || remote_host_get_error (host) == NULL))
        return NULL;
      if (why == NULL || refusal != NULL)
        why = refusal != NULL ? refusal : remote_host_get_error (host);
    }
  return why;
}

static void
fail_for_lack (RemoteCall *remote, const GError *why)
{
  GError *error = why != NULL ? g_error_copy (why)
                              : g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
                                                     _ ("there are no hosts"));

  g_prefix_error (&error, _ ("%s() cannot be called: "), remote->function_name);
  remote_call_fail (remote, PROCFUN_CAUSE_START, NULL, error);
}

static gboolean
has_room (QueueEntry *entry, gpointer placement)
{
  return choose_host (placement, get_call (entry)) != NULL;
}

static gboolean
has_no_hope (QueueEntry *entry, gpointer placement)
{
  return find_obstacle (placement, get_call (entry)) != NULL;
}

static gboolean
has_any_room (Placement *self)
{
  for (guint i = 0; i < self->hosts->len; i++)
    if (remote_host_get_room (self->hosts->pdata[i]) > 0)
      return TRUE;
  return FALSE;
}

guint
placement_count_there (const Placement *self)
{
  guint n = 0;

  for (guint i = 0; i < self->hosts->len; i++)
    n += remote_host_is_there (self->hosts->pdata[i]) ? 1 : 0;
  return n;
}

/* A host that does not have some function is no use to the calls that wait for it. */
static gboolean
is_of_use (const RemoteHost *host)
{
  return remote_host_is_there (host) && !remote_host_has_refused (host);
}

static void
start_hosts (Placement *self, guint max)
{
  guint n = 0;

  if (self->queue.length == 0)
    return;
  for (guint i = 0; i < self->hosts->len; i++)
    n += is_of_use (self->hosts->pdata[i]) ? 1 : 0;
  for (guint i = 0; i < self->hosts->len && (max == 0 || n < max); i++)
    if (!remote_host_is_there (self->hosts->pdata[i]))
      {
        remote_host_start (self->hosts->pdata[i]);
        n += remote_host_is_there (self->hosts->pdata[i]) ? 1 : 0;
      }
}

static void
send_calls (Placement *self)
{
  while (has_any_room (self))
    {
      RemoteCall *remote = get_call (queue_find (&self->queue, has_room, self));

      if (remote == NULL)
        return;
      leave_queue (self, remote);
      remote_host_send (choose_host (self, remote), remote);
    }
}

/* TRUE: some host runs all that comes, sooner or later. */
static gboolean
has_good_host (Placement *self)
{
  for (guint i = 0; i < self->hosts->len; i++)
    {
      const RemoteHost *host = self->hosts->pdata[i];

      if (!remote_host_has_refused (host)
          && (remote_host_is_there (host) || remote_host_get_error (host) == NULL))
        return TRUE;
    }
  return FALSE;
}

static void
fail_hopeless (Placement *self)
{
  QueueEntry *entry;

  if (has_good_host (self))
    return;
  while ((entry = self->hosts->len > 0 ? queue_find (&self->queue, has_no_hope, self)
                                       : queue_peek (&self->queue))
         != NULL)
    {
      RemoteCall *remote = get_call (entry);
      const GError *why = find_obstacle (self, remote);

      leave_queue (self, remote);
      fail_for_lack (remote, why);
    }
}

/* Returns when the next one is late. */
static gint64
fail_late (Placement *self, gint64 now)
{
  HeapNode *node;

  while ((node = heap_peek (&self->deadlines)) != NULL && node->key <= now)
    {
      RemoteCall *remote = (gpointer)((guint8 *)node - G_STRUCT_OFFSET (RemoteCall, deadline_node));

      leave_queue (self, remote);
      remote_call_fail_late (remote);
    }
  return node != NULL ? node->key : G_MAXINT64;
}

gint64
placement_advance (Placement *self, guint max, gint64 now)
{
  gint64 next = fail_late (self, now);

  send_calls (self);
  start_hosts (self, max);
  fail_hopeless (self);
  for (guint i = 0; i < self->hosts->len; i++)
    {
      const gint64 due = remote_host_advance (self->hosts->pdata[i], now);

      next = due >= 0 ? MIN (next, due) : next;
    }
  return next;
}
