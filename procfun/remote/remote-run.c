/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-run.h"

#include "procfun/base/intl.h"
#include "procfun/core/call-chunk.h"
#include "procfun/core/call.h"

/* Events that are told before other sources have their turn. */
#define EVENTS_PER_TURN 64

/* The call of somebody who waits. */
typedef struct
{
  RemoteCall *call;
  Canceller *canceller;
  CallChunk *chunk;    /* (nullable) (unowned): the call's */
  HostsWaiter *waiter; /* (nullable) */
} Wait;

static void
on_cancelled (gpointer call)
{
  remote_call_cancel (call, FALSE);
}

static void
on_element_cancelled (gpointer call, gsize at)
{
  remote_call_cancel_element (call, at);
}

static void
listen_for_elements (Wait *self, ProcfunCall *call)
{
  self->chunk = procfun_call_get_chunk (call);
  if (self->chunk == NULL)
    return;
  self->chunk->cancel_element = on_element_cancelled;
  self->chunk->user_data = self->call;
}

static gboolean
begin (Wait *self, Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error)
{
  *self = (Wait){ .call = remote_call_new (hosts, call, max_payload, error) };
  if (self->call == NULL)
    return FALSE;
  if (!hosts_submit (hosts, self->call, error))
    {
      g_clear_pointer (&self->call, remote_call_unref);
      return FALSE;
    }
  listen_for_elements (self, call);
  self->canceller = canceller_ref (procfun_call_get_canceller (call));
  canceller_set_func (self->canceller, on_cancelled, self->call);
  if (canceller_is_cancelled (self->canceller))
    remote_call_cancel (self->call, FALSE);
  return TRUE;
}

/* @context: (nullable): of an asynchronous call */
static void
set_owner (Wait *self, GMainContext *context)
{
  self->waiter = g_new0 (HostsWaiter, 1);
  hosts_add_waiter (self->call->hosts, self->waiter, context);
}

static void
clear (Wait *self)
{
  if (self->waiter != NULL)
    hosts_remove_waiter (self->call->hosts, self->waiter);
  g_clear_pointer (&self->waiter, g_free);
  if (self->chunk != NULL)
    self->chunk->cancel_element = NULL;
  if (self->canceller != NULL)
    canceller_clear_func (self->canceller, self->call);
  g_clear_pointer (&self->canceller, canceller_unref);
  if (self->call != NULL)
    remote_call_set_source (self->call, NULL);
  g_clear_pointer (&self->call, remote_call_unref);
}

/* The answer is not taken any more. */
static void
give_up (Wait *self)
{
  if (self->call != NULL)
    remote_call_cancel (self->call, FALSE);
  clear (self);
}

/* In a thread */

GVariant *
remote_run (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error)
{
  GVariant *result = NULL;
  gboolean has_ended = FALSE;
  Wait wait;

  if (!begin (&wait, hosts, call, max_payload, error))
    return NULL;
  while (!has_ended)
    {
      g_autoptr (RemoteEvent) event = remote_call_wait (wait.call);

      has_ended = remote_call_tell (wait.call, call, event, &result, error);
    }
  clear (&wait);
  return result;
}

/* In a main context */

typedef struct
{
  GSource source;
  Wait wait;
  ProcfunCall *call; /* borrowed: it may be noticed that nobody else holds it */
  ProcfunExecutorFunc func;
  gpointer user_data;
} RunSource;

static gboolean
end_source (RunSource *self, GVariant *result, GError *error)
{
  ProcfunExecutorFunc func = g_steal_pointer (&self->func);
  gpointer user_data = self->user_data;

  clear (&self->wait);
  func (result, error, user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
run_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  RunSource *self = (RunSource *)source;
  GVariant *result = NULL;
  GError *error = NULL;

  g_source_set_ready_time (source, -1);
  for (guint i = 0; i < EVENTS_PER_TURN; i++)
    {
      g_autoptr (RemoteEvent) event = remote_call_take (self->wait.call);

      if (event == NULL)
        return G_SOURCE_CONTINUE;
      if (remote_call_tell (self->wait.call, self->call, event, &result, &error))
        return end_source (self, result, error);
    }
  g_source_set_ready_time (source, 0);
  return G_SOURCE_CONTINUE;
}

/* The main context may have gone away with the call unfinished. */
static void
run_source_dispose (GSource *source)
{
  RunSource *self = (RunSource *)source;

  if (self->func == NULL)
    return;
  remote_call_cancel (self->wait.call, FALSE);
  end_source (self, NULL,
              g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                   _ ("the main context of the call is gone")));
}

static GSourceFuncs run_source_funcs = { .dispatch = run_source_dispatch };

/* A call that cannot begin fails in its main context, like any other. */
typedef struct
{
  ProcfunExecutorFunc func;
  gpointer user_data;
  GError *error;
} Refusal;

