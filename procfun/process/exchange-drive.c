/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/exchange-drive.h"

#include "procfun/core/call.h"
#include "procfun/platform/canceller.h"
#include "procfun/platform/fds.h"

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

/* Where there is no descriptor that would wake this thread, it looks again after this time. */
#define LOOK_AGAIN_MS 20

static int
get_short_timeout_ms (Exchange *self, int max)
{
  int timeout = get_timeout_ms (self);

  return timeout < 0 ? max : MIN (timeout, max);
}

/* @cancel_fd: -1: not yet; most calls end without. */
static void
wait_for_something (Exchange *self, gboolean is_first, int *cancel_fd)
{
  GPollFD fds[EXCHANGE_N_FDS + 1];
  int timeout;

  if (!is_first && *cancel_fd < 0)
    *cancel_fd = canceller_open_fd (exchange_get_canceller (self));
  if (is_first)
    timeout = get_short_timeout_ms (self, FIRST_SLEEP_MS);
  else if (*cancel_fd < 0)
    timeout = get_short_timeout_ms (self, LOOK_AGAIN_MS);
  else
    timeout = get_timeout_ms (self);
  exchange_get_fds (self, fds);
  fds[EXCHANGE_N_FDS]
      = (GPollFD){ .fd = exchange_is_ending (self) ? -1 : *cancel_fd, .events = G_IO_IN };
  fds_poll (fds, G_N_ELEMENTS (fds), exchange_fall_asleep (self) ? 0 : timeout);
  exchange_note_ready (self, fds);
}

/* Until it has ended, or an item is there. */
static void
drive (Exchange *self)
{
  int cancel_fd = -1;
  gboolean has_slept = FALSE;

  while (!exchange_advance (self) && !exchange_has_item (self))
    if (has_slept || !exchange_yield (self))
      {
        wait_for_something (self, !has_slept, &cancel_fd);
        has_slept = TRUE;
      }
  if (cancel_fd >= 0)
    canceller_close_fd (exchange_get_canceller (self));
}

GVariant *
exchange_run (Exchange *self, GError **error)
{
  worker_drop_source (exchange_get_worker (self));
  drive (self);
  return exchange_finish (self, error);
}

GVariant *
exchange_wait_for_item (Exchange *self)
{
  GVariant *item = exchange_take_item (self);

  while (item == NULL && !exchange_has_ended (self))
    {
      drive (self);
      item = exchange_take_item (self);
    }
  return item;
}

/* Driven by a GSource */

typedef struct
{
  GSource source;
  Exchange *exchange; /* (nullable) (unowned): none, between two calls */
  guint serial;       /* of the exchange */
  gint priority;      /* of its call */
  gboolean is_advancing;
  gboolean is_fresh;
  gboolean has_input;    /* what it waits for was read, here or with something else */
  gboolean needs_update; /* of the descriptors, the time and the canceller, before it waits */
  gint64 wake_time;      /* monotonic time: it is ready then; -1: never. A ready time of GLib wakes
                            the main loop that sets it, and here it is for cancellation */
  Canceller *canceller;  /* (nullable): while it waits and can be cancelled */
  GSourceFunc callback;  /* after each step */
  gpointer user_data;
  GDestroyNotify destroy; /* (nullable) */
  ExchangeFunc func;      /* at the end of what is run as a whole */
  gpointer func_data;
  GPollFD fds[EXCHANGE_N_FDS];
  gpointer tags[EXCHANGE_N_FDS]; /* (nullable): of those that are waited for */
} ExchangeSource;

/* So many answers that came together are handled before others of the main loop have their turn. */
#define ANSWERS_MAX 16

/* Before it is finalised: until then the source can be made ready. */
static void
clear_canceller (ExchangeSource *self)
{
  if (self->canceller != NULL)
    canceller_clear_source (self->canceller, &self->source);
  g_clear_pointer (&self->canceller, canceller_unref);
}

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

/* It may have been cancelled before. */
static void
watch_canceller (ExchangeSource *self)
{
  if (self->canceller == NULL)
    {
      self->canceller = canceller_ref (exchange_get_canceller (self->exchange));
      canceller_set_source (self->canceller, &self->source);
    }
  if (canceller_is_cancelled (self->canceller))
    g_source_set_ready_time (&self->source, 0);
}

