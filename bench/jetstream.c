/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench/jetstream.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 5000

/* As long as those of the module. */
#define STREAM "PF_bare"
#define QUEUE "pf.q.bare.0123456789abcdef"
#define CALLER "pf.r.host-01234567.0123456789abcdef"
#define HOST "pf.c.bare.host-01234567"
#define INBOX "pf.p.bare.host-01234567.1"
#define NEXT "$JS.API.CONSUMER.MSG.NEXT." STREAM ".hosts"
#define PULL "{\"batch\":1,\"expires\":30000000000}"

static char zeros[1024 * 1024];

static void
check (natsStatus status)
{
  if (status == NATS_OK)
    return;
  fprintf (stderr, "NATS: %s\n", natsStatus_GetText (status));
  exit (1);
}

static natsConnection *
connect_to (const char *url)
{
  natsOptions *options;
  natsConnection *nats;

  check (natsOptions_Create (&options));
  check (natsOptions_SetURL (options, url));
  check (natsOptions_SetSendAsap (options, true));
  check (natsOptions_UseGlobalMessageDelivery (options, true));
  check (natsConnection_Connect (&nats, options));
  natsOptions_Destroy (options);
  return nats;
}

static void
send_zeros (natsConnection *nats, const char *subject, gsize size)
{
  check (natsConnection_Publish (nats, subject, zeros, (int)size));
}

/* Listening */

typedef struct
{
  JetStreamSizes sizes;
  GMutex lock;
} Learned;

static void
on_seen (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  Learned *self = user_data;
  const char *subject = natsMsg_GetSubject (message);
  const gsize size = (gsize)natsMsg_GetDataLength (message);

  g_mutex_lock (&self->lock);
  if (g_str_has_prefix (subject, "pf.q."))
    self->sizes.call = size;
  else if (g_str_has_prefix (subject, "pf.c."))
    self->sizes.acknowledgement = size;
  else if (self->sizes.n_answers < JETSTREAM_ANSWERS_MAX)
    self->sizes.answers[self->sizes.n_answers++] = size;
  g_mutex_unlock (&self->lock);
  natsMsg_Destroy (message);
}

JetStreamSizes
jetstream_learn (const char *url, const char *pool, void (*call) (void))
{
  natsConnection *nats = connect_to (url);
  g_autofree char *queue = g_strdup_printf ("pf.q.%s.*", pool);
  g_autofree char *host = g_strdup_printf ("pf.c.%s.*", pool);
  const char *const subjects[] = { queue, host, "pf.r.*.*" };
  natsSubscription *subscriptions[G_N_ELEMENTS (subjects)];
  Learned self = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (subjects); i++)
    check (natsConnection_Subscribe (&subscriptions[i], nats, subjects[i], on_seen, &self));
  check (natsConnection_Flush (nats));
  call ();
  for (gboolean is_whole = FALSE; !is_whole; g_usleep (1000))
    {
      g_mutex_lock (&self.lock);
      is_whole = self.sizes.acknowledgement > 0 && self.sizes.n_answers > 0 && self.sizes.call > 0;
      g_mutex_unlock (&self.lock);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (subjects); i++)
    natsSubscription_Destroy (subscriptions[i]);
  natsConnection_Destroy (nats);
  return self.sizes;
}

/* Setting up */

static void
ask (natsConnection *nats, const char *subject, const char *text)
{
  natsMsg *answer = NULL;

  check (natsConnection_RequestString (&answer, nats, subject, text, TIMEOUT_MS));
  natsMsg_Destroy (answer);
}

void
jetstream_set_up (const char *url)
{
  natsConnection *nats = connect_to (url);

  ask (nats, "$JS.API.STREAM.CREATE." STREAM,
       "{\"name\":\"" STREAM "\",\"subjects\":[\"pf.q.bare.>\"],\"retention\":\"workqueue\","
       "\"storage\":\"file\",\"discard\":\"new\",\"max_msgs\":-1,\"max_consumers\":-1,"
       "\"max_bytes\":-1,\"num_replicas\":1}");
  ask (nats, "$JS.API.CONSUMER.DURABLE.CREATE." STREAM ".hosts",
       "{\"stream_name\":\"" STREAM "\",\"config\":{\"durable_name\":\"hosts\","
       "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":30000000000,"
       "\"max_deliver\":-1,\"max_ack_pending\":-1,\"max_waiting\":8192,"
       "\"replay_policy\":\"instant\"}}");
  natsConnection_Destroy (nats);
}

