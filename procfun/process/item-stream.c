/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/item-stream.h"

#include "procfun/process/exchange-drive.h"

/* The call holds it, and so does its source: either may go while the other is in use. */
struct _ItemStream
{
  Exchange *exchange; /* (nullable): not when its main context went away while somebody waited */
  GSource *source;    /* (nullable) (unowned) */
  GTask *task;        /* (nullable): the waiting caller */
};

ItemStream *
item_stream_new (Exchange *exchange)
{
  ItemStream *self = g_atomic_rc_box_new0 (ItemStream);

  self->exchange = exchange;
  return self;
}

static void
clear (gpointer stream)
{
  ItemStream *self = stream;

  g_clear_pointer (&self->exchange, exchange_free);
}

static void
detach (ItemStream *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
}

void
item_stream_free (gpointer stream)
{
  ItemStream *self = stream;

  detach (self);
  g_clear_pointer (&self->exchange, exchange_free);
  g_atomic_rc_box_release_full (self, clear);
}

/* There are no more items. */
static void
finish (ItemStream *self, GError **error)
{
  GVariant *nothing = exchange_finish (self->exchange, error);

  g_clear_pointer (&nothing, g_variant_unref);
}

GVariant *
item_stream_next (ItemStream *self, GError **error)
{
  GVariant *item = exchange_wait_for_item (self->exchange);

  if (exchange_has_ended (self->exchange))
    detach (self);
  else if (self->source != NULL)
    exchange_source_update (self->source);
  if (item == NULL)
    finish (self, error);
  return item;
}

/* Gives an item to the waiting caller, if there is one. */
static void
give (ItemStream *self)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  GVariant *item;

  if (self->task == NULL)
    return;
  item = exchange_take_item (self->exchange);
  if (item == NULL && !exchange_has_ended (self->exchange))
    return;
  if (item == NULL)
    finish (self, &error);
  task = g_steal_pointer (&self->task);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, item, (GDestroyNotify)g_variant_unref);
}

static gboolean
on_advanced (gpointer user_data)
{
  ItemStream *self = user_data;
  gboolean has_ended = exchange_has_ended (self->exchange);

  give (self);
  return has_ended ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* When its main context goes away between two items, another may take over. */
static void
on_detached (gpointer user_data)
{
  ItemStream *self = user_data;

  self->source = NULL;
  if (self->task != NULL)
    g_clear_pointer (&self->exchange, exchange_free);
  g_clear_object (&self->task);
  g_atomic_rc_box_release_full (self, clear);
}

void
item_stream_next_async (ItemStream *self, GTask *task)
{
  GMainContext *context = g_task_get_context (task);

  if (self->source != NULL && g_source_get_context (self->source) != context)
    detach (self);
  if (self->source == NULL && !exchange_has_ended (self->exchange))
    self->source = exchange_source_attach (self->exchange, context, on_advanced,
                                           g_atomic_rc_box_acquire (self), on_detached);
  self->task = task;
  give (self);
}
