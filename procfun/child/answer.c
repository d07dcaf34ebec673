/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Results, items and errors on their way to the caller. */

#include "procfun/child/answer.h"

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/leave.h"
#include "procfun/procfun-error.h"
#include "procfun/values/bytes.h"
#include "procfun/values/parts.h"
#include "procfun/wire/arena.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/error-frame.h"
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

void
extras_clear (Extras *self)
{
  g_clear_object (&self->fds);
  g_clear_pointer (&self->parts, g_array_unref);
  g_clear_pointer (&self->value, g_variant_unref);
}

/* Bytes that go back to the caller are used no more here when they arrive. FALSE: they have to be
 * copied. */
static gboolean
send_lent (Server *self, FrameType type, guint32 call_id, gconstpointer prefix, gsize prefix_size,
           GBytes *payload, Extras *extras)
{
  if (extras->parts == NULL
      || !channel_send_lent (self->channel, type, call_id, prefix, prefix_size, payload,
                             extras->fds, extras->parts))
    return FALSE;
  g_clear_pointer (&extras->parts, g_array_unref);
  g_clear_pointer (&extras->value, g_variant_unref);
  return TRUE;
}

/* @extras: (nullable) */
static void
send (Server *self, FrameType type, guint32 call_id, gconstpointer prefix, gsize prefix_size,
      GBytes *payload, Extras *extras)
{
  g_autoptr (GBytes) whole = NULL;
  Extras none = { 0 };

  if (extras == NULL)
    extras = &none;
  g_mutex_lock (&self->write_lock);
  if (!send_lent (self, type, call_id, prefix, prefix_size, payload, extras))
    {
      if (extras->parts != NULL)
        payload = whole = procfun_codec_encode (
            self->codec, procfun_function_get_return_schema (self->function), extras->value, NULL);
      channel_send (self->channel, type, call_id, prefix, prefix_size, payload, extras->fds);
    }
  channel_flush_blocking (self->channel);
  g_mutex_unlock (&self->write_lock);
}

/* State that the caller must know before it gives this process another call. */
static void
send_state (Server *self, guint64 peak, GUnixFDList *fds)
{
  FrameState state;

  if (!leftovers_find (&self->leftovers, server_count_own_threads (self), self->function, peak, fds,
                       &state))
    return;
  leave_write_counts (); /* its caller may end it for that */
  channel_send (self->channel, FRAME_STATE, self->call_id, &state, sizeof state, NULL, NULL);
}

/* Larger answers may have to wait for their reader, while a timer of the function runs. */
#define SENT_AT_ONCE ((gsize)16 << 10)

void
server_send_answer (Server *self, FrameType type, guint32 call_id, GBytes *payload, Extras *extras)
{
  const gboolean is_sent_at_once = payload != NULL && g_bytes_get_size (payload) <= SENT_AT_ONCE;
  ProcfunUsage usage = { 0 };

  if (!is_sent_at_once)
    leftovers_restore (&self->leftovers);
  if (self->has_begun
      && !(type == FRAME_RESULT && self->is_followed && self->is_unmetered && usage_skip ()))
    usage_end (&self->mark, &usage);
  if ((self->is_kept && !self->is_followed) || self->unprepared != NULL)
    send_state (self, usage.peak_memory, extras != NULL ? extras->fds : NULL);
  if (!self->is_kept)
    leave_write_counts ();
  send (self, type, call_id, &usage, sizeof usage, payload, extras);
  if (is_sent_at_once && !self->is_followed)
    leftovers_restore (&self->leftovers);
}

void
server_send_error (Server *self, guint32 call_id, const GError *error)
{
  g_autoptr (GBytes) bytes = error_to_bytes (error);

  server_send_answer (self, FRAME_ERROR, call_id, bytes, NULL);
}

/* To translate takes as long as to encode a small value. */
static const char *
name_value (Server *self)
{
  return self->running.generator != NULL ? _ ("an item") : _ ("the result");
}

gboolean
server_check_size (Server *self, gsize size, GError **error)
{
  const guint64 limit = server_get_max_result (self);

  if (size <= limit + self->buffers_size)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
               _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"), name_value (self),
               procfun_function_get_name (self->function), size - self->buffers_size, limit);
  return FALSE;
}

typedef struct
{
  Server *server;
  guint n_placed;
} Taking;

/* So many parts have memory of their own in the arena, which the rest may need, too. */
#define PLACED_MAX (ARENA_REGIONS - 1)

/* The contents of buffers go without the rest: the caller wants them elsewhere. */
static gboolean
can_take (gconstpointer data, gsize size, gpointer user_data)
{
  Taking *self = user_data;

  if (channel_can_lend (self->server->channel, data, size))
    return TRUE;
  return self->server->buffers_size > 0 && self->n_placed++ < PLACED_MAX;
}

/* (transfer full): the rest */
static GVariant *
take_parts (Server *self, GVariant *value, Extras *extras)
{
  Taking taking = { .server = self };
  GVariant *rest;

  if (g_variant_get_size (value) < BYTES_SHARE_MIN)
    return g_variant_ref (value);
  extras->parts = parts_new ();
  rest = parts_take_out (value, BYTES_SHARE_MIN, FRAME_MAX_FDS, can_take, &taking, extras->parts);
  if (extras->parts->len > 0)
    extras->value = g_variant_ref (value);
  else
    g_clear_pointer (&extras->parts, g_array_unref);
  return rest;
}

GBytes *
server_encode (Server *self, GVariant *value, Extras *extras, GError **error)
{
  g_autoptr (GVariant) rest = take_parts (self, value, extras);
  g_autoptr (GBytes) payload = procfun_codec_encode (
      self->codec, procfun_function_get_return_schema (self->function), rest, error);

  if (payload == NULL || !channel_check_fds (extras->fds, error))
    g_prefix_error (error, _ ("%s of %s() cannot be sent: "), name_value (self),
                    procfun_function_get_name (self->function));
  else if (server_check_size (self, g_bytes_get_size (payload) + parts_get_size (extras->parts),
                              error))
    return g_steal_pointer (&payload);
  return NULL;
}

/* A caller that hears the answer must not take the items that came for all. */
static void
fail_if_cut_off (Server *self)
{
  if (listener_is_cut_off (&self->listener))
    procfun_context_fail_item (g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                            _ ("the channel does not work: %s"),
                                            g_strerror (EPIPE)));
}

gboolean
server_yield (GVariant *item, GUnixFDList *fds, gpointer user_data)
{
  Server *self = user_data;
  g_autoptr (GVariant) value = g_variant_ref_sink (item);
  g_auto (Extras) extras = { 0 };
  g_autoptr (GBytes) payload = NULL;
  GError *error = NULL;

  if (inherited_state_get_process () != self->process)
    return FALSE;
  g_set_object (&extras.fds, fds);
  payload = server_encode (self, value, &extras, &error);
  if (payload == NULL)
    {
      procfun_context_fail_item (error);
      return FALSE;
    }
  if (!listener_take_credit (&self->listener,
                             g_bytes_get_size (payload) + parts_get_size (extras.parts)))
    {
      fail_if_cut_off (self);
      return FALSE;
    }
  send (self, FRAME_ITEM, self->call_id, NULL, 0, payload, &extras);
  return TRUE;
}