static gboolean
refuse (gpointer user_data)
{
  g_autofree Refusal *self = user_data;

  self->func (NULL, self->error, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
refuse_later (GMainContext *context, ProcfunExecutorFunc func, gpointer user_data, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  Refusal *refusal = g_new (Refusal, 1);

  *refusal = (Refusal){ func, user_data, error };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, refuse, refusal, NULL);
  g_source_attach (source, context);
}

void
remote_run_then (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GMainContext *context,
                 ProcfunExecutorFunc func, gpointer user_data)
{
  g_autoptr (GSource) source = NULL;
  GError *error = NULL;
  RunSource *self;
  Wait wait;

  if (!begin (&wait, hosts, call, max_payload, &error))
    {
      refuse_later (context, func, user_data, error);
      return;
    }
  set_owner (&wait, context);
  source = g_source_new (&run_source_funcs, sizeof (RunSource));
  self = (RunSource *)source;
  self->wait = wait;
  self->call = call;
  self->func = func;
  self->user_data = user_data;
  g_source_set_dispose_function (source, run_source_dispose);
  g_source_set_static_name (source, "procfun remote call");
  g_source_attach (source, context);
  remote_call_set_source (wait.call, source);
}

/* Items */

/* The call of a generator, from one item to the next. */
typedef struct
{
  Wait wait;
} Stream;

static void
stream_free (gpointer stream)
{
  Stream *self = stream;

  give_up (&self->wait);
  g_free (self);
}

/* (nullable): with an error */
static Stream *
get_stream (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error)
{
  Stream *self = procfun_call_get_stream (call);
  Wait wait;

  if (self != NULL)
    return self;
  if (!begin (&wait, hosts, call, max_payload, error))
    return NULL;
  set_owner (&wait, NULL);
  self = g_new0 (Stream, 1);
  self->wait = wait;
  procfun_call_take_stream (call, self, stream_free);
  return self;
}

/* TRUE: *@item is there, or an error, or the end. */
static gboolean
tell_item (Stream *self, ProcfunCall *call, RemoteEvent *event, GVariant **item, GError **error)
{
  g_autoptr (GVariant) nothing = NULL;

  if (event->type != LINK_ITEM)
    return remote_call_tell (self->wait.call, call, event, &nothing, error);
  *item = remote_call_read_item (call, event, error);
  return TRUE;
}

GVariant *
remote_next (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error)
{
  Stream *self = get_stream (hosts, call, max_payload, error);
  GVariant *item = NULL;
  gboolean is_there = self == NULL;

  while (!is_there)
    {
      g_autoptr (RemoteEvent) event = remote_call_wait (self->wait.call);

      is_there = tell_item (self, call, event, &item, error);
    }
  return item;
}

typedef struct
{
  GSource source;
  Stream *stream; /* borrowed, as the call: who waits holds both */
  ProcfunCall *call;
  RemoteCall *remote;
  GTask *task;
} NextSource;

static gboolean
next_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  NextSource *self = (NextSource *)source;
  g_autoptr (GTask) task = NULL;
  GVariant *item = NULL;
  GError *error = NULL;
  gboolean is_there = FALSE;

  g_source_set_ready_time (source, -1);
  while (!is_there)
    {
      g_autoptr (RemoteEvent) event = remote_call_take (self->remote);

      if (event == NULL)
        return G_SOURCE_CONTINUE;
      is_there = tell_item (self->stream, self->call, event, &item, &error);
    }
  remote_call_set_source (self->remote, NULL);
  task = g_steal_pointer (&self->task);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, item, (GDestroyNotify)g_variant_unref);
  return G_SOURCE_REMOVE;
}

static void
next_source_finalize (GSource *source)
{
  NextSource *self = (NextSource *)source;

  if (self->task != NULL)
    {
      remote_call_set_source (self->remote, NULL);
      remote_call_cancel (self->remote, FALSE);
    }
  g_clear_object (&self->task);
  remote_call_unref (self->remote);
}

void
remote_next_async (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GTask *task)
{
  static GSourceFuncs funcs
      = { .dispatch = next_source_dispatch, .finalize = next_source_finalize };
  GError *error = NULL;
  Stream *stream = get_stream (hosts, call, max_payload, &error);
  g_autoptr (GSource) source = NULL;
  NextSource *self;

  if (stream == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  source = g_source_new (&funcs, sizeof (NextSource));
  self = (NextSource *)source;
  self->stream = stream;
  self->call = call;
  self->remote = remote_call_ref (stream->wait.call);
  self->task = task;
  g_source_set_static_name (source, "procfun remote item");
  g_source_attach (source, g_task_get_context (task));
  remote_call_set_source (self->remote, source);
}
