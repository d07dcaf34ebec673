/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/caller.h"

#include "engines/nats/caller-call.h"
#include "engines/nats/caller-queue.h"
#include "engines/nats/intl.h"
#include "engines/nats/jet-reply.h"
#include "engines/nats/losses.h"
#include "engines/nats/neighbours.h"
#include "engines/nats/subjects.h"
#include "engines/nats/timer.h"
#include <string.h>

/* Calls that may be in the broker. */
#define ROOM 65536

/* Times in µs: between looks at calls, and where there are none; and between questions who is
 * there. */
#define STEP 50000
#define IDLE_STEP G_USEC_PER_SEC
#define QUESTION G_USEC_PER_SEC

#define DEFAULT_HEARTBEAT (5 * G_USEC_PER_SEC)

enum
{
  TAG_OWN = CALLER_QUEUE_AFTER_LAST,
  TAG_BEATS
};

/* The status of a message that nobody has heard. */
#define STATUS_NOBODY 503

struct _Caller
{
  ProcfunEngine *engine; /* unowned */
  Address *address;
  GBytes *profile;
  gint64 heartbeat;
  char *subject;          /* where it is reached */
  Connection *connection; /* (nullable): it is closed */
  Timer *timer;
  gboolean is_ready;
  gint64 lost_at;    /* monotonic time: the broker is away; 0: it is there */
  gint64 asked_at;   /* likewise: when hosts were asked who they are */
  GHashTable *calls; /* (element-type guint64 CallerCall): by id */
  CallerQueue queue;
  Neighbours *hosts;
  Losses losses;
};

static void
fail (Caller *self, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, message);

  procfun_engine_fail (self->engine, error);
}

static void
say (Caller *self, PacketType type, const char *to, guint64 number)
{
  const Packet packet
      = { .type = type, .from = self->subject, .id = number, .heartbeat = self->heartbeat };

  connection_publish (self->connection, to, NULL, NULL, packet_make (&packet));
}

static void
ask_who_is_there (Caller *self, gint64 now)
{
  g_autofree char *question = subjects_question (self->address);

  if (self->asked_at != 0 && now < self->asked_at + QUESTION)
    return;
  self->asked_at = now;
  say (self, PACKET_WHO, question, 0);
}

/* Calls in the broker */

static void
forget (Caller *self, CallerCall *call)
{
  if (call->talk != NULL)
    neighbours_drop_call (self->hosts, talk_get_peer (call->talk));
  g_hash_table_remove (self->calls, &call->id);
}

static void
fail_call (Caller *self, CallerCall *call, GError *error)
{
  const guint64 id = call->id;
  g_autoptr (GError) own_error G_GNUC_UNUSED = error;

  if (call->talk != NULL)
    say (self, PACKET_GONE, talk_get_peer (call->talk), caller_call_get_number (call));
  forget (self, call);
  procfun_engine_fail_call (self->engine, id, error);
}

/* It waits, and is to end. Where a host has it all the same, that hears that nobody waits for it.
 */
static void
end_waiting (Caller *self, CallerCall *call, GError *reason)
{
  if (call->end_reason == NULL)
    {
      call->end_reason = reason;
      caller_queue_take_out (&self->queue, call, g_get_monotonic_time ());
    }
  else
    g_error_free (reason);
}

/* Answers of the broker. NULL: the call has ended. */

static CallerCall *
find_call (Caller *self, guint64 number)
{
  const guint64 id = caller_call_get_id (number);
  CallerCall *call = g_hash_table_lookup (self->calls, &id);

  return call != NULL && caller_call_get_number (call) == number ? call : NULL;
}

static void
take_stored (Caller *self, CallerCall *call, JetReply *reply)
{
  if (call->talk != NULL || call->sequence > 0)
    return;
  if (reply->error != NULL)
    {
      fail_call (self, call, g_steal_pointer (&reply->error));
      return;
    }
  call->sequence = reply->sequence;
  call->repeat_at = 0;
  if (call->end_reason != NULL || call->is_recalled)
    caller_queue_take_out (&self->queue, call, g_get_monotonic_time ());
}

static GError *
make_lost (void)
{
  return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("it has ended"));
}