void
exchange_source_update (GSource *source)
{
  ExchangeSource *self = (ExchangeSource *)source;
  GPollFD fds[EXCHANGE_N_FDS];

  self->needs_update = FALSE;
  exchange_get_fds (self->exchange, fds);
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    watch (self, i, fds[i]);
  self->wake_time = exchange_get_wake_time (self->exchange);
  if (g_source_get_ready_time (source) != -1)
    g_source_set_ready_time (source, -1);
  if (exchange_is_ending (self->exchange))
    clear_canceller (self);
  else
    watch_canceller (self);
  if (!g_main_context_is_owner (g_source_get_context (source)))
    g_main_context_wakeup (g_source_get_context (source));
}

static void
note_ready (ExchangeSource *self)
{
  for (guint i = 0; i < EXCHANGE_N_FDS; i++)
    self->fds[i].revents
        = self->tags[i] != NULL ? g_source_query_unix_fd (&self->source, self->tags[i]) : 0;
  exchange_note_ready (self->exchange, self->fds);
}

static void
advance (ExchangeSource *self)
{
  if (self->has_input)
    exchange_note_input (self->exchange);
  self->has_input = FALSE;
  self->needs_update = TRUE;
  self->is_advancing = TRUE;
  exchange_advance (self->exchange);
  self->is_advancing = FALSE;
}

/* The exchange may be gone when the callback returns, and there may be another one, whose answer
 * may have come with that of the first. */
static gboolean
advance_all (ExchangeSource *self)
{
  for (guint n = 0; n < ANSWERS_MAX; n++)
    {
      guint serial = self->serial;
      gint priority = self->priority;
      gboolean goes_on;

      advance (self);
      if (g_source_is_destroyed (&self->source))
        return G_SOURCE_REMOVE;
      goes_on = self->callback (self->user_data);
      if (g_source_is_destroyed (&self->source))
        return G_SOURCE_REMOVE;
      if (self->serial == serial)
        return goes_on;
      if (self->exchange == NULL || !self->has_input || self->priority != priority)
        break;
    }
  return G_SOURCE_CONTINUE;
}

/* A worker that does something between two calls has ended. */
static gboolean
exchange_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  ExchangeSource *self = (ExchangeSource *)source;

  if (self->exchange == NULL)
    return G_SOURCE_REMOVE;
  if (self->is_advancing) /* in a main loop that a handler of its signals runs */
    return G_SOURCE_CONTINUE;
  if (!self->needs_update) /* else the descriptors may be those of the exchange before */
    note_ready (self);
  return advance_all (self);
}

/* Before the main loop sleeps for the first time, it yields, as a call that blocks does. What has
 * its answer by then never waits, and needs no update. */
static gboolean
exchange_source_prepare (GSource *source, int *timeout)
{
  ExchangeSource *self = (ExchangeSource *)source;

  if (self->exchange != NULL && !self->has_input)
    self->has_input = (self->is_fresh && exchange_yield (self->exchange))
                      || exchange_fall_asleep (self->exchange);
  if (self->exchange != NULL && !self->has_input && self->needs_update)
    exchange_source_update (source);
  self->is_fresh = FALSE;
  *timeout = -1;
  if (self->has_input)
    return TRUE;
  if (self->wake_time >= 0)
    *timeout
        = (int)CLAMP ((self->wake_time - g_source_get_time (source) + 999) / 1000, 0, G_MAXINT);
  return *timeout == 0;
}

static gboolean
exchange_source_check (GSource *source)
{
  const ExchangeSource *self = (ExchangeSource *)source;

  return self->wake_time >= 0 && self->wake_time <= g_source_get_time (source);
}

static GSourceFuncs exchange_source_funcs = { .prepare = exchange_source_prepare,
                                              .check = exchange_source_check,
                                              .dispatch = exchange_source_dispatch };

/* The call has ended, and the worker may get another one in the same main context: to wait for it
 * anew would cost more than the call. */
static void
park (ExchangeSource *self)
{
  Worker *worker = exchange_get_worker (self->exchange);

  self->serial++;
  self->wake_time = -1;
  if (g_source_get_ready_time (&self->source) != -1)
    g_source_set_ready_time (&self->source, -1);
  worker_keep_source (worker, &self->source);
}

