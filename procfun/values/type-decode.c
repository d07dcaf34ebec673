/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-values.h"
#include "procfun/values/kind.h"
#include "procfun/values/type-plain.h"
#include <string.h>

static gboolean decode (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds,
                        gpointer value, GError **error);

static void
init_struct (const ProcfunTypeInfo *info, guint8 *value)
{
  for (gsize i = 0; i < info->n_members; i++)
    type_init (&info->members[i], value + info->members[i].offset);
}

void
type_init (const ProcfunMember *member, gpointer value)
{
  if (member->kind == PROCFUN_KIND_VOID)
    return;

  memset (value, 0, type_size (member));
  if (member->kind == PROCFUN_KIND_STRUCT)
    init_struct (member->info, value);
  else if (member->kind == PROCFUN_KIND_FD)
    *(ProcfunFd *)value = -1;
}

static void
clear_struct (const ProcfunTypeInfo *info, guint8 *value)
{
  for (gsize i = 0; i < info->n_members; i++)
    type_clear (&info->members[i], value + info->members[i].offset);
}

static void
clear_array (const ProcfunTypeInfo *info, gconstpointer value)
{
  ProcfunMember element = type_element (info);
  TypeArray array;
  TypePlain plain;

  memcpy (&array, value, sizeof array);
  if (!type_plain_init (&plain, &element))
    for (gsize i = 0; i < array.length; i++)
      type_clear (&element, array.data + i * info->element->size);
  g_free (array.data);
}

void
type_clear (const ProcfunMember *member, gpointer value)
{
  const Kind *kind = kind_get (member->kind);

  if (kind->clear != NULL)
    kind->clear (value);
  else if (member->kind == PROCFUN_KIND_ARRAY)
    clear_array (member->info, value);
  else if (member->kind == PROCFUN_KIND_STRUCT)
    {
      clear_struct (member->info, value);
      return;
    }
  type_init (member, value);
}

static gboolean
decode_struct (const ProcfunTypeInfo *info, GVariant *variant, GUnixFDList *fds, guint8 *value,
               GError **error)
{
  for (gsize i = 0; i < info->n_members; i++)
    {
      const ProcfunMember *field = &info->members[i];
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);

      if (!decode (field, child, fds, value + field->offset, error))
        {
          g_prefix_error (error, "/%s", field->name);
          return FALSE;
        }
    }
  return TRUE;
}

/* Like type_from_variant(), but without the place in the error. */
static gboolean
decode_whole (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds, gpointer value,
              GError **error)
{
  type_init (member, value);
  if (decode (member, variant, fds, value, error))
    return TRUE;
  type_clear (member, value);
  return FALSE;
}

/* On failure the array has the elements before the faulty one. */
static gboolean
decode_elements (const ProcfunMember *element, GVariant *variant, GUnixFDList *fds,
                 TypeArray *array, GError **error)
{
  gsize length = g_variant_n_children (variant);
  gsize size = type_size (element);
  TypePlain plain;
  gboolean is_plain = type_plain_init (&plain, element);
  const guint8 *data = is_plain ? g_variant_get_data (variant) : NULL;

  array->data = length > 0 ? g_try_malloc0_n (length, size) : NULL;
  if (array->data == NULL && length > 0)
    return kind_decode_error (error, _ ("is too long"));

  for (; array->length < length; array->length++)
    {
      gpointer value = array->data + array->length * size;
      g_autoptr (GVariant) child = NULL;

      if (data != NULL && type_plain_unpack (&plain, data + array->length * plain.size, &value))
        continue;
      child = g_variant_get_child_value (variant, array->length);
      if (!decode_whole (element, child, fds, value, error))
        {
          kind_error_at_index (error, array->length);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
decode_array (const ProcfunTypeInfo *info, GVariant *variant, GUnixFDList *fds, gpointer value,
              GError **error)
{
  ProcfunMember element = type_element (info);
  TypeArray array = { NULL, 0 };
  gboolean success = decode_elements (&element, variant, fds, &array, error);

  memcpy (value, &array, sizeof array);
  return success;
}

static gboolean
decode_plain (const TypePlain *plain, const ProcfunMember *member, GVariant *variant,
              GUnixFDList *fds, gpointer value, GError **error)
{
  const guint8 *data = g_variant_get_data (variant);

  /* GVariant has no data for a value that is not in normal form; it stands for zeroes. */
  if (data == NULL || type_plain_unpack (plain, data, &value))
    return TRUE;
  if (member->kind == PROCFUN_KIND_STRUCT)
    return decode_struct (member->info, variant, fds, value, error);
  return kind_decode_error (error, _ ("%g is out of range for a float"),
                            g_variant_get_double (variant));
}

/* Writes to a value after type_init(). On failure it may be written in part. */
static gboolean
decode (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds, gpointer value,
        GError **error)
{
  const Kind *kind = kind_get (member->kind);
  TypePlain plain;

  if (kind->decode != NULL)
    return kind->decode (kind, variant, fds, value, error);
  if (type_plain_init (&plain, member))
    return decode_plain (&plain, member, variant, fds, value, error);
  return member->kind == PROCFUN_KIND_ARRAY
             ? decode_array (member->info, variant, fds, value, error)
             : decode_struct (member->info, variant, fds, value, error);
}

gboolean
type_from_variant (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds, gpointer value,
                   GError **error)
{
  if (decode_whole (member, variant, fds, value, error))
    return TRUE;
  type_place_error (member, error);
  return FALSE;
}