/* One that is not there any more a host has answered, or will. Where there was time enough for
 * that, the answer was lost with the host. */
static void
take_deleted (Caller *self, CallerCall *call, const JetReply *reply)
{
  if (call->talk != NULL || (reply->error != NULL && !reply->is_gone))
    return;
  call->repeat_at = 0;
  if (call->end_reason != NULL && !reply->is_gone)
    fail_call (self, call, g_steal_pointer (&call->end_reason));
  else if (call->is_recalled && reply->is_gone)
    fail_call (self, call, make_lost ());
  else if (call->is_recalled)
    {
      call->is_deleted = TRUE;
      call->repeat_at = g_get_monotonic_time () + LOSSES_SETTLE_TIME;
    }
}

static void
take_pool (Caller *self, const JetReply *reply)
{
  if (reply->error != NULL)
    {
      fail (self, reply->error->message);
      return;
    }
  if (self->is_ready)
    return;
  self->is_ready = TRUE;
  ask_who_is_there (self, g_get_monotonic_time ());
  procfun_engine_set_room (self->engine, ROOM);
}

static void
take_reply (Caller *self, const ConnectionEvent *event)
{
  g_auto (JetReply) reply = { 0 };
  CallerCall *call;

  jet_reply_read (&reply, event);
  if (event->tag == CALLER_QUEUE_POOL)
    take_pool (self, &reply);
  else if (event->tag == CALLER_QUEUE_STORED && event->status == STATUS_NOBODY)
    caller_queue_ask_for_pool (&self->queue); /* what is not stored is said again */
  else if ((call = find_call (self, caller_queue_get_number (&self->queue, event))) == NULL)
    return;
  else if (event->tag == CALLER_QUEUE_STORED)
    take_stored (self, call, &reply);
  else
    take_deleted (self, call, &reply);
}

/* Packets of hosts */

typedef struct
{
  Caller *caller;
  guint64 id;
} Listener;

static void
on_message (const ProcfunMessage *message, gpointer user_data)
{
  const Listener *listener = user_data;
  Caller *self = listener->caller;
  const guint64 id = listener->id;
  CallerCall *call = g_hash_table_lookup (self->calls, &id);
  g_autofree char *host = g_strdup (packet_get_name (talk_get_peer (call->talk)));

  call->has_answer = TRUE;
  if ((message->flags & PROCFUN_MESSAGE_END) != 0)
    {
      talk_acknowledge (call->talk);
      forget (self, call);
    }
  procfun_engine_message (self->engine, id, host, message);
}

static void
begin_talk (Caller *self, CallerCall *call, const char *host)
{
  Listener *listener = g_new0 (Listener, 1);

  *listener = (Listener){ self, call->id };
  call->talk = talk_new (self->connection, host, self->subject, caller_call_get_number (call),
                         caller_queue_get_part_max (&self->queue), on_message, listener, g_free);
  call->repeat_at = 0;
  losses_note_call (&self->losses, call);
  neighbours_add_call (self->hosts, host, self->heartbeat);
  if (neighbours_get_slots (self->hosts, host) == 0)
    ask_who_is_there (self, g_get_monotonic_time ());
}

/* A host has it, and has not begun it. */
static void
take_back (Caller *self, CallerCall *call)
{
  const gint64 now = g_get_monotonic_time ();

  if (call->end_reason != NULL)
    fail_call (self, call, g_steal_pointer (&call->end_reason));
  else if (call->is_doubtful || losses_is_open (&self->losses, call))
    caller_queue_recall (&self->queue, call, now);
  else
    {
      caller_queue_take_out (&self->queue, call, now);
      caller_queue_put_again (&self->queue, call, now);
    }
}

/* A second host says something about a call that was given to it, too, for the first one could not
 * say in time that it lives: that one counts as long as it does. */
