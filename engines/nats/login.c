/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/login.h"

#include <procfun.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000
#define RECONNECT_WAIT_MS 200
#define PING_INTERVAL_MS 5000
#define MAX_PINGS 2
#define WRITE_DEADLINE_MS 10000

/* One login in some hundred by nkey fails with libnats 3.4.1, whatever the key: the broker does not
 * accept what was signed, and does so the next time. */
#define LOGINS_MAX 3

void
login_set_error (GError **error, Address *address, natsStatus status)
{
  const char *words = nats_GetLastError (NULL);

  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, "%s: %s", address->server,
               words != NULL && *words != '\0' ? words : natsStatus_GetText (status));
}

/* Nkeys: a line with the seed, which begins with S, and one with the public key. */

static char *
read_line (const char *path, gboolean is_seed)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0' && (lines[i][0] == 'S') == is_seed)
      return g_strdup (lines[i]);
  return NULL;
}

static natsStatus
sign (char **error_text, unsigned char **signature, int *size, const char *nonce, void *user_data)
{
  const Address *address = user_data;
  g_autofree char *seed = read_line (address->nkey, TRUE);

  return seed != NULL ? nats_Sign (seed, nonce, signature, size) : NATS_NOT_FOUND;
}

static natsStatus
set_nkey (natsOptions *options, Address *address)
{
  g_autofree char *public_key = read_line (address->nkey, FALSE);

  return public_key != NULL ? natsOptions_SetNKey (options, public_key, sign, address)
                            : NATS_NOT_FOUND;
}

/* An error keeps the status that it found. */
static void
then (natsStatus *status, natsStatus next)
{
  if (*status == NATS_OK)
    *status = next;
}

static natsStatus
set_security (natsOptions *options, Address *address)
{
  natsStatus status = NATS_OK;

  if (address->is_secure)
    {
      then (&status, natsOptions_SetSecure (options, true));
      then (&status, natsOptions_SetExpectedHostname (options, address->host));
    }
  if (status == NATS_OK && address->authorities != NULL)
    status = natsOptions_LoadCATrustedCertificates (options, address->authorities);
  if (status == NATS_OK && address->certificate != NULL && address->key != NULL)
    status = natsOptions_LoadCertificatesChain (options, address->certificate, address->key);
  if (status == NATS_OK && address->user != NULL)
    status = natsOptions_SetUserInfo (options, address->user,
                                      address->password != NULL ? address->password : "");
  if (status == NATS_OK && address->credentials != NULL)
    status = natsOptions_SetUserCredentialsFromFiles (options, address->credentials, NULL);
  if (status == NATS_OK && address->nkey != NULL)
    status = set_nkey (options, address);
  return status;
}

static natsStatus
set_manners (natsOptions *options, Address *address)
{
  natsStatus status = natsOptions_SetURL (options, address->server);

  then (&status, natsOptions_SetName (options, "procfun"));
  then (&status, natsOptions_SetTimeout (options, CONNECT_TIMEOUT_MS));
  then (&status, natsOptions_SetMaxReconnect (options, G_MAXINT));
  then (&status, natsOptions_SetReconnectWait (options, RECONNECT_WAIT_MS));
  then (&status, natsOptions_SetPingInterval (options, PING_INTERVAL_MS));
  then (&status, natsOptions_SetMaxPingsOut (options, MAX_PINGS));
  then (&status, natsOptions_SetWriteDeadline (options, WRITE_DEADLINE_MS));
  then (&status, natsOptions_SetSendAsap (options, true));
  then (&status, natsOptions_UseGlobalMessageDelivery (options, true));
  return status;
}

natsOptions *
login_make_options (Address *address, GError **error)
{
  natsOptions *options = NULL;
  natsStatus status = natsOptions_Create (&options);

  if (status == NATS_OK)
    status = set_manners (options, address);
  if (status == NATS_OK)
    status = set_security (options, address);
  if (status == NATS_OK)
    return options;
  login_set_error (error, address, status);
  natsOptions_Destroy (options);
  return NULL;
}

natsStatus
login_connect (natsConnection **nats, natsOptions *options, Address *address)
{
  natsStatus status = natsConnection_Connect (nats, options);

  for (guint i = 1;
       status == NATS_CONNECTION_AUTH_FAILED && address->nkey != NULL && i < LOGINS_MAX; i++)
    status = natsConnection_Connect (nats, options);
  return status;
}
