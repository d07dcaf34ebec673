/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-json.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/json-text.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-error.h"

#include <string.h>

/**
 * SECTION:procfun-json
 * @title: JSON trees
 * @short_description: values as the nodes of json-glib
 *
 * For programs that work with JSON: arguments from a #JsonNode, and a result as one. The JSON is
 * that of procfun_codec_get_json(), not that of json_gvariant_serialize(), which loses types and
 * values.
 */

/* Only this file of the library uses json-glib, so a static program without these functions does
 * not contain it. Both directions go through text, so there is one reader and one writer. */

#define MAX_LEVELS 128

static gboolean append_node (Buffer *out, JsonNode *node, guint levels, GError **error);

static void
append_value (Buffer *out, JsonNode *node)
{
  const char *text;
  char *start;
  gint64 integer;

  switch (json_node_get_value_type (node))
    {
    case G_TYPE_BOOLEAN:
      if (json_node_get_boolean (node))
        JSON_LITERAL (out, "true");
      else
        JSON_LITERAL (out, "false");
      break;
    case G_TYPE_DOUBLE:
      wire_json_append_double (out, json_node_get_double (node));
      break;
    case G_TYPE_STRING:
      text = json_node_get_string (node);
      wire_json_append_text (out, text, strlen (text));
      break;
    default:
      integer = json_node_get_int (node);
      start = (char *)buffer_reserve (out, NUMBER_MAX_LENGTH);
      *start = '-';
      out->length += (integer < 0);
      start += (integer < 0);
      out->length
          += wire_number_format_uint64 (start, integer < 0 ? -(guint64)integer : (guint64)integer);
      break;
    }
}

static gboolean
append_array (Buffer *out, JsonArray *array, guint levels, GError **error)
{
  const guint n = json_array_get_length (array);

  buffer_append_byte (out, '[');
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        buffer_append_byte (out, ',');
      if (!append_node (out, json_array_get_element (array, i), levels, error))
        return FALSE;
    }
  buffer_append_byte (out, ']');
  return TRUE;
}

static gboolean
append_object (Buffer *out, JsonObject *object, guint levels, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  gboolean first = TRUE;

  buffer_append_byte (out, '{');
  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    {
      if (!first)
        buffer_append_byte (out, ',');
      first = FALSE;
      wire_json_append_text (out, name, strlen (name));
      buffer_append_byte (out, ':');
      if (!append_node (out, node, levels, error))
        return FALSE;
    }
  buffer_append_byte (out, '}');
  return TRUE;
}

static gboolean
append_node (Buffer *out, JsonNode *node, guint levels, GError **error)
{
  if (levels == 0)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                   _ ("The value has more than %d levels"), MAX_LEVELS);
      return FALSE;
    }

  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      return append_object (out, json_node_get_object (node), levels - 1, error);
    case JSON_NODE_ARRAY:
      return append_array (out, json_node_get_array (node), levels - 1, error);
    case JSON_NODE_VALUE:
      append_value (out, node);
      return TRUE;
    default:
      JSON_LITERAL (out, "null");
      return TRUE;
    }
}

/**
 * procfun_json_from_variant:
 * @schema: the schema of @value
 * @value: the value; a floating one is consumed
 * @error: (nullable): return location for an error
 *
 * Makes a tree of JSON nodes of a value.
 *
 * Fails with %PROCFUN_ERROR_ENCODE where procfun_codec_encode() of the codec `json` does.
 *
 * Returns: (transfer full): the node, or %NULL on failure
 *
 * Since: 0.1
 */
JsonNode *
procfun_json_from_variant (ProcfunSchema *schema, GVariant *value, GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GBytes) bytes = NULL;

  g_return_val_if_fail (schema != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  bytes = procfun_codec_encode (procfun_codec_get_json (), schema, value, error);
  if (bytes == NULL)
    return NULL;

  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, g_bytes_get_data (bytes, NULL),
                                   (gssize)g_bytes_get_size (bytes), error))
    return NULL;
  return json_parser_steal_root (parser);
}

/**
 * procfun_json_to_variant:
 * @schema: the schema of the value
 * @node: a tree of JSON nodes
 * @error: (nullable): return location for an error
 *
 * Makes a value of a tree of JSON nodes.
 *
 * A tree holds integers of at most 64 bits with a sign; larger ones are to be given as strings. NaN
 * and infinite doubles can be given as such, too.
 *
 * Fails with %PROCFUN_ERROR_DECODE if the tree is not a value of the schema; the message names the
 * place.
 *
 * Returns: (transfer full): the value, not floating, or %NULL on failure
 *
 * Since: 0.1
 */
GVariant *
procfun_json_to_variant (ProcfunSchema *schema, JsonNode *node, GError **error)
{
  g_auto (Buffer) text = { 0 };

  g_return_val_if_fail (schema != NULL, NULL);
  g_return_val_if_fail (node != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!append_node (&text, node, MAX_LEVELS + 1, error))
    return NULL;
  return wire_json_read (schema, (const char *)text.data, text.length, error);
}
