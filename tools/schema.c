/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/schema.h"

#include "procfun/base/intl.h"
#include "procfun/values/schema.h"

static ProcfunSchema *
refuse (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the description of a type cannot be read"));
  return NULL;
}

static const char *
get_string (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static ProcfunSchema *
read_values (JsonNode *node, GError **error)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GPtrArray) nicks = g_ptr_array_new ();
  JsonObjectIter iter;
  const char *nick;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error);
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &nick, &value))
    {
      gint32 number = (gint32)json_node_get_int (value);

      if (json_node_get_value_type (value) != G_TYPE_INT64 || number != json_node_get_int (value))
        return refuse (error);
      g_array_append_val (values, number);
      g_ptr_array_add (nicks, (char *)nick);
    }
  return procfun_schema_new_enum (nicks->len, (const gint32 *)(gpointer)values->data,
                                  (const char *const *)nicks->pdata);
}

static ProcfunSchema *
read_array (JsonNode *node, GError **error)
{
  g_autoptr (ProcfunSchema) element = schema_from_json (node, error);

  return element != NULL ? procfun_schema_new_array (element) : NULL;
}

ProcfunSchema *
schema_from_json_members (ProcfunSchemaKind kind, JsonNode *node, GError **error)
{
  g_autoptr (GPtrArray) children
      = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_schema_unref);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return refuse (error);
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *member = json_array_get_element (array, i);
      ProcfunSchema *child = schema_from_json (member, error);
      const char *name;

      if (child == NULL)
        return NULL;
      g_ptr_array_add (children, child);
      name = get_string (json_node_get_object (member), "name");
      if (name == NULL)
        return refuse (error);
      g_ptr_array_add (names, (char *)name);
    }
  return procfun_schema_new_named (kind, children->len, (const char *const *)names->pdata,
                                   (ProcfunSchema *const *)children->pdata);
}

static ProcfunSchema *
read_by_type (JsonObject *object, const char *type, GError **error)
{
  JsonNode *more;

  if ((more = json_object_get_member (object, "fields")) != NULL)
    return schema_from_json_members (PROCFUN_SCHEMA_STRUCT, more, error);
  if ((more = json_object_get_member (object, "values")) != NULL)
    return read_values (more, error);
  if ((more = json_object_get_member (object, "element")) != NULL)
    return read_array (more, error);
  return procfun_schema_new (G_VARIANT_TYPE (type));
}

ProcfunSchema *
schema_from_json (JsonNode *node, GError **error)
{
  g_autoptr (ProcfunSchema) schema = NULL;
  const char *type;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return refuse (error);
  type = get_string (json_node_get_object (node), "type");
  if (type == NULL || !g_variant_type_string_is_valid (type)
      || !g_variant_type_is_definite (G_VARIANT_TYPE (type)))
    return refuse (error);
  schema = read_by_type (json_node_get_object (node), type, error);
  if (schema != NULL && !g_variant_type_equal (procfun_schema_get_variant_type (schema), type))
    return refuse (error);
  return g_steal_pointer (&schema);
}
