/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type.h"

#include "procfun/base/intl.h"
#include "procfun/values/kind.h"
#include "procfun/values/type-plain.h"
#include <string.h>

static GVariant *encode (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds,
                         GError **error);

static GVariant *
encode_plain (const TypePlain *plain, gconstpointer const *values)
{
  guint8 *data = g_malloc0 (plain->size);

  type_plain_pack (plain, values, data);
  return g_variant_new_from_data (G_VARIANT_TYPE (plain->type), data, plain->size, TRUE, g_free,
                                  data);
}

static GVariant *
encode_tuple (const ProcfunMember *members, gsize n_members, gconstpointer const *values,
              GUnixFDList **fds, GError **error)
{
  GVariant **children = g_newa (GVariant *, n_members + 1);

  for (gsize i = 0; i < n_members; i++)
    if ((children[i] = encode (&members[i], values[i], fds, error)) == NULL)
      {
        kind_unref_all (children, i);
        g_prefix_error (error, "/%s", members[i].name);
        return NULL;
      }
  return g_variant_new_tuple (children, n_members);
}

static GVariant *
encode_struct (const ProcfunTypeInfo *info, gconstpointer value, GUnixFDList **fds, GError **error)
{
  gconstpointer *fields = g_newa (gconstpointer, info->n_members + 1);

  for (gsize i = 0; i < info->n_members; i++)
    fields[i] = (const guint8 *)value + info->members[i].offset;
  return encode_tuple (info->members, info->n_members, fields, fds, error);
}

/* An array whose elements are plain. */
static GVariant *
encode_plain_array (const TypePlain *plain, const guint8 *elements, gsize size, gsize length,
                    GError **error)
{
  g_autofree char *type = g_strconcat ("a", plain->type, NULL);
  guint8 *data = g_try_malloc0_n (length, plain->size);

  if (data == NULL)
    return kind_encode_error (error, _ ("is too long"));
  for (gsize i = 0; i < length; i++)
    {
      gconstpointer element = elements + i * size;

      type_plain_pack (plain, &element, data + i * plain->size);
    }
  return g_variant_new_from_data (G_VARIANT_TYPE (type), data, length * plain->size, TRUE, g_free,
                                  data);
}

static GVariant *
encode_array (const ProcfunTypeInfo *info, gconstpointer value, GUnixFDList **fds, GError **error)
{
  ProcfunMember element = type_element (info);
  g_autofree char *element_type = type_string (&element);
  g_autofree GVariant **children = NULL;
  TypeArray array;
  TypePlain plain;

  memcpy (&array, value, sizeof array);
  if (array.length == 0)
    return g_variant_new_array (G_VARIANT_TYPE (element_type), NULL, 0);
  if (array.data == NULL)
    return kind_encode_error (error, _ ("is NULL"));
  if (type_plain_init (&plain, &element))
    return encode_plain_array (&plain, array.data, info->element->size, array.length, error);

  children = g_try_new (GVariant *, array.length);
  if (children == NULL)
    return kind_encode_error (error, _ ("is too long"));
  for (gsize i = 0; i < array.length; i++)
    {
      children[i] = encode (&element, array.data + i * info->element->size, fds, error);
      if (children[i] == NULL)
        {
          kind_unref_all (children, i);
          kind_error_at_index (error, i);
          return NULL;
        }
    }
  return g_variant_new_array (G_VARIANT_TYPE (element_type), children, array.length);
}

static GVariant *
encode (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds, GError **error)
{
  const Kind *kind = kind_get (member->kind);
  TypePlain plain;

  if (kind->encode != NULL)
    return kind->encode (kind, value, fds, error);
  if (type_plain_init (&plain, member))
    return encode_plain (&plain, &value);
  return member->kind == PROCFUN_KIND_ARRAY ? encode_array (member->info, value, fds, error)
                                            : encode_struct (member->info, value, fds, error);
}

GVariant *
type_to_variant (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds,
                 GError **error)
{
  GVariant *variant = encode (member, value, fds, error);

  if (variant == NULL)
    type_place_error (member, error);
  return variant;
}

GVariant *
type_arguments_to_variant (const ProcfunMember *args, gsize n_args, gconstpointer const *values,
                           GUnixFDList **fds, GError **error)
{
  g_autoptr (GPtrArray) sunk = NULL;
  TypePlain plain;

  if (type_plain_init_tuple (&plain, args, n_args))
    return encode_plain (&plain, values);

  sunk = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  for (gsize i = 0; i < n_args; i++)
    {
      GVariant *variant
          = args[i].kind == PROCFUN_KIND_VARIANT ? *(GVariant *const *)values[i] : NULL;

      if (variant != NULL)
        g_ptr_array_add (sunk, g_variant_ref_sink (variant));
    }
  return encode_tuple (args, n_args, values, fds, error);
}
