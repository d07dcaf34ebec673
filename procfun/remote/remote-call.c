/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-call.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/base/sandbox.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/failure.h"
#include "procfun/core/function.h"
#include "procfun/core/launch-context.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/contract.h"
#include "procfun/remote/hosts.h"
#include "procfun/remote/io-thread.h"
#include "procfun/remote/remote-chunk.h"
#include "procfun/remote/remote-listener.h"
#include "procfun/values/serialised.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes of items and output that a host sends ahead of its caller. */
#define CALL_WINDOW ((guint64)1024 * 1024)

/* Cost of an event besides its text. */
#define EVENT_COST 64

void
remote_event_free (RemoteEvent *self)
{
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_error (&self->error);
  g_clear_pointer (&self->failure, procfun_failure_unref);
  g_slice_free (RemoteEvent, self);
}

RemoteEvent *
remote_event_new (LinkType type, const char *host)
{
  RemoteEvent *self = g_slice_new0 (RemoteEvent);

  self->type = type;
  self->host = host;
  return self;
}

/* Making one */

static gboolean
set_invalid (ProcfunCall *call, const char *why, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("%s() cannot be called on another machine: %s"),
               procfun_function_get_name (procfun_call_peek_function (call)), why);
  return FALSE;
}

/* A result may have descriptors only where its type has handles. */
static gboolean
has_handles (const GVariantType *type)
{
  g_autofree char *text = g_variant_type_dup_string (type);

  return strchr (text, 'h') != NULL;
}

static gboolean
check (ProcfunCall *call, GError **error)
{
  ProcfunFunction *function = procfun_call_peek_function (call);
  ProcfunLaunchContext *context = procfun_call_get_settings (call)->launch_context;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) variant = NULL;

  if (!function_check_process (function, error))
    return FALSE;
  if (procfun_call_peek_fd_list (call) != NULL
      || has_handles (procfun_function_get_arguments_type (function))
      || has_handles (procfun_function_get_return_type (function)))
    return set_invalid (call, _ ("descriptors stay on this one"), error);
  if (context == NULL)
    return TRUE;
  variant = g_variant_ref_sink (procfun_launch_context_to_variant (context, &fds));
  return fds == NULL || set_invalid (call, _ ("its launch context has descriptors"), error);
}

/* (transfer full): those of a call that asks for nothing special, made once for its function. */
static GBytes *
get_plain_options (ProcfunFunction *function)
{
  static GMutex lock;
  const GQuark quark = g_quark_from_static_string ("procfun-remote-options");
  GBytes *options;

  g_mutex_lock (&lock);
  options = g_object_get_qdata (G_OBJECT (function), quark);
  if (options == NULL)
    {
      g_autoptr (GVariant) variant = g_variant_ref_sink (
          g_variant_new_parsed ("{'name': <%s>}", procfun_function_get_name (function)));

      options = g_variant_get_data_as_bytes (variant);
      g_object_set_qdata_full (G_OBJECT (function), quark, options, (GDestroyNotify)g_bytes_unref);
    }
  g_bytes_ref (options);
  g_mutex_unlock (&lock);
  return options;
}

static GBytes *
make_options (ProcfunCall *call)
{
  const CallSettings *settings = procfun_call_get_settings (call);
  ProcfunFunction *function = procfun_call_peek_function (call);
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = NULL; /* none: see check() */
  g_autoptr (GVariant) variant = NULL;

  if (settings->limits == NULL && settings->launch_context == NULL && !settings->has_sandbox
      && settings->sandbox_rules == NULL)
    return get_plain_options (function);
  g_variant_dict_insert (&dict, "name", "s", procfun_function_get_name (function));
  if (settings->limits != NULL)
    g_variant_dict_insert_value (&dict, "limits", limits_to_variant (settings->limits));
  if (settings->launch_context != NULL)
    g_variant_dict_insert_value (
        &dict, "context", procfun_launch_context_to_variant (settings->launch_context, &fds));
  if (settings->has_sandbox)
    g_variant_dict_insert (&dict, "sandbox", "u", (guint32)settings->sandbox);
  if (settings->sandbox_rules != NULL)
    g_variant_dict_insert_value (&dict, "sandbox-rules",
                                 sandbox_rules_to_variant (settings->sandbox_rules));
  variant = g_variant_ref_sink (g_variant_dict_end (&dict));
  return g_variant_get_data_as_bytes (variant);
}

static GBytes *
make_args (ProcfunCall *call)
{
  GBytes *packed = procfun_call_get_packed_arguments (call);
  const CallChunk *chunk = procfun_call_get_chunk (call);
  g_autoptr (GVariant) normal = NULL;

  if (chunk != NULL)
    return g_variant_get_data_as_bytes (chunk->args);
  if (packed != NULL)
    return g_bytes_ref (packed);
  normal = g_variant_get_normal_form (procfun_call_get_arguments (call));
  return g_variant_get_data_as_bytes (normal);
}

