/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-wait.h"

#include "procfun/core/call-join.h"
#include "procfun/core/call.h"

struct _CallWait
{
  GObject parent_instance;

  ProcfunCall *call;
  ProcfunExecutor *executor; /* (nullable) */
  CallLink link;
  GMainContext *context;
  GAsyncReadyCallback callback; /* (nullable) */
  gpointer user_data;
  gpointer source_tag;
  CallWaitFunc at_end; /* (nullable) */
  gint has_begun;

  GVariant *value; /* (nullable) */
  GError *error;   /* (nullable) */
};

static void call_wait_iface_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CallWait, call_wait, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, call_wait_iface_init))

static gpointer
call_wait_get_user_data (GAsyncResult *result)
{
  return CALL_WAIT (result)->user_data;
}

static GObject *
call_wait_get_source_object (GAsyncResult *result)
{
  return g_object_ref (G_OBJECT (CALL_WAIT (result)->call));
}

static gboolean
call_wait_is_tagged (GAsyncResult *result, gpointer source_tag)
{
  return CALL_WAIT (result)->source_tag == source_tag;
}

static void
call_wait_iface_init (GAsyncResultIface *iface)
{
  iface->get_user_data = call_wait_get_user_data;
  iface->get_source_object = call_wait_get_source_object;
  iface->is_tagged = call_wait_is_tagged;
}

static void
call_wait_finalize (GObject *object)
{
  CallWait *self = CALL_WAIT (object);

  g_object_unref (self->call);
  g_main_context_unref (self->context);
  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (call_wait_parent_class)->finalize (object);
}

static void
call_wait_class_init (CallWaitClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = call_wait_finalize;
}

static void
call_wait_init (CallWait *self)
{
}

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  canceller_cancel (user_data);
}

void
call_link_init (CallLink *self, ProcfunCall *call, GCancellable *cancellable)
{
  *self = (CallLink){ 0 };
  if (cancellable == NULL)
    return;
  self->cancellable = g_object_ref (cancellable);
  self->handler
      = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                               canceller_ref (call->canceller), (GDestroyNotify)canceller_unref);
}

void
call_link_clear (CallLink *self)
{
  if (self->cancellable == NULL)
    return;
  g_cancellable_disconnect (self->cancellable, self->handler);
  g_clear_object (&self->cancellable);
}

CallWait *
call_wait_new (ProcfunCall *call, ProcfunExecutor *executor, GCancellable *cancellable,
               GAsyncReadyCallback callback, gpointer user_data, gpointer source_tag,
               CallWaitFunc at_end)
{
  CallWait *self = g_object_new (CALL_TYPE_WAIT, NULL);

  self->call = g_object_ref (call);
  self->executor = executor;
  call_link_init (&self->link, call, cancellable);
  self->context = g_main_context_ref_thread_default ();
  call_join_set_context (call, self->context);
  self->callback = callback;
  self->user_data = user_data;
  self->source_tag = source_tag;
  self->at_end = at_end;
  return g_object_ref (self);
}

void
call_wait_has_begun (CallWait *self)
{
  g_atomic_int_set (&self->has_begun, TRUE);
}

ProcfunCall *
call_wait_get_call (CallWait *self)
{
  return self->call;
}

ProcfunExecutor *
call_wait_get_executor (CallWait *self)
{
  return self->executor;
}

GMainContext *
call_wait_get_context (CallWait *self)
{
  return self->context;
}

/* A GTask would check the cancellable here, and hide that the call succeeded. */
static void
end_here (CallWait *self)
{
  call_link_clear (&self->link);
  if (self->at_end != NULL)
    self->at_end (self->call, self->value, self->error);
  call_join_set_context (self->call, NULL);
  g_clear_object (&self->executor);
  if (self->callback != NULL)
    self->callback (G_OBJECT (self->call), G_ASYNC_RESULT (self), self->user_data);
  g_object_unref (self);
}

static gboolean
end_in_context (gpointer user_data)
{
  CallWait *self = user_data;
  gboolean is_default = self->context == g_main_context_default ();

  if (g_main_context_get_thread_default () == (is_default ? NULL : self->context))
    end_here (self);
  else
    {
      g_autoptr (GMainContext) context = g_main_context_ref (self->context);

      g_main_context_push_thread_default (context);
      end_here (self);
      g_main_context_pop_thread_default (context);
    }
  return G_SOURCE_REMOVE;
}

/* A call that fails at once ends later, like any other, and so does one whose callback is less
 * urgent than what tells its end. */
static void
end_later (CallWait *self)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, self->call->settings.io_priority);
  g_source_set_callback (source, end_in_context, self, NULL);
  g_source_set_static_name (source, "procfun call");
  g_source_attach (source, self->context);
}

void
call_wait_end (CallWait *self, GVariant *value, GError *error)
{
  GSource *current = g_main_current_source ();

  self->value = value;
  self->error = error;
  if (g_atomic_int_get (&self->has_begun) && current != NULL
      && g_source_get_context (current) == self->context
      && g_source_get_priority (current) >= self->call->settings.io_priority)
    end_in_context (self);
  else
    end_later (self);
}

gboolean
call_wait_is_valid (GAsyncResult *result, ProcfunCall *call, gpointer source_tag)
{
  return CALL_IS_WAIT (result) && CALL_WAIT (result)->call == call
         && CALL_WAIT (result)->source_tag == source_tag;
}

GVariant *
call_wait_finish (GAsyncResult *result, GError **error)
{
  CallWait *self = CALL_WAIT (result);

  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->value);
}
