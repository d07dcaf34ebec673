/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A map in a main context: one source has the descriptors of all slots. Calls of executors that are
 * no pool have another main context, which a second source runs. */

#include "procfun/map/mapping-wait.h"

#include "procfun/base/intl.h"
#include "procfun/core/executor.h"
#include "procfun/map/nested-source.h"
#include "procfun/platform/waker.h"
#include "procfun/schedule/acquire.h"
#include "procfun/schedule/context-source.h"

/* Request for a worker, which may outlive the source. */
typedef struct
{
  GSource *source; /* (nullable) (unowned): it wants none any more */
  MapSlot *slot;
} Asking;

typedef struct
{
  Exchange *exchange;
  GPollFD fds[EXCHANGE_N_FDS];
  gpointer tags[EXCHANGE_N_FDS]; /* (nullable) */
  Waker *waker;                  /* (nullable) */
} Watch;

typedef struct
{
  GSource source;
  Mapping *mapping;
  GArray *watches; /* (element-type Watch) */
  Asking *asking;  /* (nullable) */
  GSource *calls;  /* (nullable): runs their main context */

  GCancellable *cancellable; /* (nullable) */
  Waker *waker;              /* (nullable) */
  MappingFunc callback;      /* (nullable): nobody waits */
  gpointer user_data;
} MappingSource;

/* State of the map */

static void
clear_watch (MappingSource *self, Watch *watch)
{
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    if (watch->tags[i] != NULL)
      g_source_remove_unix_fd (&self->source, watch->tags[i]);
  g_clear_pointer (&watch->waker, waker_free);
}

static void
clear_watches (MappingSource *self)
{
  for (guint i = 0; i < self->watches->len; i++)
    clear_watch (self, &g_array_index (self->watches, Watch, i));
  g_array_set_size (self->watches, 0);
}

/* A cancellable that has tripped meanwhile wakes nobody. */
static void
add_watch (MappingSource *self, MapSlot *slot)
{
  Watch watch = { .exchange = slot->exchange };

  exchange_get_fds (slot->exchange, watch.fds);
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    if (watch.fds[i].fd >= 0)
      watch.tags[i] = g_source_add_unix_fd (&self->source, watch.fds[i].fd, watch.fds[i].events);
  if (!exchange_is_ending (slot->exchange))
    {
      watch.waker = waker_new (map_slot_get_cancellable (slot), &self->source);
      if (g_cancellable_is_cancelled (map_slot_get_cancellable (slot)))
        g_source_set_ready_time (&self->source, 0);
    }
  g_array_append_val (self->watches, watch);
}

/* Wakers may make it ready at once, so the time is set before. The map may have been cancelled
 * since that was looked at. */
static void
update (MappingSource *self)
{
  GPtrArray *slots = self->mapping->slots;

  clear_watches (self);
  g_source_set_ready_time (&self->source, mapping_get_wake_time (self->mapping));
  if (self->mapping->error == NULL && g_cancellable_is_cancelled (self->cancellable))
    g_source_set_ready_time (&self->source, 0);
  for (guint i = 0; i < slots->len; i++)
    if (((MapSlot *)slots->pdata[i])->exchange != NULL)
      add_watch (self, slots->pdata[i]);
}

static void
note_ready (MappingSource *self)
{
  for (guint i = 0; i < self->watches->len; i++)
    {
      Watch *watch = &g_array_index (self->watches, Watch, i);

      for (guint j = 0; j < EXCHANGE_N_FDS; j++)
        if (watch->tags[j] != NULL)
          watch->fds[j].revents = (gushort)g_source_query_unix_fd (&self->source, watch->tags[j]);
      exchange_note_ready (watch->exchange, watch->fds);
    }
}

/* Workers */

static void
on_worker (WorkerSlot *member, GError *error, gpointer user_data)
{
  Asking *asking = user_data;
  MappingSource *self = (MappingSource *)asking->source;

  if (self != NULL)
    {
      self->asking = NULL;
      mapping_start_slot (self->mapping, asking->slot, member);
      if (error != NULL)
        mapping_fail (self->mapping, error);
      g_source_set_ready_time (&self->source, 0);
    }
  else
    {
      if (member != NULL)
        worker_slot_give_back (member);
      g_clear_error (&error);
      map_slot_free (asking->slot);
    }
  g_free (asking);
}

/* FALSE: it has failed. */
static gboolean
ask_for_worker (MappingSource *self)
{
  Scheduler *scheduler;
  SlotRequest request;
  MapSlot *slot = mapping_prepare_slot (self->mapping, &request);

  if (slot == NULL)
    return FALSE;
  procfun_executor_check_process (PROCFUN_EXECUTOR (self->mapping->config.pool));
  scheduler = self->mapping->config.pool->scheduler;
  self->asking = g_new0 (Asking, 1);
  self->asking->source = &self->source;
  self->asking->slot = slot;
  scheduler_acquire_async (scheduler, &request, g_source_get_context (&self->source), on_worker,
                           self->asking);
  return TRUE;
}

static void
stop_asking (MappingSource *self)
{
  Asking *asking = g_steal_pointer (&self->asking);

  if (asking == NULL)
    return;
  asking->source = NULL;
  map_slot_abort (asking->slot);
}

