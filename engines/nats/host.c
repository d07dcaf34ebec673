/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/host.h"

#include "engines/nats/doubts.h"
#include "engines/nats/host-words.h"
#include "engines/nats/host-work.h"
#include "engines/nats/intl.h"
#include "engines/nats/jet-reply.h"
#include "engines/nats/neighbours.h"
#include "engines/nats/pull-requests.h"
#include "engines/nats/subjects.h"
#include "engines/nats/timer.h"
#include <string.h>

/* So long in µs the first answer, that the call has begun, waits for the second one: for a short
 * function that is the end. */
#define FIRST_WAIT 1000

/* Larger parts would keep others waiting. */
#define PART_MAX ((gsize)256 * 1024)

/* Times in µs */
#define STEP 50000
#define IDLE_STEP G_USEC_PER_SEC
#define FETCH_REPEAT 500000
#define HEARTBEAT_MIN 1000

#define FINISH_MS 1000

/* The status of a message that nobody has heard. */
#define STATUS_NOBODY 503

struct _Host
{
  ProcfunEngine *engine; /* unowned */
  Address *address;
  GBytes *profile;
  char *subject;          /* where it is reached */
  Connection *connection; /* (nullable): it is closed */
  Timer *timer;

  PullRequests requests;
  gboolean is_ready; /* the broker has the consumer */
  gboolean is_detached;
  HostWords words;
  gint64 lease;   /* in µs */
  gint64 beat_at; /* monotonic times */
  Doubts doubts;
  gint64 lost_at; /* the broker is away; 0: it is there */

  GHashTable *works;  /* (element-type guint64 HostWork): by id */
  GHashTable *by_key; /* (element-type utf8 HostWork) */
  guint64 last_id;
  Neighbours *callers;
};

static void
fail (Host *self, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, message);

  procfun_engine_fail (self->engine, error);
}

/* Asking for calls */

static void
ask_for_calls (Host *self)
{
  if (self->is_ready && !self->is_detached && self->lost_at == 0)
    pull_requests_ask (&self->requests, g_get_monotonic_time ());
}

static void
add_free (Host *self, guint n)
{
  pulls_add_free (&self->requests.pulls, n);
}

/* Calls */

static HostWork *
find_work (Host *self, const char *from, guint64 number)
{
  g_autofree char *key = host_work_make_key (from, number);

  return g_hash_table_lookup (self->by_key, key);
}

static void
release (Host *self, HostWork *work)
{
  if (work->is_held)
    timer_unwish (self->timer);
  work->is_held = FALSE;
}

static void
end_work (Host *self, HostWork *work)
{
  release (self, work);
  host_words_acknowledge (&self->words, work->receipt, "+ACK");
  neighbours_drop_call (self->callers, talk_get_peer (work->talk));
  g_hash_table_remove (self->by_key, work->key);
  g_hash_table_remove (self->works, &work->id);
}

/* Nobody waits for it. */
static void
abandon (Host *self, HostWork *work)
{
  g_autoptr (GError) error = NULL;

  if (work->is_orphan)
    return;
  if (work->is_ended || work->fetch_at > 0)
    {
      add_free (self, work->is_ended ? 0 : 1);
      end_work (self, work);
      ask_for_calls (self);
      return;
    }
  work->is_orphan = TRUE;
  error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("it has ended"));
  procfun_engine_fail_call (self->engine, work->id, error);
}

/* @caller: (nullable): of all */
static void
abandon_all (Host *self, const char *caller)
{
  g_autoptr (GList) ids = g_hash_table_get_keys (self->works);

  for (GList *l = ids; l != NULL && self->connection != NULL; l = l->next)
    {
      HostWork *work = g_hash_table_lookup (self->works, l->data);

      if (work != NULL && (caller == NULL || strcmp (talk_get_peer (work->talk), caller) == 0))
        abandon (self, work);
    }
}

/* It stays known for a while, so that its next calls need not wait until it has been missed for as
 * long; but not while calls of it are ending, which would have it lost again and again. */
static void
lose_caller (Host *self, const char *subject)
{
  g_autofree char *caller = g_strdup (subject);

  abandon_all (self, caller);
  if (neighbours_get_n_calls (self->callers, caller) > 0)
    neighbours_remove (self->callers, caller);
}

typedef struct
{
  Host *host;
  guint64 id;
} Listener;

static void
on_message (const ProcfunMessage *message, gpointer user_data)
{
  const Listener *listener = user_data;
  Host *self = listener->host;
  HostWork *work = g_hash_table_lookup (self->works, &listener->id);

  if (work->fetch_at > 0)
    {
      work->fetch_at = 0;
      procfun_engine_request (self->engine, work->id, work->n_deliveries, work->profile, message);
    }
  else
    procfun_engine_message (self->engine, work->id, NULL, message);
}