/* The host; all of it is called in one thread of libnats. */

typedef struct
{
  const JetStreamSizes *sizes;
  natsConnection *nats;
  char *receipt; /* (nullable) */
  guint n_pulls;
} BareHost;

static void
ask_for_call (BareHost *self)
{
  g_autofree char *inbox = g_strdup_printf (INBOX ".%u", ++self->n_pulls);

  check (natsConnection_PublishRequest (self->nats, NEXT, inbox, PULL, strlen (PULL)));
}

static void
on_call (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  BareHost *self = user_data;
  const gboolean is_call = natsMsg_GetDataLength (message) > 0;

  if (is_call)
    {
      g_free (self->receipt);
      self->receipt = g_strdup (natsMsg_GetReply (message));
    }
  natsMsg_Destroy (message);
  for (guint i = 0; is_call && i < self->sizes->n_answers; i++)
    send_zeros (nats, CALLER, self->sizes->answers[i]);
  ask_for_call (self);
}

static void
on_acknowledgement (natsConnection *nats, natsSubscription *subscription, natsMsg *message,
                    void *user_data)
{
  BareHost *self = user_data;

  natsMsg_Destroy (message);
  if (self->receipt != NULL)
    check (natsConnection_PublishString (nats, self->receipt, "+ACK"));
  g_clear_pointer (&self->receipt, g_free);
}

void
jetstream_be_host (const char *url, const JetStreamSizes *sizes)
{
  BareHost self = { .sizes = sizes, .nats = connect_to (url) };
  natsSubscription *own, *inboxes;

  check (natsConnection_Subscribe (&inboxes, self.nats, INBOX ".*", on_call, &self));
  check (natsConnection_Subscribe (&own, self.nats, HOST, on_acknowledgement, &self));
  ask_for_call (&self);
  for (;;)
    g_usleep (G_USEC_PER_SEC);
}

/* The caller */

struct _JetStream
{
  const JetStreamSizes *sizes;
  natsConnection *nats;
  natsSubscription *answers;
  natsSubscription *replies;
  guint n_calls;
  GMutex lock; /* for what follows */
  GCond has_answer;
  guint n_answers;
};

static void
on_answer (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  JetStream *self = user_data;
  gboolean is_last;

  natsMsg_Destroy (message);
  g_mutex_lock (&self->lock);
  is_last = ++self->n_answers == self->sizes->n_answers;
  g_mutex_unlock (&self->lock);
  if (!is_last)
    return;
  send_zeros (nats, HOST, self->sizes->acknowledgement);
  g_cond_signal (&self->has_answer);
}

static void
on_reply (natsConnection *nats, natsSubscription *subscription, natsMsg *message, void *user_data)
{
  natsMsg_Destroy (message);
}

JetStream *
jetstream_new (const char *url, const JetStreamSizes *sizes)
{
  JetStream *self = g_new0 (JetStream, 1);

  self->sizes = sizes;
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_answer);
  self->nats = connect_to (url);
  check (natsConnection_Subscribe (&self->answers, self->nats, CALLER, on_answer, self));
  check (natsConnection_Subscribe (&self->replies, self->nats, CALLER ".>", on_reply, self));
  check (natsConnection_Flush (self->nats));
  return self;
}

void
jetstream_free (JetStream *self)
{
  natsSubscription_Destroy (self->answers);
  natsSubscription_Destroy (self->replies);
  natsConnection_Destroy (self->nats);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->has_answer);
  g_free (self);
}

void
jetstream_call (JetStream *self)
{
  g_autofree char *reply = g_strdup_printf (CALLER ".stored.%u", ++self->n_calls);
  g_autofree char *message_id = g_strdup_printf ("0123456789abcdef.%u", self->n_calls);
  natsMsg *message;

  g_mutex_lock (&self->lock);
  self->n_answers = 0;
  g_mutex_unlock (&self->lock);
  check (natsMsg_Create (&message, QUEUE, reply, zeros, (int)self->sizes->call));
  check (natsMsgHeader_Set (message, "Nats-Msg-Id", message_id));
  check (natsConnection_PublishMsg (self->nats, message));
  natsMsg_Destroy (message);
  g_mutex_lock (&self->lock);
  while (self->n_answers < self->sizes->n_answers)
    g_cond_wait (&self->has_answer, &self->lock);
  g_mutex_unlock (&self->lock);
}