/* (transfer full) (nullable). From another thread it could be in use just now. */
static GSource *
take_parked (Exchange *exchange, GMainContext *context, gboolean is_owner)
{
  Worker *worker = exchange_get_worker (exchange);

  if (is_owner && worker->source != NULL && worker->source->source_funcs == &exchange_source_funcs
      && !g_source_is_destroyed (worker->source) && worker->source_context == context)
    return worker_take_source (worker);
  worker_drop_source (worker);
  return NULL;
}

/* With the source, or when it is destroyed before. */
static void
on_destroyed (gpointer source)
{
  ExchangeSource *self = source;

  clear_canceller (self);
  if (self->destroy != NULL)
    self->destroy (self->user_data);
}

static GSource *
make_source (void)
{
  GSource *source = g_source_new (&exchange_source_funcs, sizeof (ExchangeSource));

  g_source_set_callback (source, NULL, source, on_destroyed);
  g_source_set_static_name (source, "procfun exchange");
  /* Else GLib takes each descriptor out and puts it back whenever the source is dispatched, which
   * are two writes each; and a main loop inside of a callback could not bring the next call to an
   * end. */
  g_source_set_can_recurse (source, TRUE);
  return source;
}

static void
begin (ExchangeSource *self, Exchange *exchange)
{
  self->exchange = exchange;
  self->serial++;
  self->is_fresh = self->needs_update = TRUE;
  self->wake_time = -1;
  self->has_input = exchange_has_input (exchange);
}

static void
set_priority (ExchangeSource *self, ProcfunCall *call)
{
  gint priority = procfun_call_get_settings (call)->io_priority;

  if (self->priority == priority)
    return;
  self->priority = priority;
  g_source_set_priority (&self->source, priority);
}

/* @callback is given the source itself if @user_data is NULL. */
static GSource *
attach (Exchange *exchange, GMainContext *context, const ExchangeSource *settings)
{
  gboolean is_owner = g_main_context_acquire (context);
  g_autoptr (GSource) parked = take_parked (exchange, context, is_owner);
  g_autoptr (GSource) source = parked != NULL ? g_steal_pointer (&parked) : make_source ();
  ExchangeSource *self = (ExchangeSource *)source;

  self->callback = settings->callback;
  self->user_data = settings->user_data != NULL ? settings->user_data : self;
  self->destroy = settings->destroy;
  self->func = settings->func;
  self->func_data = settings->func_data;
  begin (self, exchange);
  set_priority (self, exchange_get_call (exchange));
  if (g_source_get_context (source) == NULL)
    g_source_attach (source, context);
  if (is_owner)
    g_main_context_release (context);
  return source;
}

GSource *
exchange_source_attach (Exchange *exchange, GMainContext *context, GSourceFunc callback,
                        gpointer user_data, GDestroyNotify destroy)
{
  const ExchangeSource settings
      = { .callback = callback, .user_data = user_data, .destroy = destroy };

  return attach (exchange, context, &settings);
}

/* The whole of it */

/* The main context goes away with the call unfinished. */
static void
on_dropped (gpointer user_data)
{
  ExchangeSource *self = user_data;

  g_clear_pointer (&self->exchange, exchange_free);
}

static gboolean
on_advanced (gpointer user_data)
{
  ExchangeSource *self = user_data;
  Exchange *exchange = self->exchange;
  ExchangeFunc func = self->func;
  gpointer func_data = self->func_data;
  GError *error = NULL;
  gboolean was_begun;
  GVariant *result;

  if (!exchange_has_ended (self->exchange))
    return G_SOURCE_CONTINUE;
  was_begun = exchange_was_begun (exchange);
  result = exchange_finish (self->exchange, &error);
  clear_canceller (self);
  if (exchange_can_go_on (self->exchange))
    park (self);
  self->exchange = NULL;
  self->destroy = NULL;
  exchange_free (exchange);
  func (result, error, was_begun, func_data);
  return G_SOURCE_REMOVE;
}

void
exchange_run_async (Exchange *exchange, GMainContext *context, ExchangeFunc func,
                    gpointer user_data)
{
  const ExchangeSource settings
      = { .callback = on_advanced, .destroy = on_dropped, .func = func, .func_data = user_data };

  attach (exchange, context, &settings);
}
