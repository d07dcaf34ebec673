/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/address.h"

#include "engines/nats/intl.h"
#include <procfun.h>
#include <string.h>

#define DEFAULT_PORT 4222
#define DEFAULT_LEASE 30
#define DEFAULT_NAME "any"
#define DEFAULT_HOSTS 4096
#define WORD_MAX 64

Address *
address_ref (Address *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
address_unref (Address *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->server);
  g_free (self->host);
  g_free (self->user);
  g_free (self->password);
  g_free (self->pool);
  g_free (self->name);
  g_free (self->nkey);
  g_free (self->credentials);
  g_free (self->authorities);
  g_free (self->certificate);
  g_free (self->key);
  g_free (self);
}

gboolean
address_is_word (const char *text)
{
  const gsize length = strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-");

  return length > 0 && length <= WORD_MAX && text[length] == '\0';
}

static gboolean
set_invalid (const char *text, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("“%s” does not belong into the URL of a broker"), text);
  return FALSE;
}

static gboolean
take_text (const char *value, char **text)
{
  g_free (*text);
  *text = g_strdup (value);
  return *value != '\0';
}

static gboolean
take_number (const char *value, gint64 max, gint64 *number)
{
  return g_ascii_string_to_signed (value, 10, 1, max, number, NULL);
}

static gboolean
take_time (const char *value, gint64 *us)
{
  char *end;
  const double seconds = g_ascii_strtod (value, &end);

  *us = (gint64)(seconds * G_USEC_PER_SEC);
  return *value != '\0' && *end == '\0' && seconds >= 0.1 && seconds <= 86400;
}

/* FALSE: there is no such word, or not with such a value. */
static gboolean
take_parameter (Address *self, const char *name, const char *value)
{
  if (strcmp (name, "name") == 0)
    return take_text (value, &self->name) && address_is_word (value);
  if (strcmp (name, "lease") == 0)
    return take_time (value, &self->lease);
  if (strcmp (name, "max-calls") == 0)
    return take_number (value, G_MAXINT32, &self->max_calls);
  if (strcmp (name, "max-hosts") == 0)
    return take_number (value, G_MAXINT32 / 2, &self->max_hosts);
  if (strcmp (name, "nkey") == 0)
    return take_text (value, &self->nkey);
  if (strcmp (name, "creds") == 0)
    return take_text (value, &self->credentials);
  if (strcmp (name, "ca") == 0)
    return take_text (value, &self->authorities);
  if (strcmp (name, "cert") == 0)
    return take_text (value, &self->certificate);
  return strcmp (name, "key") == 0 && take_text (value, &self->key);
}

static gboolean
take_parameters (Address *self, const char *query, GError **error)
{
  GUriParamsIter iter;
  gboolean has_next;

  g_uri_params_iter_init (&iter, query, -1, "&", G_URI_PARAMS_NONE);
  for (;;)
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;
      GError *wrong = NULL;

      has_next = g_uri_params_iter_next (&iter, &name, &value, &wrong);
      if (wrong != NULL)
        {
          g_error_free (wrong);
          return set_invalid (query, error);
        }
      if (!has_next)
        return TRUE;
      if (!take_parameter (self, name, value))
        return set_invalid (name, error);
    }
}

static gboolean
take_place (Address *self, GUri *uri, GError **error)
{
  const char *host = g_uri_get_host (uri);
  const char *path = g_uri_get_path (uri);
  const int port = g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : DEFAULT_PORT;

  if (host == NULL || *host == '\0')
    return set_invalid ("", error);
  if (*path == '\0' || strcmp (path, "/") == 0)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                           _ ("the URL of a broker ends with the name of a pool"));
      return FALSE;
    }
  if (*path != '/' || !address_is_word (path + 1))
    return set_invalid (path, error);
  self->is_secure = strcmp (g_uri_get_scheme (uri), "tls") == 0;
  self->host = g_strdup (host);
  self->server = g_strdup_printf (strchr (host, ':') != NULL ? "nats://[%s]:%d" : "nats://%s:%d",
                                  host, port);
  self->user = g_strdup (g_uri_get_user (uri));
  self->password = g_strdup (g_uri_get_password (uri));
  self->pool = g_strdup (path + 1);
  return TRUE;
}

Address *
address_new (const char *url, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_HAS_PASSWORD, NULL);
  g_autoptr (Address) self = g_new0 (Address, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->lease = DEFAULT_LEASE * G_USEC_PER_SEC;
  self->max_hosts = DEFAULT_HOSTS;
  self->name = g_strdup (DEFAULT_NAME);
  if (uri == NULL)
    set_invalid (url, error);
  else if (take_place (self, uri, error)
           && (g_uri_get_query (uri) == NULL
               || take_parameters (self, g_uri_get_query (uri), error)))
    return g_steal_pointer (&self);
  return NULL;
}
