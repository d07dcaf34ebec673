/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/backend/exchange-drive.h"

#include "procfun/platform/waker.h"
#include <poll.h>

/* Driven by poll() */

static int
get_timeout_ms (Exchange *self)
{
  gint64 wake_time = exchange_get_wake_time (self);

  /* Rounded up, or the last millisecond would be spent spinning. */
  return wake_time < 0
             ? -1
             : (int)CLAMP ((wake_time - g_get_monotonic_time () + 999) / 1000, 0, G_MAXINT);
}

/* A call that ends within this time is not worth the descriptor by which others wake it. */
#define FIRST_SLEEP_MS 2

static int
get_first_timeout_ms (Exchange *self)
{
  int timeout = get_timeout_ms (self);

  return timeout < 0 ? FIRST_SLEEP_MS : MIN (timeout, FIRST_SLEEP_MS);
}

/* @cancel_fd: -1: not yet; most calls end without. */
static void
wait_for_something (Exchange *self, GCancellable *cancellable, gboolean is_first, int *cancel_fd)
{
  GPollFD fds[EXCHANGE_N_FDS + 1];

  if (!is_first && *cancel_fd < 0 && cancellable != NULL)
    *cancel_fd = g_cancellable_get_fd (cancellable);
  exchange_get_fds (self, fds);
  fds[EXCHANGE_N_FDS]
      = (GPollFD){ .fd = exchange_is_ending (self) ? -1 : *cancel_fd, .events = G_IO_IN };
  if (!exchange_fall_asleep (self))
    g_poll (fds, G_N_ELEMENTS (fds),
            is_first ? get_first_timeout_ms (self) : get_timeout_ms (self));
  exchange_note_ready (self, fds);
}

/* Until it has ended, or an item is there. */
static void
drive (Exchange *self, GCancellable *cancellable)
{
  int cancel_fd = -1;
  gboolean has_slept = FALSE;

  while (!exchange_advance (self, cancellable) && !exchange_has_item (self))
    if (has_slept || !exchange_yield (self))
      {
        wait_for_something (self, cancellable, !has_slept, &cancel_fd);
        has_slept = TRUE;
      }
  if (cancel_fd >= 0)
    g_cancellable_release_fd (cancellable);
}

GVariant *
exchange_run (Exchange *self, GCancellable *cancellable, GError **error)
{
  worker_drop_source (exchange_get_worker (self));
  drive (self, cancellable);
  return exchange_finish (self, error);
}

GVariant *
exchange_wait_for_item (Exchange *self, GCancellable *cancellable)
{
  GVariant *item = exchange_take_item (self, cancellable);

  while (item == NULL && !exchange_has_ended (self))
    {
      drive (self, cancellable);
      item = exchange_take_item (self, cancellable);
    }
  return item;
}

/* Driven by a GSource */

typedef struct
{
  GSource source;
  Exchange *exchange; /* (nullable) (unowned): none, between two calls */
  guint serial;       /* of the exchange */
  gboolean is_advancing;
  gboolean is_fresh;
  gboolean has_input;        /* what it waits for was read, here or with something else */
  GCancellable *cancellable; /* (nullable) */
  Waker *waker;              /* (nullable): not when it is too late to cancel */
  GPollFD fds[EXCHANGE_N_FDS];
  gpointer tags[EXCHANGE_N_FDS]; /* (nullable): of those that are waited for */
} ExchangeSource;

static void
watch (ExchangeSource *self, guint i, GPollFD wanted)
{
  GSource *source = &self->source;

  if (self->tags[i] != NULL && wanted.fd == self->fds[i].fd)
    {
      if (wanted.events != self->fds[i].events)
        g_source_modify_unix_fd (source, self->tags[i], wanted.events);
    }
  else
    {
      if (self->tags[i] != NULL)
        g_source_remove_unix_fd (source, g_steal_pointer (&self->tags[i]));
      if (wanted.fd >= 0)
        self->tags[i] = g_source_add_unix_fd (source, wanted.fd, wanted.events);
    }
  self->fds[i] = wanted;
}

void
exchange_source_update (GSource *source)
{
  ExchangeSource *self = (ExchangeSource *)source;
  GPollFD fds[EXCHANGE_N_FDS];

  exchange_get_fds (self->exchange, fds);
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    watch (self, i, fds[i]);
  g_source_set_ready_time (source, exchange_get_wake_time (self->exchange));
  if (exchange_is_ending (self->exchange))
    g_clear_pointer (&self->waker, waker_free);
  else if (self->waker != NULL && g_cancellable_is_cancelled (self->cancellable))
    g_source_set_ready_time (source, 0); /* as the waker may have done too early */
}

static void
note_ready (ExchangeSource *self)
{
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    self->fds[i].revents
        = self->tags[i] != NULL ? g_source_query_unix_fd (&self->source, self->tags[i]) : 0;
  exchange_note_ready (self->exchange, self->fds);
}

/* The exchange may be gone when @callback returns, and there may be another one. A worker that does
 * something between two calls has ended. */
