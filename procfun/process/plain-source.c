/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/plain-source.h"

#include "procfun/platform/default-context.h"
#include "procfun/process/plain-exchange.h"

/* Channel, death, crash report, and two streams of output. */
#define N_FDS 5

/* So many answers that came together are handled before others of the main loop have their turn. */
#define ANSWERS_MAX 16

typedef struct
{
  GSource source;
  Worker *worker;   /* (unowned): there while it has a call */
  PlainAsync *head; /* (nullable) (owned): none, between two calls */
  PlainAsync *tail; /* (unowned): the last of those behind it */
  PlainSourceFunc func;
  gint64 timeout;  /* in µs; 0: none */
  gint64 ended_at; /* monotonic time in µs: of the call that was taken last */
  gpointer kept;   /* (nullable) (owned): an object */
  gboolean is_fresh;
  gboolean has_input;
  gpointer tags[N_FDS];
} PlainSource;

/* As that of an exchange, it yields before the main loop sleeps for the first time. The program may
 * have forked itself, and this may be the child. */
static gboolean
plain_source_prepare (GSource *source, int *timeout)
{
  PlainSource *self = (PlainSource *)source;

  *timeout = -1;
  if (self->head == NULL)
    return FALSE;
  if (!self->has_input)
    self->has_input = !process_is_own (self->worker->process)
                      || (self->is_fresh && channel_yield (self->worker->channel))
                      || channel_fall_asleep (self->worker->channel);
  self->is_fresh = FALSE;
  return self->has_input;
}

/* Whether it was woken by something else than the word that there is something in the ring. */
static gboolean
has_other (PlainSource *self)
{
  GSource *source = &self->source;
  const gint64 ready_time = g_source_get_ready_time (source);
  const GIOCondition socket = g_source_query_unix_fd (source, self->tags[0]);

  if (ready_time >= 0 && ready_time <= g_get_monotonic_time ())
    return TRUE;
  for (guint i = 1; i < N_FDS; i++)
    if (g_source_query_unix_fd (source, self->tags[i]) != 0)
      return TRUE;
  return socket != 0 && (socket != G_IO_IN || !channel_in_wake_up (&self->worker->channel->in));
}

/* @is_first: in this turn. What is found later has its own. */
static PlainExchangeStatus
take (PlainSource *self, gboolean is_first)
{
  PlainExchangeStatus status;

  if (!process_is_own (self->worker->process))
    return PLAIN_EXCHANGE_OTHER;
  status = plain_exchange_take (self->worker, &self->head->plain, self->head->call_id);
  if (status == PLAIN_EXCHANGE_NOTHING && is_first && has_other (self))
    status = PLAIN_EXCHANGE_OTHER;
  return status;
}

/* The head runs from now on. */
static void
begin (PlainSource *self)
{
  self->is_fresh = TRUE;
  if (self->timeout > 0)
    g_source_set_ready_time (&self->source, self->head->plain.started_at + self->timeout);
}

static PlainAsync *
pop (PlainSource *self)
{
  PlainAsync *async = self->head;

  self->head = async->next;
  async->next = NULL;
  self->ended_at = g_get_monotonic_time ();
  if (self->head != NULL)
    {
      self->head->plain.started_at = self->ended_at;
      begin (self);
    }
  else if (g_source_get_ready_time (&self->source) != -1)
    g_source_set_ready_time (&self->source, -1);
  return async;
}

/* A turn of the main loop costs more than to wait for the answer that comes next. */
static PlainExchangeStatus
take_next (PlainSource *self)
{
  PlainExchangeStatus status = take (self, FALSE);

  if (status == PLAIN_EXCHANGE_NOTHING && channel_linger (self->worker->channel))
    status = take (self, FALSE);
  return status;
}

/* Until nothing is there. Worker and source may be gone, or have other calls, when a function
 * returns. */