static void
take_of_call (Caller *self, CallerCall *call, const Packet *packet)
{
  const gboolean is_first = call->talk == NULL;

  if (is_first && packet->type == PACKET_BACK)
    {
      take_back (self, call);
      return;
    }
  if (is_first && packet->type == PACKET_FETCH && losses_is_open (&self->losses, call))
    return; /* it asks again */
  if (is_first && packet->type == PACKET_FETCH && call->is_doubtful)
    {
      say (self, PACKET_GONE, packet->from, packet->id);
      fail_call (self, call, make_lost ());
      return;
    }
  if (is_first)
    begin_talk (self, call, packet->from);
  else if (strcmp (talk_get_peer (call->talk), packet->from) != 0)
    {
      say (self, PACKET_GONE, packet->from, packet->id);
      return;
    }
  if (packet->type == PACKET_FETCH && is_first)
    talk_send (call->talk, &call->message);
  if (is_first)
    caller_call_say_words (call);
  if ((packet->type == PACKET_PART || packet->type == PACKET_ACK)
      && !talk_take (call->talk, packet))
    fail_call (self, call,
               g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                                    _ ("the other side sent what is no message")));
}

static void
take_packet_of_call (Caller *self, const Packet *packet)
{
  CallerCall *call = find_call (self, packet->id);

  if (call != NULL && packet->type == PACKET_GONE)
    {
      if (call->talk != NULL && strcmp (talk_get_peer (call->talk), packet->from) == 0)
        fail_call (self, call, make_lost ());
    }
  else if (call != NULL)
    take_of_call (self, call, packet);
  else if (packet->type == PACKET_PART || packet->type == PACKET_FETCH)
    say (self, PACKET_GONE, packet->from, packet->id);
}

/* All calls of a host end with it, and are not for another one. The library knows only of those
 * that it has answered, and nobody of those that it has begun and has not spoken of. */
static void
lose_host (Caller *self, const char *subject, GError *error)
{
  g_autofree char *host = g_strdup (subject);
  g_autoptr (GError) own_error G_GNUC_UNUSED = error;
  g_autoptr (GList) calls = g_hash_table_get_values (self->calls);
  g_autoptr (GArray) unknown = g_array_new (FALSE, FALSE, sizeof (guint64));
  const gint64 now = g_get_monotonic_time ();

  for (GList *l = calls; l != NULL; l = l->next)
    {
      CallerCall *call = l->data;

      if (call->talk == NULL || strcmp (talk_get_peer (call->talk), host) != 0)
        continue;
      caller_queue_take_out (&self->queue, call, now);
      if (call->has_answer)
        forget (self, call);
      else
        g_array_append_val (unknown, call->id);
    }
  neighbours_remove (self->hosts, host);
  for (guint i = 0; i < unknown->len && self->connection != NULL; i++)
    {
      CallerCall *call = g_hash_table_lookup (self->calls, &g_array_index (unknown, guint64, i));

      if (call != NULL)
        fail_call (self, call, make_lost ());
    }
  if (self->connection != NULL)
    procfun_engine_host_lost (self->engine, packet_get_name (host), error);
}

/* One without calls may be gone before its last answers are here, which come another way. It says
 * so to each caller of whom it has calls. */
static void
take_end_of_host (Caller *self, const Packet *packet, guint tag)
{
  if (tag == TAG_OWN)
    losses_note_host (&self->losses, packet->from);
  if (neighbours_has (self->hosts, packet->from)
      && (tag == TAG_OWN || neighbours_get_n_calls (self->hosts, packet->from) == 0))
    lose_host (self, packet->from, NULL);
}

static void
take_host (Caller *self, const Packet *packet)
{
  const guint slots = (guint)CLAMP (packet->number, 1, ROOM);

  neighbours_set_slots (self->hosts, packet->from, slots, packet->heartbeat);
  procfun_engine_host_up (self->engine, packet_get_name (packet->from), slots, packet->profile);
}

static void
take_packet (Caller *self, const Packet *packet, guint tag)
{
  neighbours_hear (self->hosts, packet->from);
  switch (packet->type)
    {
    case PACKET_PART:
    case PACKET_ACK:
    case PACKET_FETCH:
    case PACKET_BACK:
    case PACKET_GONE:
      take_packet_of_call (self, packet);
      break;
    case PACKET_PING:
      say (self, PACKET_PONG, packet->from, 0);
      break;
    case PACKET_HOST:
      take_host (self, packet);
      break;
    case PACKET_BYE:
      take_end_of_host (self, packet, tag);
      break;
    case PACKET_CALL:
    case PACKET_PONG:
    case PACKET_WHO:
    case PACKET_AFTER_LAST:
    default:
      break;
    }
}

