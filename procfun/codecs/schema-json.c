/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/codecs/schema-json.h"

#include "procfun/values/schema.h"

/* Names are identifiers, and types have no character that needs an escape. */

static gboolean
says_more_than_its_type (ProcfunSchema *schema)
{
  if (schema->kind != PROCFUN_SCHEMA_PLAIN)
    return TRUE;
  for (guint i = 0; i < schema->n_children; i++)
    if (says_more_than_its_type (schema->children[i]))
      return TRUE;
  return FALSE;
}

static void
append_values (ProcfunSchema *schema, GString *json)
{
  g_string_append (json, ",\"values\":{");
  for (guint i = 0; i < schema->n_nicks; i++)
    g_string_append_printf (json, "%s\"%s\":%d", i > 0 ? "," : "", schema->names[i],
                            schema->values[i]);
  g_string_append_c (json, '}');
}

/* Writes the members between the braces. */
static void
append_description (ProcfunSchema *schema, GString *json)
{
  g_autofree char *type = g_variant_type_dup_string (schema->type);

  g_string_append_printf (json, "\"type\":\"%s\"", type);
  if (schema->kind == PROCFUN_SCHEMA_ENUM)
    append_values (schema, json);
  else if (schema->kind != PROCFUN_SCHEMA_PLAIN)
    {
      g_string_append (json, ",\"fields\":");
      schema_members_to_json (schema, json);
    }
  else if (schema->n_children == 1 && says_more_than_its_type (schema))
    {
      g_string_append (json, ",\"element\":");
      schema_to_json (schema->children[0], json);
    }
}

void
schema_to_json (ProcfunSchema *schema, GString *json)
{
  g_string_append_c (json, '{');
  append_description (schema, json);
  g_string_append_c (json, '}');
}

void
schema_members_to_json (ProcfunSchema *schema, GString *json)
{
  g_string_append_c (json, '[');
  for (guint i = 0; i < schema->n_children; i++)
    {
      g_string_append_printf (json, "%s{\"name\":\"%s\",", i > 0 ? "," : "", schema->names[i]);
      append_description (schema->children[i], json);
      g_string_append_c (json, '}');
    }
  g_string_append_c (json, ']');
}
