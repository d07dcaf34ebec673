/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls of generators, item by item. */

#include "procfun/base/intl.h"
#include "procfun/core/call-wait.h"
#include "procfun/core/call.h"
#include "procfun/core/executor.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"
#include "procfun/run/default-executor.h"

static gboolean
has_ended (ProcfunCall *self)
{
  return procfun_call_get_state (self) >= PROCFUN_CALL_SUCCEEDED;
}

static void
cut_anchor (CallItems *items)
{
  if (items->anchor != NULL)
    g_source_destroy (items->anchor);
  g_clear_pointer (&items->anchor, g_source_unref);
}

static void
end (ProcfunCall *self, GError *error)
{
  CallItems *items = procfun_call_get_items (self);
  g_autoptr (ProcfunExecutor) executor = g_steal_pointer (&items->executor);
  g_autoptr (GVariant) nothing = NULL;

  procfun_call_take_stream (self, NULL, NULL);
  if (executor != NULL)
    procfun_executor_leave (executor, self, error);
  cut_anchor (items);
  procfun_call_take_result_fd_list (self, NULL);
  if (error == NULL)
    nothing = g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  procfun_call_end (self, nothing, error);
}

/* Ending a call that nobody holds */

static void on_closed (GObject *source, GAsyncResult *async_result, gpointer user_data);

/* The anchor holds the call while its main context lives. */
static gboolean
close_in_context (gpointer user_data)
{
  ProcfunCall *self = user_data;
  CallItems *items = procfun_call_get_items (self);
  GMainContext *context = g_source_get_context (items->anchor);

  g_source_set_ready_time (items->anchor, -1);
  g_main_context_push_thread_default (context);
  procfun_executor_next_async (items->executor, self, on_closed, self);
  g_main_context_pop_thread_default (context);
  return G_SOURCE_CONTINUE;
}

static void
on_closed (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autoptr (ProcfunCall) self = g_object_ref (user_data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) item
      = procfun_executor_next_finish (PROCFUN_EXECUTOR (source), self, async_result, &error);

  if (item != NULL)
    close_in_context (self);
  else
    end (self, error);
}

static void
close_later (ProcfunCall *self)
{
  GSource *anchor = procfun_call_get_items (self)->anchor;

  g_source_set_callback (anchor, close_in_context, g_object_ref (self), g_object_unref);
  g_source_set_ready_time (anchor, 0);
}

/* The main context is gone. */
static void
close_unseen (ProcfunCall *self)
{
  g_autoptr (GError) error = NULL;

  canceller_set_error_if_cancelled (procfun_call_get_canceller (self), &error);
  end (self, error);
}

static void
close_now (ProcfunCall *self)
{
  ProcfunExecutor *executor = procfun_call_get_items (self)->executor;
  g_autoptr (GError) error = NULL;
  GVariant *item;

  while ((item = procfun_executor_next (executor, self, &error)) != NULL)
    g_variant_unref (item);
  end (self, error);
}

static gboolean
close_call (ProcfunCall *self)
{
  CallItems *items = procfun_call_get_items (self);
  gboolean was_closing = items->is_closing;

  if (items->executor == NULL)
    return FALSE;
  items->is_closing = TRUE;
  canceller_cancel (procfun_call_get_canceller (self));
  if (was_closing)
    close_unseen (self);
  else if (items->anchor == NULL || g_source_is_destroyed (items->anchor))
    close_now (self);
  else
    close_later (self);
  return items->executor != NULL;
}

/* Bars other waiters until settle() is called. */
static gboolean
begin_to_wait (ProcfunCall *self, GError **error)
{
  const char *name = procfun_function_get_name (procfun_call_peek_function (self));

  if (!procfun_function_is_generator (procfun_call_peek_function (self)))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("%s() is no generator"), name);
  else if (!g_atomic_int_compare_and_exchange (&procfun_call_get_items (self)->is_waiting, FALSE,
                                               TRUE))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PENDING,
                 _ ("an item of %s() is being waited for already"), name);
  else
    return TRUE;
  return FALSE;
}

/* The first item starts the call. */
static gboolean
start (ProcfunCall *self, GError **error)
{
  CallItems *items = procfun_call_get_items (self);
  g_autoptr (ProcfunExecutor) executor = NULL;

  if (items->executor != NULL)
    return TRUE;
  if (!procfun_call_begin (self) || !procfun_call_check_arguments (self, error)
      || canceller_set_error_if_cancelled (procfun_call_get_canceller (self), error))
    return FALSE;
  executor = procfun_call_ref_executor (self);
  if (!procfun_executor_enter (executor, self, error))
    return FALSE;
  items->executor = g_steal_pointer (&executor);
  items->close = close_call;
  return TRUE;
}

/* NULL for @item is the end. */
static void
settle (ProcfunCall *self, GVariant *item, GError *error)
{
  if (item == NULL && !has_ended (self))
    end (self, error);
  g_atomic_int_set (&procfun_call_get_items (self)->is_waiting, FALSE);
}

