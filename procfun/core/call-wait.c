/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/call-wait.h"

#include "procfun/core/call-join.h"
#include "procfun/core/call.h"
#include "procfun/platform/default-context.h"

struct _CallWait
{
  gatomicrefcount ref_count;
  ProcfunCall *call;
  ProcfunExecutor *executor; /* (nullable) */
  CallLink link;
  GMainContext *context;
  GAsyncReadyCallback callback; /* (nullable) */
  CallWaitFunc at_end;          /* (nullable) */
  gboolean is_final;            /* the result is that of the call, and not an item of it */
  gint has_begun;
  CallAnswer answer;
};

/* Results */

void
call_answer_clear (CallAnswer *self)
{
  g_clear_pointer (&self->value, g_variant_unref);
  g_clear_error (&self->error);
}

static gpointer
call_get_user_data (GAsyncResult *result)
{
  return PROCFUN_CALL (result)->answer.user_data;
}

static GObject *
call_get_source_object (GAsyncResult *result)
{
  return g_object_ref (G_OBJECT (result));
}

static gboolean
call_is_tagged (GAsyncResult *result, gpointer source_tag)
{
  return PROCFUN_CALL (result)->answer.source_tag == source_tag;
}

void
call_init_async_result (GAsyncResultIface *iface)
{
  iface->get_user_data = call_get_user_data;
  iface->get_source_object = call_get_source_object;
  iface->is_tagged = call_is_tagged;
}

/* Of an item */

#define CALL_TYPE_ITEM (call_item_get_type ())
G_DECLARE_FINAL_TYPE (CallItem, call_item, CALL, ITEM, GObject)

struct _CallItem
{
  GObject parent_instance;

  ProcfunCall *call;
  CallAnswer answer;
};

static void call_item_iface_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (CallItem, call_item, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, call_item_iface_init))

static gpointer
call_item_get_user_data (GAsyncResult *result)
{
  return CALL_ITEM (result)->answer.user_data;
}

static GObject *
call_item_get_source_object (GAsyncResult *result)
{
  return g_object_ref (G_OBJECT (CALL_ITEM (result)->call));
}

static gboolean
call_item_is_tagged (GAsyncResult *result, gpointer source_tag)
{
  return CALL_ITEM (result)->answer.source_tag == source_tag;
}

static void
call_item_iface_init (GAsyncResultIface *iface)
{
  iface->get_user_data = call_item_get_user_data;
  iface->get_source_object = call_item_get_source_object;
  iface->is_tagged = call_item_is_tagged;
}

static void
call_item_finalize (GObject *object)
{
  CallItem *self = CALL_ITEM (object);

  g_object_unref (self->call);
  call_answer_clear (&self->answer);

  G_OBJECT_CLASS (call_item_parent_class)->finalize (object);
}

static void
call_item_class_init (CallItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = call_item_finalize;
}

static void
call_item_init (CallItem *self)
{
}

/* (nullable): NULL if it is no result of a wait for @call */
static CallAnswer *
find_answer (GAsyncResult *result, ProcfunCall *call)
{
  if ((gpointer)result == (gpointer)call)
    return &call->answer;
  return CALL_IS_ITEM (result) && CALL_ITEM (result)->call == call ? &CALL_ITEM (result)->answer
                                                                   : NULL;
}

gboolean
call_wait_is_valid (GAsyncResult *result, ProcfunCall *call, gpointer source_tag)
{
  const CallAnswer *answer = find_answer (result, call);

  return answer != NULL && answer->source_tag == source_tag;
}

GVariant *
call_wait_finish (GAsyncResult *result, GError **error)
{
  CallAnswer *answer
      = CALL_IS_ITEM (result) ? &CALL_ITEM (result)->answer : &PROCFUN_CALL (result)->answer;

  if (answer->error != NULL)
    g_propagate_error (error, g_steal_pointer (&answer->error));
  return g_steal_pointer (&answer->value);
}

/* Waiting */

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
  CallWait *self = g_new (CallWait, 1);

  *self = (CallWait){ .call = g_object_ref (call) };
  g_atomic_ref_count_init (&self->ref_count);
  g_atomic_ref_count_inc (&self->ref_count); /* two: see the header */
  self->executor = executor;
  call_link_init (&self->link, call, cancellable);
  self->context = g_main_context_ref_thread_default ();
  call_join_set_context (call, self->context);
  self->callback = callback;
  self->answer = (CallAnswer){ .user_data = user_data, .source_tag = source_tag };
  self->at_end = at_end;
  return self;
}

void
call_wait_unref (CallWait *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_object_unref (self->call);
  g_main_context_unref (self->context);
  call_answer_clear (&self->answer);
  g_free (self);
}

void
call_wait_set_final (CallWait *self)
{
  self->is_final = TRUE;
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

static void
give_result (CallWait *self)
{
  CallAnswer answer = self->answer;

  self->answer = (CallAnswer){ .user_data = NULL };
  self->call->answer = answer;
  if (self->callback != NULL)
    self->callback (G_OBJECT (self->call), G_ASYNC_RESULT (self->call), answer.user_data);
}

static void
give_item (CallWait *self)
{
  g_autoptr (CallItem) item = NULL;

  if (self->callback == NULL)
    return;
  item = g_object_new (CALL_TYPE_ITEM, NULL);
  item->call = g_object_ref (self->call);
  item->answer = self->answer;
  self->answer = (CallAnswer){ .user_data = NULL };
  self->callback (G_OBJECT (self->call), G_ASYNC_RESULT (item), item->answer.user_data);
}

/* A GTask would check the cancellable here, and hide that the call succeeded. */
static void
end_here (CallWait *self)
{
  call_link_clear (&self->link);
  if (self->at_end != NULL)
    self->at_end (self->call, self->answer.value, self->answer.error);
  call_join_set_context (self->call, NULL);
  g_clear_object (&self->executor);
  if (self->is_final)
    give_result (self);
  else
    give_item (self);
  call_wait_unref (self);
}

static gboolean
end_in_context (gpointer user_data)
{
  CallWait *self = user_data;
  GMainContext *context = self->context;
  const gboolean is_pushed = default_context_push (context);

  end_here (self);
  if (is_pushed) /* which holds it */
    g_main_context_pop_thread_default (context);
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

  self->answer.value = value;
  self->answer.error = error;
  if (g_atomic_int_get (&self->has_begun) && current != NULL
      && g_source_get_context (current) == self->context
      && g_source_get_priority (current) >= self->call->settings.io_priority)
    end_in_context (self);
  else
    end_later (self);
}