static gsize
get_part_max (Host *self)
{
  const gsize max = connection_get_max_payload (self->connection);

  return MIN (max > 2 * PACKET_OVERHEAD ? max - PACKET_OVERHEAD : PACKET_OVERHEAD, PART_MAX);
}

static HostWork *
add_work (Host *self, const Packet *packet, const char *receipt, guint n_deliveries)
{
  Listener *listener = g_new0 (Listener, 1);
  HostWork *work;
  Talk *talk;

  /* A caller knows who answers before the first answer. */
  if (!neighbours_has (self->callers, packet->from))
    host_words_introduce (&self->words, packet->from);
  *listener = (Listener){ self, ++self->last_id };
  talk = talk_new (self->connection, packet->from, self->subject, packet->id, get_part_max (self),
                   on_message, listener, g_free);
  work = host_work_new (listener->id, packet, receipt, n_deliveries, talk);
  work->lease_at = g_get_monotonic_time () + self->lease / 3;
  timer_hurry (self->timer, g_get_monotonic_time () + STEP);
  g_hash_table_insert (self->works, &work->id, work);
  g_hash_table_insert (self->by_key, work->key, work);
  neighbours_add_call (self->callers, packet->from,
                       packet->heartbeat > 0 ? MAX (packet->heartbeat, HEARTBEAT_MIN)
                                             : G_MAXINT64 / 4);
  return work;
}

static void
fetch (Host *self, HostWork *work, gint64 now)
{
  work->fetch_at = now + FETCH_REPEAT;
  host_words_ask (&self->words, PACKET_FETCH, talk_get_peer (work->talk), work->number);
}

static void
begin_work (Host *self, const Packet *packet, const char *receipt)
{
  const gint64 now = g_get_monotonic_time ();
  JetReceipt told;
  HostWork *work;
  ProcfunMessage message;
  GBytes *head, *payload;

  jet_receipt_read (&told, receipt);
  work = add_work (self, packet, receipt, MAX (told.n_deliveries, 1));
  doubts_note_time (&self->doubts, timer_get (self->timer), now);
  if (doubts_note_count (&self->doubts, told.n_given))
    host_words_ask_what_is_old (&self->words);
  if ((packet->flags & PACKET_IS_LARGE) != 0 || doubts_has (&self->doubts, told.sequence, now))
    {
      fetch (self, work, now);
      return;
    }
  if (!packet_split_message (packet, packet->data, &message))
    {
      add_free (self, 1);
      end_work (self, work);
      return;
    }
  head = message.head;
  payload = message.payload;
  procfun_engine_request (self->engine, work->id, work->n_deliveries, work->profile, &message);
  g_bytes_unref (head);
  g_bytes_unref (payload);
}

/* A call for which this host has no room has not begun. The broker is not told so: it would count
 * that as one more time that the call was given to somebody. Its caller submits it again. */
static void
take_call (Host *self, guint number, const ConnectionEvent *event)
{
  const PullsAnswer answer = pull_requests_take (&self->requests, number);
  g_auto (Packet) packet = { 0 };
  gsize at = 0;
  HostWork *known;

  if (!packet_read (&packet, event->data, &at) || packet.type != PACKET_CALL)
    {
      host_words_acknowledge (&self->words, event->reply, "+TERM");
      add_free (self, answer != PULLS_REFUSED ? 1 : 0);
    }
  else if ((known = find_work (self, packet.from, packet.id)) != NULL)
    {
      g_free (known->receipt);
      known->receipt = g_strdup (event->reply);
      host_words_acknowledge (&self->words, known->receipt, "+WPI");
      add_free (self, answer != PULLS_REFUSED ? 1 : 0);
    }
  else if (answer == PULLS_REFUSED || self->is_detached)
    host_words_say (&self->words, PACKET_BACK, packet.from, packet.id);
  else
    begin_work (self, &packet, event->reply);
  if (self->connection != NULL)
    ask_for_calls (self);
}

/* Packets of callers */

static void
take_packet_of_work (Host *self, const Packet *packet)
{
  HostWork *work = find_work (self, packet->from, packet->id);
  guint64 id;

  if (work == NULL)
    {
      if (packet->type != PACKET_GONE)
        host_words_say (&self->words, PACKET_GONE, packet->from, packet->id);
      return;
    }
  if (packet->type == PACKET_GONE)
    {
      abandon (self, work);
      return;
    }
  id = work->id;
  if (!talk_take (work->talk, packet))
    {
      abandon (self, work);
      return;
    }
  work = g_hash_table_lookup (self->works, &id);
  if (work != NULL && work->is_ended && talk_is_quiet (work->talk))
    end_work (self, work);
}

