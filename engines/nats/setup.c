/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/setup.h"

#include "engines/nats/jet-reply.h"
#include "engines/nats/login.h"
#include "engines/nats/subjects.h"
#include <inttypes.h>
#include <string.h>

#define TIMEOUT_MS 3000

/* @is_refused: (nullable): the broker has answered, and that is the error */
static gboolean
ask (natsConnection *nats, Address *address, const char *subject, const char *text,
     gboolean *is_refused, GError **error)
{
  natsMsg *answer = NULL;
  const natsStatus status = natsConnection_RequestString (&answer, nats, subject, text, TIMEOUT_MS);
  g_auto (JetReply) reply = { 0 };

  if (status != NATS_OK)
    {
      login_set_error (error, address, status);
      return FALSE;
    }
  jet_reply_read_text (&reply, natsMsg_GetData (answer), (gsize)natsMsg_GetDataLength (answer));
  natsMsg_Destroy (answer);
  if (reply.error == NULL)
    return TRUE;
  if (is_refused != NULL)
    *is_refused = TRUE;
  g_propagate_error (error, g_steal_pointer (&reply.error));
  return FALSE;
}

/* A full stream refuses calls; those that wait are not dropped for it. */
static gboolean
make_stream (natsConnection *nats, Address *address, GError **error)
{
  g_autofree char *name = subjects_stream (address);
  g_autofree char *queue = subjects_queue (address);
  g_autofree char *create = subjects_api (address, "STREAM.CREATE", "");
  g_autofree char *update = subjects_api (address, "STREAM.UPDATE", "");
  g_autofree char *config = g_strdup_printf (
      "{\"name\":\"%s\",\"subjects\":[\"%s\"],\"retention\":\"workqueue\",\"storage\":\"file\","
      "\"discard\":\"new\",\"max_msgs\":%" PRId64 ",\"max_consumers\":-1,\"max_bytes\":-1,"
      "\"num_replicas\":1}",
      name, queue, address->max_calls > 0 ? address->max_calls : -1);

  gboolean is_refused = FALSE;

  if (ask (nats, address, create, config, &is_refused, error))
    return TRUE;
  if (!is_refused)
    return FALSE;
  g_clear_error (error);
  return ask (nats, address, update, config, NULL, error);
}

/* Without these settings, no more than 1000 calls run at once, and no more than 512 hosts wait.
 * A setting that cannot be changed stays an error: a new consumer would give away calls that run.
 */
static gboolean
make_consumer (natsConnection *nats, Address *address, GError **error)
{
  g_autofree char *stream = subjects_stream (address);
  g_autofree char *subject
      = subjects_api (address, "CONSUMER.DURABLE.CREATE", "." SUBJECTS_CONSUMER);
  g_autofree char *config = g_strdup_printf (
      "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"" SUBJECTS_CONSUMER "\","
      "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"ack_wait\":%" PRId64 ","
      "\"max_deliver\":-1,\"max_ack_pending\":-1,\"max_waiting\":%" PRId64 ","
      "\"replay_policy\":\"instant\"}}",
      stream, address->lease * 1000, 2 * address->max_hosts);

  return ask (nats, address, subject, config, NULL, error);
}

gboolean
setup_pool (Address *address, GError **error)
{
  natsOptions *options = login_make_options (address, error);
  natsConnection *nats = NULL;
  natsStatus status;
  gboolean ok = FALSE;

  if (options == NULL)
    return FALSE;
  status = login_connect (&nats, options, address);
  natsOptions_Destroy (options);
  if (status == NATS_OK)
    ok = make_stream (nats, address, error) && make_consumer (nats, address, error);
  else
    login_set_error (error, address, status);
  natsConnection_Destroy (nats);
  return ok;
}
