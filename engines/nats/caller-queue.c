/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/caller-queue.h"

#include "engines/nats/subjects.h"
#include <inttypes.h>
#include <string.h>

/* Larger messages are not kept by the broker, and go from the caller to the host. */
#define INLINE_MAX ((gsize)256 * 1024)

/* Time in µs until what the broker has not answered is said again. */
#define REPEAT G_USEC_PER_SEC

/* Words in the subjects of what the broker answers */
#define STORED ".stored."
#define DELETED ".deleted."
#define POOL ".pool"

gsize
caller_queue_get_part_max (CallerQueue *self)
{
  const gsize max = connection_get_max_payload (self->connection);

  return MIN (max > 2 * PACKET_OVERHEAD ? max - PACKET_OVERHEAD : PACKET_OVERHEAD, INLINE_MAX);
}

/* Each call is stored, and few are deleted. */
void
caller_queue_begin (CallerQueue *self)
{
  g_autofree char *stored = g_strconcat (self->subject, STORED "*", NULL);
  g_autofree char *deleted = g_strconcat (self->subject, DELETED "*", NULL);
  g_autofree char *pool = g_strconcat (self->subject, POOL, NULL);

  connection_subscribe (self->connection, stored, CALLER_QUEUE_STORED, FALSE);
  connection_subscribe (self->connection, deleted, CALLER_QUEUE_DELETED, TRUE);
  connection_subscribe (self->connection, pool, CALLER_QUEUE_POOL, TRUE);
}

void
caller_queue_ask_for_pool (CallerQueue *self)
{
  g_autofree char *info = subjects_api (self->address, "STREAM.INFO", "");
  g_autofree char *reply = g_strconcat (self->subject, POOL, NULL);

  connection_publish_text (self->connection, info, reply, "");
}

static char *
make_reply (CallerQueue *self, const char *word, const CallerCall *call)
{
  return g_strdup_printf ("%s%s%" PRIu64, self->subject, word, caller_call_get_number (call));
}

static void
put (CallerQueue *self, CallerCall *call, gint64 now, gboolean is_old)
{
  g_autofree char *reply = make_reply (self, STORED, call);
  g_autofree char *message_id = g_strdup_printf ("%s.%" PRIu64, packet_get_name (self->subject),
                                                 caller_call_get_number (call));
  const Packet caller
      = { .from = self->subject, .heartbeat = self->heartbeat, .profile = self->profile };

  call->repeat_at = now + REPEAT;
  connection_publish (
      self->connection, call->subject, reply, message_id,
      caller_call_make_packet (call, &caller, is_old ? 0 : caller_queue_get_part_max (self)));
}

void
caller_queue_put (CallerQueue *self, CallerCall *call, gint64 now)
{
  call->submitted_at = now;
  put (self, call, now, FALSE);
}

void
caller_queue_put_again (CallerQueue *self, CallerCall *call, gint64 now)
{
  call->attempt++;
  call->sequence = 0;
  call->is_recalled = call->is_deleted = FALSE;
  caller_queue_put (self, call, now);
}

void
caller_queue_take_out (CallerQueue *self, CallerCall *call, gint64 now)
{
  g_autofree char *subject = subjects_api (self->address, "STREAM.MSG.DELETE", "");
  g_autofree char *reply = make_reply (self, DELETED, call);
  g_autofree char *text = g_strdup_printf ("{\"seq\":%" PRIu64 "}", call->sequence);

  if (call->sequence == 0)
    return;
  call->repeat_at = now + REPEAT;
  connection_publish_text (self->connection, subject, reply, text);
}

void
caller_queue_recall (CallerQueue *self, CallerCall *call, gint64 now)
{
  call->is_recalled = TRUE;
  caller_queue_take_out (self, call, now);
}

void
caller_queue_repeat (CallerQueue *self, CallerCall *call, gint64 now, gboolean is_old)
{
  if (call->repeat_at == 0 || now < call->repeat_at || call->is_deleted)
    return;
  if (call->sequence == 0)
    put (self, call, now, is_old);
  else
    caller_queue_take_out (self, call, now);
}

guint64
caller_queue_get_number (const CallerQueue *self, const ConnectionEvent *answer)
{
  const char *word = answer->subject + strlen (self->subject);

  if (answer->tag == CALLER_QUEUE_STORED && g_str_has_prefix (word, STORED))
    return g_ascii_strtoull (word + strlen (STORED), NULL, 10);
  if (answer->tag == CALLER_QUEUE_DELETED && g_str_has_prefix (word, DELETED))
    return g_ascii_strtoull (word + strlen (DELETED), NULL, 10);
  return 0;
}