/* @context may never run again, and the worker that is started for it would then keep it. */
static void
withdraw (MappingSource *self, GMainContext *context)
{
  g_autoptr (ProcfunCall) call
      = self->asking != NULL ? g_object_ref (self->asking->slot->call) : NULL;

  stop_asking (self);
  if (call != NULL)
    context_source_withdraw (self->mapping->config.pool->scheduler, context, call);
}

/* The source */

static void
stop_waiting (MappingSource *self)
{
  g_clear_pointer (&self->waker, waker_free);
  g_clear_object (&self->cancellable);
  self->callback = NULL;
}

static void
advance (MappingSource *self)
{
  if (self->mapping->context != NULL)
    {
      mapping_advance_calls (self->mapping);
      return;
    }
  mapping_advance (self->mapping);
  while (mapping_wants_worker (self->mapping) && self->asking == NULL && ask_for_worker (self))
    ;
  if (!mapping_wants_worker (self->mapping))
    withdraw (self, g_source_get_context (&self->source));
}

/* The mapping may be gone when the callback returns. */
static gboolean
mapping_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  MappingSource *self = (MappingSource *)source;
  MappingFunc callback = self->callback;
  gpointer data = self->user_data;

  note_ready (self);
  clear_watches (self);
  mapping_check_cancelled (self->mapping, self->cancellable);
  advance (self);
  update (self);
  if (callback == NULL || !mapping_is_over (self->mapping))
    return G_SOURCE_CONTINUE;
  stop_waiting (self);
  callback (data);
  return G_SOURCE_CONTINUE;
}

static void
mapping_source_wake (Mapping *mapping)
{
  g_source_set_ready_time (mapping->driver, 0);
}

static void
stop_calls (MappingSource *self)
{
  if (self->calls != NULL)
    g_source_destroy (self->calls);
  g_clear_pointer (&self->calls, g_source_unref);
}

static void
mapping_source_stop (Mapping *mapping)
{
  GSource *source = g_steal_pointer (&mapping->driver);
  MappingSource *self = (MappingSource *)source;
  g_autoptr (GMainContext) context = g_main_context_ref (g_source_get_context (source));

  mapping->driver_funcs = NULL;
  clear_watches (self);
  stop_waiting (self);
  stop_calls (self);
  withdraw (self, context);
  self->mapping = NULL;
  g_source_destroy (source);
}

static const MappingDriverFuncs driver_funcs
    = { .wake = mapping_source_wake, .stop = mapping_source_stop };

/* Before it is finalised: until then others can make it ready. A caller that still waits has lost
 * the main context. */
static void
mapping_source_dispose (GSource *source)
{
  MappingSource *self = (MappingSource *)source;
  MappingFunc callback = self->callback;

  if (self->mapping == NULL)
    return;
  for (guint i = 0; i < self->watches->len; i++)
    g_clear_pointer (&g_array_index (self->watches, Watch, i).waker, waker_free);
  stop_waiting (self);
  stop_asking (self);
  self->mapping->driver = NULL;
  self->mapping->driver_funcs = NULL;
  if (callback == NULL)
    return;
  mapping_fail (self->mapping, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                    _ ("the main context of the call is gone")));
  callback (self->user_data);
}

static void
mapping_source_finalize (GSource *source)
{
  g_array_unref (((MappingSource *)source)->watches);
  g_clear_pointer (&((MappingSource *)source)->calls, g_source_unref);
}

static GSourceFuncs mapping_source_funcs
    = { .dispatch = mapping_source_dispatch, .finalize = mapping_source_finalize };

static GSource *
mapping_source_new (Mapping *mapping)
{
  GSource *source = g_source_new (&mapping_source_funcs, sizeof (MappingSource));
  MappingSource *self = (MappingSource *)source;
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  self->mapping = mapping;
  self->watches = g_array_new (FALSE, TRUE, sizeof (Watch));
  g_source_set_dispose_function (source, mapping_source_dispose);
  g_source_set_static_name (source, "procfun map");
  g_source_attach (source, context);
  if (mapping->context != NULL)
    {
      self->calls = nested_source_new (mapping->context);
      g_source_attach (self->calls, context);
    }
  g_source_unref (source);
  return source;
}

static gboolean
is_elsewhere (GSource *source)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  return g_source_get_context (source) != context;
}

void
mapping_wait_async (Mapping *mapping, GCancellable *cancellable, MappingFunc callback,
                    gpointer user_data)
{
  MappingSource *self;

  if (mapping->driver != NULL && is_elsewhere (mapping->driver))
    mapping_stop_driver (mapping);
  if (mapping->driver == NULL)
    {
      mapping->driver = mapping_source_new (mapping);
      mapping->driver_funcs = &driver_funcs;
    }
  self = (MappingSource *)mapping->driver;
  self->callback = callback;
  self->user_data = user_data;
  if (cancellable != NULL)
    {
      self->cancellable = g_object_ref (cancellable);
      self->waker = waker_new (cancellable, &self->source);
    }
  g_source_set_ready_time (&self->source, 0);
}