/* The broker */

static void
begin (Caller *self)
{
  g_autofree char *beats = subjects_beats (self->address);

  connection_subscribe (self->connection, self->subject, TAG_OWN, FALSE);
  connection_subscribe (self->connection, beats, TAG_BEATS, FALSE);
  caller_queue_begin (&self->queue);
  caller_queue_ask_for_pool (&self->queue);
}

static void
take_message (Caller *self, const ConnectionEvent *event)
{
  gsize at = 0;

  if (event->tag != TAG_OWN && event->tag != TAG_BEATS)
    take_reply (self, event);
  else
    while (self->connection != NULL && at < g_bytes_get_size (event->data))
      {
        g_auto (Packet) packet = { 0 };

        if (!packet_read (&packet, event->data, &at))
          break;
        take_packet (self, &packet, event->tag);
      }
}

/* Words that were said meanwhile are said again. */
static void
come_back (Caller *self)
{
  const gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;

  self->lost_at = 0;
  losses_note_broker (&self->losses, now);
  self->asked_at = 0;
  if (self->is_ready)
    ask_who_is_there (self, now);
  else
    caller_queue_ask_for_pool (&self->queue);
  neighbours_excuse (self->hosts, now);
  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      CallerCall *call = value;

      if (call->talk != NULL)
        {
          talk_advance (call->talk, now, TRUE);
          talk_acknowledge (call->talk); /* and hears of a host that has given it up */
        }
      else if (call->repeat_at > 0 && !call->is_deleted)
        call->repeat_at = now;
    }
  timer_hurry (self->timer, now);
}

static void
on_connection (const ConnectionEvent *event, gpointer user_data)
{
  Caller *self = user_data;
  g_autoptr (ProcfunEngine) kept G_GNUC_UNUSED = g_object_ref (self->engine);

  switch (event->type)
    {
    case CONNECTION_UP:
      begin (self);
      break;
    case CONNECTION_LOST:
      self->lost_at = g_get_monotonic_time ();
      break;
    case CONNECTION_BACK:
      come_back (self);
      break;
    case CONNECTION_FAILED:
      fail (self, event->message);
      break;
    case CONNECTION_MESSAGE:
      take_message (self, event);
      break;
    default:
      break;
    }
}

/* Time */

/* A broker that was killed may take what it has stored for given away and done with. What it gave
 * to a host that is silent it has given to another one when the lease is over. */
static gboolean
is_forgotten (Caller *self, const CallerCall *call, gint64 now)
{
  return call->sequence > 0 && !call->is_recalled && losses_is_old (&self->losses, call)
         && now >= self->losses.back_at + self->address->lease + LOSSES_SETTLE_TIME;
}

/* Hosts that are gone meanwhile may have begun it, too. */
static void
end_recall (Caller *self, CallerCall *call, gint64 now)
{
  losses_mark (&self->losses);
  if (call->is_doubtful)
    fail_call (self, call, make_lost ());
  else
    caller_queue_put_again (&self->queue, call, now);
}

static void
advance_call (Caller *self, CallerCall *call, gint64 now)
{
  if (caller_call_is_expired (call, now))
    {
      GError *late = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                                          _ ("the deadline is over"));

      if (call->talk != NULL)
        fail_call (self, call, late);
      else
        end_waiting (self, call, late);
      return;
    }
  if (call->talk != NULL)
    talk_advance (call->talk, now, FALSE);
  else if (call->is_deleted && now >= call->repeat_at)
    end_recall (self, call, now);
  else if (is_forgotten (self, call, now))
    caller_queue_recall (&self->queue, call, now);
  else
    caller_queue_repeat (&self->queue, call, now, losses_is_old (&self->losses, call));
}

static void
advance_calls (Caller *self, gint64 now)
{
  g_autoptr (GList) ids = g_hash_table_get_keys (self->calls);

  for (GList *l = ids; l != NULL && self->connection != NULL; l = l->next)
    {
      CallerCall *call = g_hash_table_lookup (self->calls, l->data);

      if (call != NULL)
        advance_call (self, call, now);
    }
}

