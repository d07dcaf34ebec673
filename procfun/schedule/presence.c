/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/presence.h"

/* Closing gives up on calls after the same time. */
#define ABSENT_AFTER_US (2 * G_USEC_PER_SEC)

typedef struct
{
  GSource source;
  Scheduler *scheduler;
  GMainContext *context; /* unowned */
  gint64 sent_at;
  gboolean is_late;
} Probe;

/* Workers that were started in place of those of a main context are too many when it is back. */
static void
forget (Probe *self)
{
  Scheduler *scheduler = self->scheduler;
  const SchedulerConfig *config = &scheduler->config;
  GQueue surplus = G_QUEUE_INIT;

  g_mutex_lock (&scheduler->lock);
  if (g_queue_remove (&scheduler->probes, self) && self->is_late)
    {
      scheduler->n_absent--;
      scheduler_assign (scheduler);
      slots_trim (&scheduler->slots, config->min_workers,
                  config->max_workers + presence_count_absent (scheduler), &surplus);
    }
  g_mutex_unlock (&scheduler->lock);
  scheduler_end_all (&surplus, "shrunk");
}

static gboolean
probe_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  forget ((Probe *)source);
  return G_SOURCE_REMOVE;
}

/* The main context may be gone without having run it. */
static void
probe_dispose (GSource *source)
{
  forget ((Probe *)source);
}

static void
probe_finalize (GSource *source)
{
  scheduler_unref (((Probe *)source)->scheduler);
}

static GSourceFuncs probe_funcs = { .dispatch = probe_dispatch, .finalize = probe_finalize };

static Probe *
find (Scheduler *self, GMainContext *context)
{
  for (GList *l = self->probes.head; l != NULL; l = l->next)
    if (((Probe *)l->data)->context == context)
      return l->data;
  return NULL;
}

static void
send_probe (Scheduler *self, GMainContext *context, gint64 now)
{
  GSource *source = g_source_new (&probe_funcs, sizeof (Probe));
  Probe *probe = (Probe *)source;

  probe->scheduler = scheduler_ref (self);
  probe->context = context;
  probe->sent_at = now;
  g_source_set_dispose_function (source, probe_dispose);
  g_source_set_static_name (source, "procfun probe");
  g_source_set_ready_time (source, 0);
  g_queue_push_tail (&self->probes, probe);
  g_source_attach (source, context);
  g_source_unref (source);
}

gboolean
presence_is_needed (Scheduler *self, GMainContext *context)
{
  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    {
      GMainContext *other = ((WorkerSlot *)l->data)->owner.context;

      if (other != NULL && other != context)
        return TRUE;
    }
  return FALSE;
}

gboolean
presence_look (Scheduler *self)
{
  const gint64 now = g_get_monotonic_time ();
  const guint n_absent = self->n_absent;

  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    {
      GMainContext *context = ((WorkerSlot *)l->data)->owner.context;
      Probe *probe = context != NULL ? find (self, context) : NULL;

      if (context == NULL || g_main_context_is_owner (context))
        continue;
      if (probe == NULL)
        send_probe (self, context, now);
      else if (!probe->is_late && now - probe->sent_at >= ABSENT_AFTER_US)
        {
          probe->is_late = TRUE;
          self->n_absent++;
        }
    }
  return self->n_absent > n_absent;
}

gboolean
presence_is_absent (Scheduler *self, GMainContext *context)
{
  const Probe *probe = self->n_absent > 0 && context != NULL ? find (self, context) : NULL;

  return probe != NULL && probe->is_late;
}

guint
presence_count_absent (Scheduler *self)
{
  guint n = 0;

  for (GList *l = self->slots.busy.head; l != NULL; l = l->next)
    n += presence_is_absent (self, ((WorkerSlot *)l->data)->owner.context) ? 1 : 0;
  return n;
}
