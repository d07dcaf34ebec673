/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/map/map-call.h"

#include "procfun/core/call.h"
#include "procfun/core/executor.h"

/* One reference is the map's, the other that of the call while it runs. */
struct _MapCall
{
  guint ref_count;
  ProcfunExecutor *executor;
  ProcfunCall *call;
  MapCallFunc func; /* (nullable): nobody waits */
  gpointer user_data;
  gboolean has_ended;
  GVariant *result; /* (nullable) */
  GError *error;    /* (nullable) */
};

static void
map_call_unref (MapCall *self)
{
  if (--self->ref_count > 0)
    return;
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_error (&self->error);
  g_object_unref (self->call);
  g_object_unref (self->executor);
  g_free (self);
}

static void
on_run (GVariant *result, GError *error, gpointer user_data)
{
  MapCall *self = user_data;

  self->result = procfun_executor_end (self->executor, self->call, result, &error);
  self->error = error;
  procfun_call_end (self->call, self->result, self->error);
  self->has_ended = TRUE;
  if (self->func != NULL)
    self->func (self->user_data);
  map_call_unref (self);
}

MapCall *
map_call_begin (ProcfunExecutor *executor, ProcfunCall *call, MapCallFunc func, gpointer user_data,
                GError **error)
{
  MapCall *self;

  if (!procfun_executor_enter (executor, call, error))
    return NULL;
  self = g_new0 (MapCall, 1);
  self->ref_count = 2;
  self->executor = g_object_ref (executor);
  self->call = g_object_ref (call);
  self->func = func;
  self->user_data = user_data;
  procfun_call_begin (call);
  procfun_executor_run_async (executor, call, g_main_context_get_thread_default (), on_run, self);
  return self;
}

gboolean
map_call_has_ended (const MapCall *self)
{
  return self->has_ended;
}

GVariant *
map_call_finish (MapCall *self, GError **error)
{
  GVariant *result = g_steal_pointer (&self->result);

  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  map_call_unref (self);
  return result;
}

void
map_call_drop (MapCall *self)
{
  self->func = NULL;
  map_call_unref (self);
}