static gboolean
exchange_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ExchangeSource *self = (ExchangeSource *)source;
  guint serial = self->serial;
  gboolean goes_on;

  if (self->exchange == NULL)
    return G_SOURCE_REMOVE;
  if (self->is_advancing) /* in a main loop that a handler of its signals runs */
    return G_SOURCE_CONTINUE;
  note_ready (self);
  if (self->has_input)
    exchange_note_input (self->exchange);
  self->has_input = FALSE;
  self->is_advancing = TRUE;
  exchange_advance (self->exchange, self->cancellable);
  self->is_advancing = FALSE;
  if (g_source_is_destroyed (source))
    return G_SOURCE_REMOVE;
  goes_on = callback (user_data);
  if (g_source_is_destroyed (source))
    return G_SOURCE_REMOVE;
  if (self->serial != serial)
    return G_SOURCE_CONTINUE;
  if (goes_on)
    exchange_source_update (source);
  return goes_on;
}

/* Before it is finalised: until then the source can still be made ready. */
static void
exchange_source_dispose (GSource *source)
{
  g_clear_pointer (&((ExchangeSource *)source)->waker, waker_free);
}

static void
exchange_source_finalize (GSource *source)
{
  ExchangeSource *self = (ExchangeSource *)source;

  g_clear_object (&self->cancellable);
}

/* Before the main loop sleeps for the first time, as a call that blocks does before it sleeps. */
static gboolean
exchange_source_prepare (GSource *source, int *timeout)
{
  ExchangeSource *self = (ExchangeSource *)source;

  if (self->exchange != NULL && !self->has_input)
    self->has_input = (self->is_fresh && exchange_yield (self->exchange))
                      || exchange_fall_asleep (self->exchange);
  self->is_fresh = FALSE;
  *timeout = -1;
  return self->has_input;
}

static GSourceFuncs exchange_source_funcs = { .prepare = exchange_source_prepare,
                                              .dispatch = exchange_source_dispatch,
                                              .finalize = exchange_source_finalize };

/* The call has ended, and the worker may get another one in the same main context: to wait for it
 * anew would cost more than the call. */
static void
park (ExchangeSource *self)
{
  Worker *worker = exchange_get_worker (self->exchange);

  g_clear_pointer (&self->waker, waker_free);
  g_clear_object (&self->cancellable);
  self->exchange = NULL;
  self->serial++;
  g_source_set_ready_time (&self->source, -1);
  worker_keep_source (worker, &self->source);
}

/* (transfer full) (nullable). From another thread it could be in use just now. */
static GSource *
take_parked (Exchange *exchange, GTask *task, gboolean is_owner)
{
  Worker *worker = exchange_get_worker (exchange);

  if (is_owner && worker->source != NULL && !g_source_is_destroyed (worker->source)
      && worker->source_context == g_task_get_context (task)
      && g_source_get_priority (worker->source) == g_task_get_priority (task))
    return worker_take_source (worker);
  worker_drop_source (worker);
  return NULL;
}

static GSource *
make_source (GTask *task)
{
  GSource *source = g_source_new (&exchange_source_funcs, sizeof (ExchangeSource));

  g_source_set_dispose_function (source, exchange_source_dispose);
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_static_name (source, "procfun exchange");
  /* Else GLib takes each descriptor out and puts it back whenever the source is dispatched, which
   * are two writes each; and a main loop inside of a callback could not bring the next call to an
   * end. */
  g_source_set_can_recurse (source, TRUE);
  return source;
}

GSource *
exchange_source_attach (Exchange *exchange, GCancellable *cancellable, GTask *task,
                        GSourceFunc callback, gpointer user_data, GDestroyNotify destroy)
{
  GMainContext *context = g_task_get_context (task);
  gboolean is_owner = g_main_context_acquire (context);
  g_autoptr (GSource) parked = take_parked (exchange, task, is_owner);
  GSource *source = parked != NULL ? parked : make_source (task);
  ExchangeSource *self = (ExchangeSource *)source;

  self->exchange = exchange;
  self->serial++;
  self->is_fresh = TRUE;
  self->has_input = exchange_has_input (exchange);
  if (cancellable != NULL && !exchange_is_ending (exchange))
    {
      self->cancellable = g_object_ref (cancellable);
      self->waker = waker_new (cancellable, source);
    }
  g_source_set_callback (source, callback, user_data, destroy);
  exchange_source_update (source);
  if (parked == NULL)
    {
      g_source_attach (source, context);
      g_source_unref (source);
    }
  if (is_owner)
    g_main_context_release (context);
  return source;
}

/* The whole of it */

typedef struct
{
  Exchange *exchange; /* (nullable) */
  GTask *task;        /* (nullable) */
  GSource *source;    /* unowned */
} ExchangeRun;

/* Also when its main context goes away with the call unfinished. */
static void
exchange_run_free (gpointer user_data)
{
  ExchangeRun *self = user_data;

  g_clear_pointer (&self->exchange, exchange_free);
  g_clear_object (&self->task);
  g_free (self);
}

static gboolean
on_advanced (gpointer user_data)
{
  ExchangeRun *self = user_data;
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;
  GVariant *result;

  if (!exchange_has_ended (self->exchange))
    return G_SOURCE_CONTINUE;
  task = g_steal_pointer (&self->task);
  result = exchange_finish (self->exchange, &error);
  if (exchange_can_go_on (self->exchange))
    park ((ExchangeSource *)self->source);
  g_clear_pointer (&self->exchange, exchange_free);
  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
  return G_SOURCE_REMOVE;
}

void
exchange_run_async (Exchange *exchange, GCancellable *cancellable, GTask *task)
{
  ExchangeRun *self = g_new0 (ExchangeRun, 1);

  self->exchange = exchange;
  self->task = task;
  self->source
      = exchange_source_attach (exchange, cancellable, task, on_advanced, self, exchange_run_free);
}
