/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/jet-reply.h"

#include "engines/nats/intl.h"
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>

#define STATUS_NOBODY 503

/* Bytes of the longest answer about a stored call. */
#define STORED_MAX 512

/* Words of the broker that have no number of their own. */
#define STREAM_NOT_FOUND 10059
#define CONSUMER_NOT_FOUND 10014
#define MESSAGE_NOT_DELETED 10057

static gint64
get_number (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
}

static const char *
get_text (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  const char *text
      = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

  return text != NULL ? text : "";
}

/* (nullable) */
static JsonObject *
get_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static GError *
make_error (JsonObject *said)
{
  const gint64 code = get_number (said, "err_code");
  const char *words = get_text (said, "description");

  if (code == STREAM_NOT_FOUND || code == CONSUMER_NOT_FOUND)
    return g_error_new_literal (
        PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
        _ ("the broker has no such pool; “procfun engine setup URL” makes it"));
  return g_error_new_literal (
      PROCFUN_ERROR, strstr (words, "maximum") != NULL ? PROCFUN_ERROR_BUSY : PROCFUN_ERROR_ENGINE,
      words);
}

static void
read_object (JetReply *self, JsonObject *object)
{
  JsonObject *said = get_object (object, "error");
  JsonObject *config = get_object (object, "config");
  JsonObject *state = get_object (object, "state");

  if (said != NULL)
    self->error = make_error (said);
  self->is_gone = said != NULL && get_number (said, "err_code") == MESSAGE_NOT_DELETED;
  self->sequence = (guint64)get_number (object, "seq");
  if (config != NULL)
    self->ack_wait = get_number (config, "ack_wait") / 1000;
  if (state != NULL)
    self->last = (guint64)get_number (state, "last_seq");
}

/* As the broker says of each call that it is stored: a parser takes longer than the rest of all
 * that is done with the answer. FALSE: it says something else. */
static gboolean
read_stored (JetReply *self, const char *text, gsize size)
{
  char copy[STORED_MAX], end;

  if (size >= sizeof copy || g_strstr_len (text, (gssize)size, "\"error\"") != NULL)
    return FALSE;
  memcpy (copy, text, size);
  copy[size] = '\0';
  return sscanf (copy, " { \"stream\" : \"%*[A-Za-z0-9_-]\" , \"seq\" : %" SCNu64 " %c",
                 &self->sequence, &end)
             == 2
         && (end == ',' || end == '}');
}

void
jet_reply_read_text (JetReply *self, const char *text, gsize size)
{
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  *self = (JetReply){ 0 };
  if (read_stored (self, text, size))
    return;
  self->sequence = 0;
  parser = json_parser_new_immutable ();
  if (json_parser_load_from_data (parser, text, (gssize)size, &self->error))
    {
      root = json_parser_get_root (parser);
      if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
        read_object (self, json_node_get_object (root));
    }
}

void
jet_reply_read (JetReply *self, const ConnectionEvent *event)
{
  gsize size;
  const char *text = g_bytes_get_data (event->data, &size);

  *self = (JetReply){ 0 };
  if (event->status == STATUS_NOBODY)
    self->error = g_error_new_literal (
        PROCFUN_ERROR, PROCFUN_ERROR_ENGINE,
        _ ("the broker has no such pool; “procfun engine setup URL” makes it"));
  else if (event->status == 0 && size > 0)
    jet_reply_read_text (self, text, size);
  else
    self->error = g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, "%d", event->status);
}

void
jet_reply_clear (JetReply *self)
{
  g_clear_error (&self->error);
}

/* $JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQUENCE.GIVEN.…, with the domain and the account before the
 * stream where there are more words than nine. */
void
jet_receipt_read (JetReceipt *self, const char *subject)
{
  g_auto (GStrv) words = g_strsplit (subject != NULL ? subject : "", ".", -1);
  const guint n = g_strv_length (words);
  const guint at = n == 9 ? 4 : 6;
  guint64 n_deliveries, sequence, n_given;

  *self = (JetReceipt){ 0 };
  if (n >= 9 && n != 10 && strcmp (words[0], "$JS") == 0 && strcmp (words[1], "ACK") == 0
      && g_ascii_string_to_unsigned (words[at], 10, 1, G_MAXUINT32, &n_deliveries, NULL)
      && g_ascii_string_to_unsigned (words[at + 1], 10, 1, G_MAXUINT64, &sequence, NULL)
      && g_ascii_string_to_unsigned (words[at + 2], 10, 1, G_MAXUINT64, &n_given, NULL))
    *self = (JetReceipt){ (guint)n_deliveries, sequence, n_given };
}