static void
take_all (PlainSource *self)
{
  PlainExchangeStatus status = PLAIN_EXCHANGE_RESULT;

  for (guint n = 0; n < ANSWERS_MAX && status == PLAIN_EXCHANGE_RESULT; n++)
    {
      if (self->head == NULL || g_source_is_destroyed (&self->source))
        return;
      status = n == 0 ? take (self, TRUE) : take_next (self);
      if (status != PLAIN_EXCHANGE_NOTHING)
        self->func (&self->source, pop (self), status == PLAIN_EXCHANGE_RESULT);
    }
}

/* A worker that does something between two calls has ended, or has another caller. */
static gboolean
plain_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  PlainSource *self = (PlainSource *)source;
  gboolean is_pushed;

  if (self->head == NULL)
    return G_SOURCE_REMOVE;
  self->has_input = FALSE;
  is_pushed = default_context_push (g_source_get_context (source));
  take_all (self);
  if (is_pushed)
    g_main_context_pop_thread_default (g_source_get_context (source));
  return G_SOURCE_CONTINUE;
}

static void
plain_source_finalize (GSource *source)
{
  g_clear_object (&((PlainSource *)source)->kept);
}

static GSourceFuncs plain_source_funcs = { .prepare = plain_source_prepare,
                                           .dispatch = plain_source_dispatch,
                                           .finalize = plain_source_finalize };

GSource *
plain_source_find (const Worker *worker, GMainContext *context)
{
  return worker->source != NULL && worker->source->source_funcs == &plain_source_funcs
                 && worker->source_context == context && !g_source_is_destroyed (worker->source)
             ? worker->source
             : NULL;
}

/* (transfer full): which watches the descriptors of @worker */
static GSource *
make (Worker *worker)
{
  GSource *source = g_source_new (&plain_source_funcs, sizeof (PlainSource));
  PlainSource *self = (PlainSource *)source;
  const int fds[N_FDS] = { worker->channel->fd, process_get_pidfd (worker->process),
                           worker->report_fd, worker->output_fds[0], worker->output_fds[1] };

  self->worker = worker;
  for (guint i = 0; i < N_FDS; i++)
    self->tags[i] = g_source_add_unix_fd (source, fds[i], G_IO_IN);
  g_source_set_static_name (source, "procfun plain calls");
  g_source_set_can_recurse (source, TRUE); /* as that of an exchange */
  return source;
}

GSource *
plain_source_get (Worker *worker, GMainContext *context, PlainSourceFunc func)
{
  g_autoptr (GSource) source = NULL;

  if (plain_source_find (worker, context) != NULL)
    return worker->source;
  worker_drop_source (worker);
  source = make (worker);
  ((PlainSource *)source)->func = func;
  g_source_attach (source, context);
  worker_keep_source (worker, source);
  return worker->source;
}

void
plain_source_push (GSource *source, PlainAsync *async, gint64 timeout)
{
  PlainSource *self = (PlainSource *)source;
  const gboolean is_first = self->head == NULL;

  async->next = NULL;
  *(is_first ? &self->head : &self->tail->next) = async;
  self->tail = async;
  if (!is_first)
    return;
  self->timeout = timeout;
  self->has_input = FALSE;
  begin (self);
}

PlainAsync *
plain_source_pop (GSource *source)
{
  PlainSource *self = (PlainSource *)source;

  return self->head != NULL ? pop (self) : NULL;
}

gboolean
plain_source_is_empty (GSource *source)
{
  return ((PlainSource *)source)->head == NULL;
}

gint64
plain_source_get_ended_at (GSource *source)
{
  return ((PlainSource *)source)->ended_at;
}

void
plain_source_keep (GSource *source, gpointer object)
{
  PlainSource *self = (PlainSource *)source;

  g_clear_object (&self->kept); /* by a main loop within a callback */
  self->kept = object;
}

gpointer
plain_source_steal_kept (GSource *source)
{
  return g_steal_pointer (&((PlainSource *)source)->kept);
}