static void
init_head (RemoteCallHead *self, ProcfunCall *call)
{
  const CallSettings *settings = procfun_call_get_settings (call);
  const CallChunk *chunk = procfun_call_get_chunk (call);

  *self = (RemoteCallHead){ .contract = contract_get (procfun_call_peek_function (call)),
                            .timeout = procfun_call_get_effective_timeout (call),
                            .grace_period = settings->grace_period,
                            .priority = settings->priority,
                            .window = CALL_WINDOW };
  for (guint i = 0; i < G_N_ELEMENTS (settings->output_modes); i++)
    if (settings->output_modes[i] != PROCFUN_OUTPUT_DISCARD)
      self->output |= 1U << i;
  if (chunk == NULL)
    return;
  self->n_elements = chunk->n;
  self->goes_on = chunk->goes_on ? 1 : 0;
  self->cost = chunk->cost;
  self->budget = chunk->budget;
}

RemoteCall *
remote_call_new (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error)
{
  ProcfunFunction *function = procfun_call_peek_function (call);
  g_autoptr (GBytes) args = NULL;
  RemoteCall *self;

  if (!check (call, error))
    return NULL;
  args = make_args (call);
  if (procfun_call_get_chunk (call) == NULL && g_bytes_get_size (args) > max_payload)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("the arguments of %s() take %zu bytes, but %" PRIu64 " is the limit"),
                   procfun_function_get_name (function), g_bytes_get_size (args), max_payload);
      return NULL;
    }
  self = g_slice_new0 (RemoteCall);
  g_atomic_ref_count_init (&self->ref_count);
  self->hosts = hosts_ref (hosts);
  self->function_name = g_strdup (procfun_function_get_name (function));
  init_head (&self->head, call);
  self->options = make_options (call);
  self->args = g_steal_pointer (&args);
  self->max_payload = max_payload;
  self->buffers_size = call_get_buffers_size (call);
  self->deadline = procfun_call_get_settings (call)->deadline;
  self->deadline_at = procfun_call_get_deadline_time (call);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->events);
  return self;
}

RemoteCall *
remote_call_ref (RemoteCall *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
remote_call_unref (RemoteCall *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->function_name);
  g_bytes_unref (self->options);
  g_bytes_unref (self->args);
  g_queue_clear_full (&self->events, (GDestroyNotify)remote_event_free);
  g_clear_pointer (&self->cancelled, g_array_unref);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  hosts_unref (self->hosts);
  g_slice_free (RemoteCall, self);
}

/* News */

static gsize
get_cost (const RemoteEvent *event)
{
  const gsize size = event->payload != NULL ? g_bytes_get_size (event->payload) : 0;

  return event->type == LINK_OUTPUT || event->type == LINK_ITEM ? size + EVENT_COST : 0;
}

void
remote_call_post (RemoteCall *self, RemoteEvent *event)
{
  gboolean waits;

  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->events, event);
  if (self->listener != NULL)
    remote_listener_note (self->listener);
  waits = self->listener == NULL && !self->has_work;
  g_mutex_unlock (&self->lock);
  if (waits) /* it needs the lock; and is a system call, though nobody may wait */
    g_cond_signal (&self->cond);
}

void
remote_call_end (RemoteCall *self, RemoteEvent *event)
{
  if (self->has_ended)
    {
      remote_event_free (event);
      return;
    }
  self->has_ended = TRUE;
  io_thread_drop_call ();
  remote_call_post (self, event);
  remote_call_unref (self);
}

void
remote_call_fail (RemoteCall *self, ProcfunCause cause, const char *host, GError *error)
{
  RemoteEvent *event = remote_event_new (LINK_END, host);

  event->error = error;
  event->failure = procfun_failure_new (cause, self->function_name);
  remote_call_end (self, event);
}

/* Its deadline is over. */
void
remote_call_fail_late (RemoteCall *self)
{
  remote_call_fail (self, PROCFUN_CAUSE_TIMED_OUT, NULL,
                    g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                                 _ ("%s() missed its deadline of %.6g s"), self->function_name,
                                 (double)self->deadline / G_USEC_PER_SEC));
}

