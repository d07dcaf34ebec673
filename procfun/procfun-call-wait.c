/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-call-wait-private.h"

#include "procfun/procfun-call-private.h"

struct _CallWait
{
  ProcfunCall *call;
  CallLink link;
  GMainContext *context;
  GAsyncReadyCallback callback;
  gpointer user_data;
  gpointer source_tag;
  CallWaitFunc at_end;
  GError *early_error; /* (nullable): it failed before it reached its executor */
};

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (user_data);
}

void
call_link_init (CallLink *self, ProcfunCall *call, GCancellable *cancellable)
{
  *self = (CallLink){ 0 };
  if (cancellable == NULL)
    return;
  self->cancellable = g_object_ref (cancellable);
  self->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                         g_object_ref (call->cancellable), g_object_unref);
}

void
call_link_clear (CallLink *self)
{
  g_cancellable_disconnect (self->cancellable, self->handler);
  g_clear_object (&self->cancellable);
}

static void
on_toggle (gpointer user_data, GObject *object, gboolean is_last_ref)
{
  ProcfunCall *call = PROCFUN_CALL (object);

  if (is_last_ref && !g_atomic_int_get (&call->detached))
    g_cancellable_cancel (call->cancellable);
}

CallWait *
call_wait_new (ProcfunCall *call, GCancellable *cancellable, GAsyncReadyCallback callback,
               gpointer user_data, gpointer source_tag, CallWaitFunc at_end)
{
  CallWait *self = g_new0 (CallWait, 1);

  self->call = call;
  call_link_init (&self->link, call, cancellable);
  self->context = g_main_context_ref_thread_default ();
  self->callback = callback;
  self->user_data = user_data;
  self->source_tag = source_tag;
  self->at_end = at_end;
  g_object_add_toggle_ref (G_OBJECT (call), on_toggle, NULL);
  return self;
}

ProcfunCall *
call_wait_get_call (CallWait *self)
{
  return self->call;
}

void
call_wait_end (CallWait *self, GVariant *value, GError *error)
{
  g_autoptr (ProcfunCall) call = g_object_ref (self->call);
  g_autoptr (GTask) task = NULL;

  g_object_remove_toggle_ref (G_OBJECT (call), on_toggle, NULL);
  call_link_clear (&self->link);
  self->at_end (call, value, error);

  g_main_context_push_thread_default (self->context);
  /* The executor heeds the cancellable. The task must not: it would hide that the call succeeded.
   */
  task = g_task_new (call, NULL, self->callback, self->user_data);
  g_task_set_source_tag (task, self->source_tag);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, value, (GDestroyNotify)g_variant_unref);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
fail_in_context (gpointer user_data)
{
  CallWait *self = user_data;

  call_wait_end (self, NULL, g_steal_pointer (&self->early_error));
  return G_SOURCE_REMOVE;
}

/* Like any other call it ends later, in the caller's context. */
void
call_wait_fail_later (CallWait *self, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  self->early_error = error;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, fail_in_context, self, NULL);
  g_source_attach (source, self->context);
}