static void
check_hosts (Caller *self, gint64 now)
{
  gint64 silence;
  const char *host;

  while (self->connection != NULL
         && (host = neighbours_find_silent (self->hosts, now, &silence)) != NULL)
    {
      losses_note_host (&self->losses, host);
      lose_host (self, host,
                 g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                              _ ("it was silent for %.6g s"), (double)silence / G_USEC_PER_SEC));
    }
}

static void
on_timer (gpointer user_data)
{
  Caller *self = user_data;
  g_autoptr (ProcfunEngine) kept G_GNUC_UNUSED = g_object_ref (self->engine);
  const gint64 now = g_get_monotonic_time ();

  timer_set (
      self->timer,
      now + (g_hash_table_size (self->calls) > 0 ? MIN (STEP, self->heartbeat / 4) : IDLE_STEP));
  if (self->lost_at > 0)
    {
      if (now > self->lost_at + self->address->lease)
        fail (self, _ ("the broker is away"));
      return;
    }
  losses_advance (&self->losses, now);
  advance_calls (self, now);
  check_hosts (self, now);
}

/* Orders of the engine */

void
caller_submit (Caller *self, guint64 id, guint64 contract, const ProcfunMessage *message,
               gint64 expires)
{
  const gint64 now = g_get_monotonic_time ();
  g_autofree char *subject = subjects_call (self->address, contract);
  CallerCall *call = caller_call_new (id, subject, message, expires);

  timer_hurry (self->timer, now + MIN (STEP, self->heartbeat / 4));
  g_hash_table_insert (self->calls, &call->id, call);
  caller_queue_put (&self->queue, call, now);
}

void
caller_send (Caller *self, guint64 id, const ProcfunMessage *word)
{
  CallerCall *call = g_hash_table_lookup (self->calls, &id);

  if (call == NULL)
    return;
  if (call->talk != NULL)
    {
      talk_send (call->talk, word);
      return;
    }
  caller_call_add_word (call, word);
  if ((word->flags & PROCFUN_MESSAGE_CANCEL) != 0)
    {
      g_autoptr (GCancellable) cancelled = g_cancellable_new ();
      GError *reason = NULL;

      g_cancellable_cancel (cancelled);
      g_cancellable_set_error_if_cancelled (cancelled, &reason); /* the words are GLib's */
      end_waiting (self, call, reason);
    }
}

Caller *
caller_new (ProcfunEngine *engine, Address *address, GBytes *profile, gint64 heartbeat)
{
  Caller *self = g_new0 (Caller, 1);
  GMainContext *context = g_main_context_get_thread_default ();

  self->engine = engine;
  self->address = address_ref (address);
  self->profile = g_bytes_ref (profile);
  self->heartbeat = heartbeat > 0 ? heartbeat : DEFAULT_HEARTBEAT;
  self->subject = subjects_caller (address);
  self->hosts = neighbours_new ();
  self->calls
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)caller_call_free);
  losses_init (&self->losses, self->hosts, self->calls);
  self->timer = timer_new (context, on_timer, self);
  timer_set (self->timer, g_get_monotonic_time () + IDLE_STEP);
  self->connection = connection_new (address, context, on_connection, self);
  self->queue = (CallerQueue){ self->connection, self->address, self->profile, self->subject,
                               self->heartbeat };
  return self;
}

/* Hosts of calls that nobody waits for any more hear so at their next word. */
static void
take_out_all (Caller *self)
{
  GHashTableIter iter;
  gpointer call;

  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    caller_queue_take_out (&self->queue, call, g_get_monotonic_time ());
}

void
caller_close (Caller *self)
{
  if (self->connection == NULL)
    return;
  take_out_all (self);
  timer_free (self->timer);
  connection_close (g_steal_pointer (&self->connection));
}

void
caller_free (Caller *self)
{
  caller_close (self);
  g_hash_table_unref (self->calls);
  neighbours_free (self->hosts);
  losses_clear (&self->losses);
  g_bytes_unref (self->profile);
  address_unref (self->address);
  g_free (self->subject);
  g_free (self);
}