void
remote_call_fail_unsent (RemoteCall *self, const GError *error)
{
  const gboolean is_late = g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT);
  const gboolean is_cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  GError *own_error;

  if (is_late && self->deadline > 0)
    {
      remote_call_fail_late (self);
      return;
    }
  own_error = g_error_copy (error);
  if (!is_late && !is_cancelled)
    g_prefix_error (&own_error, _ ("%s() cannot be called: "), self->function_name);
  remote_call_fail (self,
                    is_late        ? PROCFUN_CAUSE_TIMED_OUT
                    : is_cancelled ? PROCFUN_CAUSE_CANCELLED
                                   : PROCFUN_CAUSE_START,
                    NULL, own_error);
}

/* With the lock held. TRUE: the hosts are to look at it, and do not know yet. */
static gboolean
note (RemoteCall *self)
{
  const gboolean is_news = !self->is_noted;

  self->is_noted = TRUE;
  return is_news;
}

void
remote_call_cancel (RemoteCall *self, gboolean is_urgent)
{
  gboolean is_news = FALSE;

  g_mutex_lock (&self->lock);
  if (!self->is_cancelled)
    is_news = note (self);
  self->is_cancelled = TRUE;
  self->is_urgent = self->is_urgent || is_urgent;
  g_mutex_unlock (&self->lock);
  if (is_news)
    hosts_note (self->hosts, self);
}

void
remote_call_cancel_element (RemoteCall *self, gsize at)
{
  const guint64 element = at + 1;
  gboolean is_news;

  g_mutex_lock (&self->lock);
  if (self->cancelled == NULL)
    self->cancelled = g_array_new (FALSE, FALSE, sizeof element);
  g_array_append_val (self->cancelled, element);
  is_news = note (self);
  g_mutex_unlock (&self->lock);
  if (is_news)
    hosts_note (self->hosts, self);
}

gboolean
remote_call_take_cancelled (RemoteCall *self, guint64 *element)
{
  gboolean is_there;

  g_mutex_lock (&self->lock);
  is_there = self->cancelled != NULL && self->n_cancelled < self->cancelled->len;
  if (is_there)
    *element = g_array_index (self->cancelled, guint64, self->n_cancelled++);
  g_mutex_unlock (&self->lock);
  return is_there;
}

/* With the lock held. TRUE: the hosts are to be told how much was taken. */
static gboolean
take (RemoteCall *self, RemoteEvent **event)
{
  *event = g_queue_pop_head (&self->events);
  if (*event == NULL)
    return FALSE;
  self->taken += get_cost (*event);
  return self->taken - self->told >= CALL_WINDOW / 4 && note (self);
}

RemoteEvent *
remote_call_take (RemoteCall *self)
{
  RemoteEvent *event;
  gboolean is_news;

  g_mutex_lock (&self->lock);
  is_news = take (self, &event);
  g_mutex_unlock (&self->lock);
  if (is_news)
    hosts_note (self->hosts, self);
  return event;
}

static void
set_work (RemoteCall *self, gboolean has_work)
{
  g_mutex_lock (&self->lock);
  self->has_work = has_work;
  g_mutex_unlock (&self->lock);
}

static void
on_work (gpointer user_data)
{
  RemoteCall *self = user_data;

  set_work (self, TRUE);
  g_cond_signal (&self->cond);
}

/* TRUE: there is work for this thread; otherwise there are news. */
static gboolean
wait_for_work (RemoteCall *self)
{
  gboolean is_empty;

  g_mutex_lock (&self->lock);
  while (g_queue_is_empty (&self->events) && !self->has_work)
    g_cond_wait (&self->cond, &self->lock);
  is_empty = g_queue_is_empty (&self->events);
  g_mutex_unlock (&self->lock);
  return is_empty;
}

RemoteEvent *
remote_call_wait (RemoteCall *self)
{
  IoWaiter waiter = { .func = on_work, .user_data = self };

  set_work (self, FALSE);
  if (io_thread_join (&waiter))
    set_work (self, TRUE);
  while (wait_for_work (self))
    io_thread_work (&waiter);
  io_thread_leave (&waiter);
  return remote_call_take (self);
}

void
remote_call_set_listener (RemoteCall *self, RemoteListener *listener)
{
  g_mutex_lock (&self->lock);
  self->listener = listener;
  if (listener != NULL && !g_queue_is_empty (&self->events))
    remote_listener_note (listener);
  g_mutex_unlock (&self->lock);
  if (listener != NULL)
    io_thread_nudge ();
}

/* Telling the call */

/* Where a function of this machine would have printed itself. */
static void
print (ProcfunStream stream, const char *line)
{
  FILE *file = stream == PROCFUN_STREAM_STDOUT ? stdout : stderr;

  flockfile (file);
  fputs (line, file);
  putc_unlocked ('\n', file);
  fflush (file);
  funlockfile (file);
}