/**
 * procfun_call_next:
 * @self: a #ProcfunCall of a generator
 * @cancellable: (nullable): a #GCancellable, which ends the call like procfun_call_abort()
 * @error: return location for a #GError
 *
 * Waits for the next item that the function yields, in this thread and without running its main
 * context. The first time, this starts the call.
 *
 * When the function has returned, and each time after that, there is %NULL without an error. When
 * the call fails, the items that came before the failure are given first, and then its error, once;
 * see procfun_call_run() for the errors. Those of a call that was cancelled are dropped.
 *
 * The function runs ahead of its reader, by up to 256 items or 256 KiB, and waits then. Time that
 * it waits counts for #ProcfunCall:timeout and #ProcfunCall:deadline. While nobody waits for an
 * item, nobody looks at the clocks and at what the function prints; but after
 * procfun_call_next_async() the main context goes on doing so.
 *
 * A call that nobody holds any more is ended as by procfun_call_abort(). If its items were taken
 * with this function, g_object_unref() waits for that: twice #ProcfunCall:grace-period at most, and
 * a moment for a function that returns when nobody wants more.
 *
 * The items of a call are taken in one thread. When somebody waits already, this fails with
 * %G_IO_ERROR_PENDING, and with %PROCFUN_ERROR_INVALID when the function is no generator; the call
 * goes on in both cases.
 *
 * Returns: (transfer full) (nullable): the item; %NULL at the end, or with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_call_next (ProcfunCall *self, GCancellable *cancellable, GError **error)
{
  GError *own_error = NULL;
  GVariant *item = NULL;
  CallLink link;

  g_return_val_if_fail (PROCFUN_IS_CALL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);
  if (has_ended (self) || !begin_to_wait (self, error))
    return NULL;

  g_object_ref (self);
  call_link_init (&link, self, cancellable);
  if (start (self, &own_error))
    item = procfun_executor_next (procfun_call_get_items (self)->executor, self, &own_error);
  call_link_clear (&link);
  settle (self, item, own_error);
  if (own_error != NULL)
    g_propagate_error (error, own_error);
  g_object_unref (self);
  return item;
}

static void
on_next (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  CallWait *wait = user_data;
  GError *error = NULL;
  GVariant *item = procfun_executor_next_finish (PROCFUN_EXECUTOR (source),
                                                 call_wait_get_call (wait), async_result, &error);

  call_wait_end (wait, item, error);
}

static gboolean
anchor_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

/* Way back into this main context for close_later(). It must not hold the context, which would keep
 * it alive. */
static void
drop_anchor (CallItems *items)
{
  static GSourceFuncs funcs = { .dispatch = anchor_dispatch };
  GMainContext *context = g_main_context_get_thread_default ();

  if (context == NULL)
    context = g_main_context_default ();
  if (items->anchor != NULL && !g_source_is_destroyed (items->anchor)
      && g_source_get_context (items->anchor) == context)
    return;
  cut_anchor (items);
  items->anchor = g_source_new (&funcs, sizeof (GSource));
  g_source_set_static_name (items->anchor, "procfun call");
  g_source_attach (items->anchor, context);
}

/**
 * procfun_call_next_async:
 * @self: a #ProcfunCall of a generator
 * @cancellable: (nullable): a #GCancellable, which ends the call like procfun_call_abort()
 * @callback: called when there is an item, or the call has ended
 * @user_data: for @callback
 *
 * Does what procfun_call_next() does, without waiting. Signals and @callback come in the main
 * context that is this thread's default now, signals also between two items.
 *
 * While an item is waited for the call keeps itself. When its last reference goes after that and
 * before its end, it is ended as by procfun_call_abort(), from that main context.
 *
 * Since: 0.1
 */
void
procfun_call_next_async (ProcfunCall *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (CallWait) wait = NULL;
  GError *error = NULL;
  gboolean waits;

  g_return_if_fail (PROCFUN_IS_CALL (self));
  waits = !has_ended (self) && begin_to_wait (self, &error);
  wait = call_wait_new (self, NULL, waits ? cancellable : NULL, callback, user_data,
                        procfun_call_next_async, waits ? settle : NULL);
  if (waits && start (self, &error))
    {
      drop_anchor (procfun_call_get_items (self));
      procfun_executor_next_async (procfun_call_get_items (self)->executor, self, on_next, wait);
    }
  else
    call_wait_end (wait, NULL, error);
  call_wait_has_begun (wait);
}

/**
 * procfun_call_next_finish:
 * @self: a #ProcfunCall
 * @result: what the callback was given
 * @error: return location for a #GError
 *
 * Gives the item that procfun_call_next_async() waited for.
 *
 * Returns: (transfer full) (nullable): the item; %NULL at the end, or with @error set
 *
 * Since: 0.1
 */
GVariant *
procfun_call_next_finish (ProcfunCall *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (call_wait_is_valid (result, self, procfun_call_next_async), NULL);

  return call_wait_finish (result, error);
}
