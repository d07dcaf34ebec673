/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/plain-async.h"

#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/platform/default-context.h"
#include "procfun/values/type.h"

static void plain_async_iface_init (GAsyncResultIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PlainAsync, plain_async, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_RESULT, plain_async_iface_init))

static gpointer
plain_async_get_user_data (GAsyncResult *result)
{
  return PLAIN_ASYNC (result)->receiver.user_data;
}

/* (nullable) */
static GObject *
plain_async_get_source_object (GAsyncResult *result)
{
  return NULL;
}

static gboolean
plain_async_is_tagged (GAsyncResult *result, gpointer source_tag)
{
  return PLAIN_ASYNC (result)->receiver.source_tag == source_tag;
}

static void
plain_async_iface_init (GAsyncResultIface *iface)
{
  iface->get_user_data = plain_async_get_user_data;
  iface->get_source_object = plain_async_get_source_object;
  iface->is_tagged = plain_async_is_tagged;
}

static void
clear (PlainAsync *self)
{
  if (self->has_value)
    type_clear (&self->plain.definition->result, self->plain.result);
  if (self->plain.result != self->value)
    g_free (self->plain.result);
  plain_call_clear (&self->plain);
  g_clear_object (&self->executor);
  g_clear_pointer (&self->context, g_main_context_unref);
  self->plain.result = NULL;
  self->has_value = FALSE;
}

static void
plain_async_finalize (GObject *object)
{
  PlainAsync *self = PLAIN_ASYNC (object);

  clear (self);
  g_clear_object (&self->plain.function);

  G_OBJECT_CLASS (plain_async_parent_class)->finalize (object);
}

static void
plain_async_class_init (PlainAsyncClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = plain_async_finalize;
}

static void
plain_async_init (PlainAsync *self)
{
}

PlainAsync *
plain_async_new (ProcfunExecutor *executor, const PlainCall *plain, PlainAsync *spare)
{
  PlainAsync *self = spare != NULL ? spare : g_object_new (PLAIN_TYPE_ASYNC, NULL);
  const gsize size = plain->definition->result_size;

  if (self->plain.function != plain->function) /* a spare keeps that of its last call */
    g_set_object (&self->plain.function, plain->function);
  self->executor = executor;
  self->receiver = *plain->receiver;
  self->plain = (PlainCall){ .function = plain->function,
                             .definition = plain->definition,
                             .args = BUFFER_IN (self->args),
                             .result = size <= sizeof self->value ? self->value : g_malloc (size),
                             .submitted_at = plain->submitted_at,
                             .started_at = plain->started_at,
                             .receiver = &self->receiver };
  buffer_append (&self->plain.args, plain->args.data, plain->args.length);
  return self;
}

/* Data that others have attached to an object go with it. */
gboolean
plain_async_become_spare (PlainAsync *self)
{
  const GObject *object = &self->parent_instance;

  if (g_atomic_int_get (&object->ref_count) != 1 || object->qdata != NULL)
    return FALSE;
  clear (self);
  return TRUE;
}

void
plain_async_end (PlainAsync *self, gint64 ended_at)
{
  self->has_value = TRUE;
  plain_call_count (&self->plain, self->executor, ended_at);
  if (self->receiver.callback != NULL)
    self->receiver.callback (NULL, (GAsyncResult *)self, self->receiver.user_data);
}

ProcfunCall *
plain_async_make (PlainAsync *self, GMainContext *context, gpointer *wait)
{
  g_autoptr (ProcfunCall) call = plain_call_make (&self->plain);
  const gboolean is_pushed = default_context_push (context);
  CallWait *call_wait
      = call_wait_new (call, g_object_ref (self->executor), NULL, self->receiver.callback,
                       self->receiver.user_data, self->receiver.source_tag, procfun_call_end);

  if (is_pushed)
    g_main_context_pop_thread_default (context);
  self->plain.call = NULL;
  call_wait_set_final (call_wait);
  call_wait_has_begun (call_wait);
  call_wait_unref (call_wait);
  *wait = call_wait;
  return call; /* which the wait holds */
}

void
plain_async_on_made_end (GVariant *result, GError *error, gpointer wait)
{
  result = procfun_executor_end (call_wait_get_executor (wait), call_wait_get_call (wait), result,
                                 &error);
  call_wait_end (wait, result, error);
}

gboolean
plain_async_take (PlainAsync *self, gpointer result)
{
  if (!self->has_value)
    return FALSE;
  self->has_value = FALSE;
  if (self->plain.definition->result_size > 0)
    memcpy (result, self->plain.result, self->plain.definition->result_size);
  return TRUE;
}