static void
tell_output (ProcfunCall *call, const RemoteEvent *event)
{
  const ProcfunStream stream = (ProcfunStream)event->number;
  gsize size;
  const char *data = g_bytes_get_data (event->payload, &size);
  g_autofree char *line = g_utf8_make_valid (data != NULL ? data : "", (gssize)size);

  switch (procfun_call_get_settings (call)->output_modes[stream])
    {
    case PROCFUN_OUTPUT_INHERIT:
      print (stream, line);
      break;
    case PROCFUN_OUTPUT_CAPTURE:
      procfun_call_emit_output (call, stream, line);
      break;
    case PROCFUN_OUTPUT_DISCARD:
    default:
      break;
    }
}

static void
tell_progress (ProcfunCall *call, const RemoteEvent *event)
{
  gsize size;
  const char *data = g_bytes_get_data (event->payload, &size);
  g_autofree char *text
      = event->number != 0 ? g_utf8_make_valid (data != NULL ? data : "", (gssize)size) : NULL;
  const Event told = { "progress", event->fraction, text, TRUE };

  procfun_call_emit_event (call, &told);
}

static GVariant *
read_value (ProcfunCall *call, GBytes *bytes)
{
  ProcfunFunction *function = procfun_call_peek_function (call);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GVariant *value;

  if (!wire_serialised_is_normal (procfun_function_get_return_schema (function), data, size))
    return NULL;
  value = g_variant_new_from_bytes (procfun_function_get_return_type (function), bytes, TRUE);
  return g_variant_ref_sink (value);
}

static GVariant *
set_unreadable (ProcfunCall *call, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
               _ ("the result of %s() cannot be read"),
               procfun_function_get_name (procfun_call_peek_function (call)));
  return NULL;
}

GVariant *
remote_call_read_item (ProcfunCall *call, const RemoteEvent *event, GError **error)
{
  GVariant *item = read_value (call, event->payload);

  return item != NULL ? item : set_unreadable (call, error);
}

static GVariant *
make_nothing (void)
{
  return g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
}

static GVariant *
read_chunk (ProcfunCall *call, const RemoteEvent *event)
{
  CallChunk *chunk = procfun_call_get_chunk (call);

  if (!remote_chunk_unpack (event->payload, &event->chunk, procfun_call_peek_function (call),
                            event->host, chunk))
    return NULL;
  chunk->round_trip = MAX (event->elapsed - chunk->duration, 0);
  return make_nothing ();
}

static GVariant *
read_result (RemoteCall *self, ProcfunCall *call, const RemoteEvent *event, GError **error)
{
  const gsize size = g_bytes_get_size (event->payload);
  GVariant *result = NULL;

  if (procfun_call_get_chunk (call) != NULL)
    {
      result = read_chunk (call, event);
      return result != NULL ? result : set_unreadable (call, error);
    }
  if (size > self->max_payload + self->buffers_size)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"), _ ("the result"),
                   self->function_name, size - self->buffers_size, self->max_payload);
      return NULL;
    }
  if (!procfun_function_is_generator (procfun_call_peek_function (call)))
    result = read_value (call, event->payload);
  else if (size == 0)
    result = make_nothing ();
  return result != NULL ? result : set_unreadable (call, error);
}

/* The function's own name is what the caller knows. */
static void
take_failure (ProcfunCall *call, ProcfunFailure *failure, const char *host)
{
  if (failure == NULL)
    return;
  failure->host = host;
  procfun_call_take_failure (call, failure);
}

static void
tell_end (RemoteCall *self, ProcfunCall *call, RemoteEvent *event, GVariant **result,
          GError **error)
{
  ProcfunFailure *failure = g_steal_pointer (&event->failure);

  if (event->has_usage)
    procfun_call_set_usage (call, &event->usage);
  procfun_call_set_confined (call, event->sandbox, event->sandbox_parts);
  if (event->error != NULL)
    *error = g_steal_pointer (&event->error);
  else if (event->number == REMOTE_END_RESULT)
    *result = read_result (self, call, event, error);
  else
    *error = remote_end_unpack (event->payload, self->function_name, &failure);
  take_failure (call, failure, event->host);
}

gboolean
remote_call_tell (RemoteCall *self, ProcfunCall *call, RemoteEvent *event, GVariant **result,
                  GError **error)
{
  if (event->host != NULL)
    procfun_call_set_host (call, event->host);
  switch ((int)event->type)
    {
    case LINK_STARTED:
      procfun_call_started (call, (int)event->pid);
      return FALSE;
    case LINK_OUTPUT:
      tell_output (call, event);
      return FALSE;
    case LINK_PROGRESS:
      tell_progress (call, event);
      return FALSE;
    case LINK_END:
      tell_end (self, call, event, result, error);
      return TRUE;
    default:
      return FALSE;
    }
}