/* Callers are to know which calls are here, before another host gets them, too, and asks. @caller:
 * (nullable): all */
static void
claim_all (Host *self, const char *caller)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->works);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      HostWork *work = value;

      if (work->fetch_at == 0
          && (caller == NULL || strcmp (talk_get_peer (work->talk), caller) == 0))
        talk_acknowledge (work->talk);
    }
}

static void
take_packet (Host *self, const Packet *packet)
{
  neighbours_hear (self->callers, packet->from);
  switch (packet->type)
    {
    case PACKET_PART:
    case PACKET_ACK:
    case PACKET_GONE:
      take_packet_of_work (self, packet);
      break;
    case PACKET_WHO:
      if (self->is_ready && !self->is_detached)
        host_words_introduce (&self->words, packet->from);
      claim_all (self, packet->from);
      break;
    default: /* what a host says itself, and what has done its work by having been heard */
      break;
    }
}

/* The broker */

static void
take_reply (Host *self, const ConnectionEvent *event)
{
  const char *caller = NULL;
  const HostWordsAnswer answer = host_words_read (&self->words, event, &caller);
  g_auto (JetReply) reply = { 0 };

  if (answer == HOST_WORDS_OF_NOBODY)
    {
      if (event->status == STATUS_NOBODY
          && neighbours_miss (self->callers, caller, g_get_monotonic_time ()))
        lose_caller (self, caller);
      return;
    }
  jet_reply_read (&reply, event);
  if (answer == HOST_WORDS_OF_OLD)
    {
      if (reply.error == NULL)
        self->doubts.last_old = reply.last;
      return;
    }
  if (reply.error != NULL)
    {
      fail (self, reply.error->message);
      return;
    }
  self->is_ready = TRUE;
  if (reply.ack_wait > 0)
    self->lease = reply.ack_wait;
  host_words_introduce (&self->words, NULL);
  ask_for_calls (self);
}

static void
take_packets (Host *self, GBytes *bytes)
{
  gsize at = 0;

  while (self->connection != NULL && at < g_bytes_get_size (bytes))
    {
      g_auto (Packet) packet = { 0 };

      if (!packet_read (&packet, bytes, &at))
        break;
      take_packet (self, &packet);
    }
}

static void
take_message (Host *self, const ConnectionEvent *event)
{
  const gint64 now = g_get_monotonic_time ();

  if (event->tag > PULL_REQUESTS_TAG)
    {
      const guint number = pull_requests_find (&self->requests, event->tag);

      if (event->status == 0)
        take_call (self, number, event);
      else if (pull_requests_take_status (&self->requests, number, event->status, now))
        ask_for_calls (self);
    }
  else if (event->tag == HOST_WORDS_REPLIES)
    take_reply (self, event);
  else
    take_packets (self, event->data);
}

/* Requests are forgotten by a broker that was away, but for those that libnats has kept. */
static void
come_back (Host *self)
{
  const gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer work;

  self->lost_at = 0;
  if (self->is_ready)
    host_words_ask_what_is_old (&self->words);
  else
    host_words_ask_for_pool (&self->words);
  neighbours_excuse (self->callers, now);
  pull_requests_give_up (&self->requests);
  g_hash_table_iter_init (&iter, self->works);
  while (g_hash_table_iter_next (&iter, NULL, &work))
    {
      release (self, work);
      ((HostWork *)work)->lease_at = now;
      talk_advance (((HostWork *)work)->talk, now, TRUE);
    }
  if (self->is_ready && !self->is_detached)
    host_words_introduce (&self->words, NULL);
  claim_all (self, NULL);
  timer_hurry (self->timer, now);
}

static void
on_connection (const ConnectionEvent *event, gpointer user_data)
{
  Host *self = user_data;
  g_autoptr (ProcfunEngine) kept G_GNUC_UNUSED = g_object_ref (self->engine);

  switch (event->type)
    {
    case CONNECTION_UP:
      host_words_begin (&self->words);
      break;
    case CONNECTION_LOST:
      self->lost_at = g_get_monotonic_time ();
      doubts_begin (&self->doubts);
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
    case CONNECTION_SYNCED:
    default:
      break;
    }
}

/* Time */

static void
advance_works (Host *self, gint64 now)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->works);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      HostWork *work = value;

      release (self, work);
      talk_advance (work->talk, now, FALSE);
      if (now >= work->lease_at)
        {
          work->lease_at = now + self->lease / 3;
          host_words_acknowledge (&self->words, work->receipt, "+WPI");
        }
      if (work->fetch_at > 0 && now >= work->fetch_at && !talk_has_begun (work->talk))
        fetch (self, work, now);
    }
}

