/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type.h"

#include "procfun/values/kind.h"
#include "procfun/values/schema.h"
#include <string.h>

gsize
type_size (const ProcfunMember *member)
{
  return member->info != NULL ? member->info->size : kind_get (member->kind)->size;
}

static void
append_type (GString *string, const ProcfunMember *member)
{
  const ProcfunTypeInfo *info = member->info;
  ProcfunMember element;

  switch (member->kind)
    {
    case PROCFUN_KIND_STRUCT:
      g_string_append_c (string, '(');
      for (gsize i = 0; i < info->n_members; i++)
        append_type (string, &info->members[i]);
      g_string_append_c (string, ')');
      break;
    case PROCFUN_KIND_ARRAY:
      g_string_append_c (string, 'a');
      element = type_element (info);
      append_type (string, &element);
      break;
    default:
      g_string_append (string, kind_get (member->kind)->type);
    }
}

char *
type_string (const ProcfunMember *member)
{
  GString *string = g_string_new (NULL);

  append_type (string, member);
  return g_string_free (string, FALSE);
}

/* The length of the common prefix of all names, up to an underscore, which nicks lose as with
 * glib-mkenums. */
static gsize
common_prefix (const ProcfunEnumNick *nicks, gsize n_nicks)
{
  gsize length = strlen (nicks[0].name);

  for (gsize i = 1; i < n_nicks; i++)
    for (gsize j = 0; j < length; j++)
      if (nicks[i].name[j] != nicks[0].name[j])
        length = j;
  while (length > 0 && nicks[0].name[length - 1] != '_')
    length--;
  return length;
}

static ProcfunSchema *
schema_enum (const ProcfunTypeInfo *info)
{
  gsize prefix = common_prefix (info->nicks, info->n_members);
  g_auto (GStrv) nicks = g_new0 (char *, info->n_members + 1);
  g_autofree gint32 *values = g_new (gint32, info->n_members);

  for (gsize i = 0; i < info->n_members; i++)
    {
      nicks[i] = g_ascii_strdown (info->nicks[i].name + prefix, -1);
      g_strdelimit (nicks[i], "_", '-');
      values[i] = info->nicks[i].value;
    }
  return procfun_schema_new_enum (info->n_members, values, (const char *const *)nicks);
}

static ProcfunSchema *
schema_named (ProcfunSchemaKind kind, const ProcfunMember *members, gsize n_members)
{
  g_autoptr (GPtrArray) children /* (element-type ProcfunSchema) */
      = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_schema_unref);
  g_autofree const char **names = g_new (const char *, n_members);

  for (gsize i = 0; i < n_members; i++)
    {
      g_ptr_array_add (children, type_schema (&members[i]));
      names[i] = members[i].name;
    }
  return procfun_schema_new_named (kind, n_members, names, (ProcfunSchema *const *)children->pdata);
}

ProcfunSchema *
type_schema (const ProcfunMember *member)
{
  g_autoptr (ProcfunSchema) child = NULL;
  ProcfunMember element;

  switch (member->kind)
    {
    case PROCFUN_KIND_STRUCT:
      return schema_named (PROCFUN_SCHEMA_STRUCT, member->info->members, member->info->n_members);
    case PROCFUN_KIND_ENUM:
      return schema_enum (member->info);
    case PROCFUN_KIND_ARRAY:
      element = type_element (member->info);
      child = type_schema (&element);
      return procfun_schema_new_array (child);
    default:
      return procfun_schema_new (G_VARIANT_TYPE (kind_get (member->kind)->type));
    }
}

gsize
type_count_kind (const ProcfunMember *args, gsize n_args, ProcfunKind kind)
{
  gsize n = 0;

  for (gsize i = 0; i < n_args; i++)
    n += args[i].kind == kind;
  return n;
}

/* No argument in C can have the name of the result. */
ProcfunSchema *
type_schema_result (const ProcfunMember *result, const ProcfunMember *args, gsize n_args)
{
  g_autofree ProcfunMember *members = NULL;
  gsize n = 0;

  if (type_count_kind (args, n_args, PROCFUN_KIND_BUFFER) == 0)
    return type_schema (result);
  members = g_new (ProcfunMember, n_args + 1);
  if (result->kind != PROCFUN_KIND_VOID)
    {
      members[n] = *result;
      members[n++].name = "return";
    }
  for (gsize i = 0; i < n_args; i++)
    if (args[i].kind == PROCFUN_KIND_BUFFER)
      members[n++] = args[i];
  return schema_named (PROCFUN_SCHEMA_STRUCT, members, n);
}

ProcfunSchema *
type_schema_arguments (const ProcfunMember *args, gsize n_args)
{
  return schema_named (PROCFUN_SCHEMA_ARGUMENTS, args, n_args);
}

/* A result has no name: the message then begins with the place inside it, or with the fault. */
void
type_place_error (const ProcfunMember *member, GError **error)
{
  char *message;

  if (member->name != NULL)
    g_prefix_error (error, "/%s", member->name);
  else if (error != NULL && g_str_has_prefix ((*error)->message, ": "))
    {
      message = (*error)->message;
      (*error)->message = g_strdup (message + strlen (": "));
      g_free (message);
    }
}
