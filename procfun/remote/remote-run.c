/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-run.h"

#include "procfun/base/intl.h"
#include "procfun/core/call-chunk.h"
#include "procfun/core/call.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/remote-listener.h"

/* Events of a call that are told before other calls have their turn. */
#define EVENTS_PER_TURN 16

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

/* Of a thread. */
static void
set_owner (Wait *self)
{
  self->waiter = g_new0 (HostsWaiter, 1);
  hosts_add_waiter (self->call->hosts, self->waiter, NULL);
}

/* Without a call, which is what comes first, there is nothing. */
static void
clear (Wait *self)
{
  if (self->call == NULL)
    return;
  if (self->waiter != NULL)
    hosts_remove_waiter (self->call->hosts, self->waiter);
  g_clear_pointer (&self->waiter, g_free);
  if (self->chunk != NULL)
    self->chunk->cancel_element = NULL;
  if (self->canceller != NULL)
    canceller_clear_func (self->canceller, self->call);
  g_clear_pointer (&self->canceller, canceller_unref);
  remote_call_set_listener (self->call, NULL);
  hosts_forget (self->call->hosts);
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

static GError *
make_drop_error (ProcfunCall *call, gboolean is_of_parent)
{
  if (is_of_parent)
    return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                        _ ("%s() belongs to the process that forked this one"),
                        procfun_function_get_name (procfun_call_peek_function (call)));
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                              _ ("the main context of the call is gone"));
}

typedef struct
{
  RemoteListener listener;
  Wait wait;
  ProcfunCall *call; /* borrowed: it may be noticed that nobody else holds it */
  ProcfunExecutorFunc func;
  gpointer user_data;
} Run;

static void
run_end (Run *self, GVariant *result, GError *error)
{
  ProcfunExecutorFunc func = self->func;
  gpointer user_data = self->user_data;

  g_free (self);
  func (result, error, user_data);
}

static void
run_tell (RemoteListener *listener)
{
  Run *self = (Run *)listener;
  gboolean has_ended = FALSE;
  GVariant *result = NULL;
  GError *error = NULL;

  for (guint i = 0; i < EVENTS_PER_TURN && !has_ended; i++)
    {
      g_autoptr (RemoteEvent) event = remote_call_take (self->wait.call);

      if (event == NULL)
        return;
      has_ended = remote_call_tell (self->wait.call, self->call, event, &result, &error);
    }
  if (!has_ended)
    {
      remote_listener_note (listener);
      return;
    }
  clear (&self->wait);
  remote_listener_leave (listener);
  run_end (self, result, error);
}

/* The child of a program that has forked itself leaves what its parent's threads may hold. */
static void
run_drop (RemoteListener *listener, gboolean is_of_parent)
{
  Run *self = (Run *)listener;

  if (!is_of_parent)
    give_up (&self->wait);
  run_end (self, NULL, make_drop_error (self->call, is_of_parent));
}

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
  static const ListenerFuncs funcs = { run_tell, run_drop };
  GError *error = NULL;
  Wait wait;
  Run *self;

  if (!begin (&wait, hosts, call, max_payload, &error))
    {
      refuse_later (context, func, user_data, error);
      return;
    }
  self = g_new (Run, 1);
  *self = (Run){ .wait = wait, .call = call, .func = func, .user_data = user_data };
  remote_listener_join (&self->listener, &funcs, hosts, context,
                        procfun_call_get_settings (call)->io_priority);
  remote_call_set_listener (wait.call, &self->listener);
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
  set_owner (&wait);
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
  RemoteListener listener;
  Stream *stream; /* borrowed, as the call: who waits holds both */
  ProcfunCall *call;
  RemoteCall *remote; /* owned */
  GTask *task;
} Next;

/* Takes @item (nullable) and @error (nullable). */
static void
next_end (Next *self, GVariant *item, GError *error)
{
  g_autoptr (GTask) task = self->task;

  g_free (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, item, (GDestroyNotify)g_variant_unref);
}

static void
next_tell (RemoteListener *listener)
{
  Next *self = (Next *)listener;
  GVariant *item = NULL;
  GError *error = NULL;
  gboolean is_there = FALSE;

  while (!is_there)
    {
      g_autoptr (RemoteEvent) event = remote_call_take (self->remote);

      if (event == NULL)
        return;
      is_there = tell_item (self->stream, self->call, event, &item, &error);
    }
  remote_call_set_listener (self->remote, NULL);
  remote_listener_leave (listener);
  remote_call_unref (self->remote);
  next_end (self, item, error);
}

static void
next_drop (RemoteListener *listener, gboolean is_of_parent)
{
  Next *self = (Next *)listener;

  if (!is_of_parent)
    {
      remote_call_set_listener (self->remote, NULL);
      remote_call_cancel (self->remote, FALSE);
      remote_call_unref (self->remote);
    }
  next_end (self, NULL, make_drop_error (self->call, is_of_parent));
}

void
remote_next_async (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GTask *task)
{
  static const ListenerFuncs funcs = { next_tell, next_drop };
  GError *error = NULL;
  Stream *stream = get_stream (hosts, call, max_payload, &error);
  Next *self;

  if (stream == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  self = g_new0 (Next, 1);
  self->stream = stream;
  self->call = call;
  self->remote = remote_call_ref (stream->wait.call);
  self->task = task;
  remote_listener_join (&self->listener, &funcs, hosts, g_task_get_context (task),
                        procfun_call_get_settings (call)->io_priority);
  remote_call_set_listener (self->remote, &self->listener);
}