static void
ask_callers (Host *self, gint64 now)
{
  const char *caller;
  gint64 silence;

  while ((caller = neighbours_find_unasked (self->callers, now)) != NULL)
    host_words_ask (&self->words, PACKET_PING, caller, 0);
  while (self->connection != NULL
         && (caller = neighbours_find_silent (self->callers, now, &silence)) != NULL)
    lose_caller (self, caller);
}

static void
on_timer (gpointer user_data)
{
  Host *self = user_data;
  g_autoptr (ProcfunEngine) kept G_GNUC_UNUSED = g_object_ref (self->engine);
  const gint64 now = g_get_monotonic_time ();

  doubts_note_time (&self->doubts, timer_get (self->timer), now);
  timer_set (self->timer, now + (g_hash_table_size (self->works) > 0 ? STEP : IDLE_STEP));
  if (self->lost_at > 0)
    {
      if (now > self->lost_at + self->lease)
        abandon_all (self, NULL);
      return;
    }
  advance_works (self, now);
  ask_callers (self, now);
  if (self->connection == NULL)
    return;
  pull_requests_advance (&self->requests, now);
  ask_for_calls (self);
  if (self->is_ready && !self->is_detached && now >= self->beat_at)
    {
      self->beat_at = now + HOST_WORDS_BEAT;
      if (doubts_are_about_all (&self->doubts))
        host_words_ask_what_is_old (&self->words);
      neighbours_forget (self->callers, now);
      host_words_introduce (&self->words, NULL);
    }
}

/* Orders of the engine */

void
host_set_free (Host *self, guint n)
{
  add_free (self, n);
  ask_for_calls (self);
}

void
host_answer (Host *self, guint64 id, const ProcfunMessage *answer)
{
  HostWork *work = g_hash_table_lookup (self->works, &id);
  const gboolean is_end = (answer->flags & PROCFUN_MESSAGE_END) != 0;

  if (work == NULL)
    return;
  if (!work->is_orphan && !is_end && !talk_has_answered (work->talk))
    {
      talk_add (work->talk, answer);
      work->is_held = TRUE;
      timer_wish (self->timer, g_get_monotonic_time () + FIRST_WAIT);
    }
  else if (!work->is_orphan)
    {
      release (self, work);
      talk_send (work->talk, answer);
    }
  else if (is_end)
    {
      host_words_say (&self->words, PACKET_GONE, talk_get_peer (work->talk), work->number);
      end_work (self, work);
      return;
    }
  work->is_ended = is_end;
}

void
host_detach (Host *self)
{
  self->is_detached = TRUE;
  pull_requests_give_up (&self->requests);
}

Host *
host_new (ProcfunEngine *engine, Address *address, GBytes *profile, guint slots)
{
  Host *self = g_new0 (Host, 1);
  GMainContext *context = g_main_context_get_thread_default ();

  self->engine = engine;
  self->address = address_ref (address);
  self->profile = g_bytes_ref (profile);
  self->lease = address->lease;
  doubts_begin (&self->doubts);
  self->subject = subjects_host (address);
  self->callers = neighbours_new ();
  self->works
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)host_work_free);
  self->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  self->timer = timer_new (context, on_timer, self);
  timer_set (self->timer, g_get_monotonic_time () + IDLE_STEP);
  self->connection = connection_new (address, context, on_connection, self);
  self->requests = (PullRequests){ .address = self->address,
                                   .name = packet_get_name (self->subject),
                                   .connection = self->connection };
  self->words = (HostWords){ self->connection, self->address, self->profile, self->subject, slots };
  return self;
}

/* Calls that were answered are not to be given to another host. */
static void
take_leave (Host *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->works);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      HostWork *work = value;

      if (work->is_ended)
        host_words_acknowledge (&self->words, work->receipt, "+ACK");
      host_words_take_leave (&self->words, talk_get_peer (work->talk));
    }
  host_words_take_leave (&self->words, NULL);
}

void
host_close (Host *self, gboolean at_once)
{
  if (self->connection == NULL)
    return;
  timer_free (self->timer);
  take_leave (self);
  if (at_once)
    connection_close (self->connection);
  else
    connection_finish (self->connection, FINISH_MS);
  self->connection = self->requests.connection = NULL;
}

void
host_free (Host *self)
{
  host_close (self, TRUE);
  g_hash_table_unref (self->by_key);
  g_hash_table_unref (self->works);
  neighbours_free (self->callers);
  g_bytes_unref (self->profile);
  address_unref (self->address);
  g_free (self->subject);
  g_free (self);
}
