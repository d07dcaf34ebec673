/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-values.h"
#include "procfun/values/type-private.h"
#include <string.h>

static GVariant *encode (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds,
                         GError **error);

/* The place is put before it by those who know, on the way back. */
static gpointer
fail (GError **error, const char *what)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, ": %s", what);
  return NULL;
}

static gpointer
fail_at_index (GError **error, gsize index)
{
  g_prefix_error (error, "/%" G_GSIZE_FORMAT, index);
  return NULL;
}

static void
unref_all (GVariant **children, gsize n_children)
{
  for (gsize i = 0; i < n_children; i++)
    g_variant_unref (children[i]);
}

static GVariant *
encode_string (const char *string, GError **error)
{
  gsize length;
  char *copy;

  if (string == NULL)
    return fail (error, _ ("is NULL"));
  length = strlen (string);
  if (!g_utf8_validate (string, length, NULL))
    return fail (error, _ ("is not valid UTF-8"));

  /* g_variant_new_string() would validate it again. */
  copy = g_memdup2 (string, length + 1);
  return g_variant_new_from_data (G_VARIANT_TYPE_STRING, copy, length + 1, TRUE, g_free, copy);
}

static GVariant *
encode_maybe_string (const char *string, GError **error)
{
  GVariant *child = NULL;

  if (string != NULL && (child = encode_string (string, error)) == NULL)
    return NULL;
  return g_variant_new_maybe (G_VARIANT_TYPE_STRING, child);
}

static GVariant *
encode_strv (GStrv strv, GError **error)
{
  g_autofree GVariant **children = NULL;
  gsize length;

  if (strv == NULL)
    return fail (error, _ ("is NULL"));

  length = g_strv_length (strv);
  children = g_new (GVariant *, length);
  for (gsize i = 0; i < length; i++)
    if ((children[i] = encode_string (strv[i], error)) == NULL)
      {
        unref_all (children, i);
        return fail_at_index (error, i);
      }
  return g_variant_new_array (G_VARIANT_TYPE_STRING, children, length);
}

static GVariant *
encode_bytes (GBytes *bytes, GError **error)
{
  if (bytes == NULL)
    return fail (error, _ ("is NULL"));
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static GVariant *
encode_variant (GVariant *variant, GError **error)
{
  if (variant == NULL)
    return fail (error, _ ("is NULL"));

  /* If it is floating, the box sinks this reference, and the holder of the value keeps the first.
   */
  if (g_variant_is_floating (variant))
    g_variant_ref (variant);
  return g_variant_new_variant (variant);
}

static GVariant *
encode_fd (ProcfunFd fd, GUnixFDList **fds, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *what = NULL;
  int index;

  if (*fds == NULL)
    *fds = g_unix_fd_list_new ();
  index = fd < 0 ? -1 : g_unix_fd_list_append (*fds, fd, &local_error);
  if (index >= 0)
    return g_variant_new_handle (index);

  if (local_error == NULL)
    what = g_strdup_printf (_ ("%d is no file descriptor"), fd);
  else
    what = g_strdup_printf (_ ("can't pass file descriptor %d: %s"), fd, local_error->message);
  return fail (error, what);
}

static GVariant *
encode_fd_list (GUnixFDList *list, GUnixFDList **fds, GError **error)
{
  g_autofree GVariant **children = NULL;
  const int *numbers;
  int length;

  if (list == NULL)
    return fail (error, _ ("is NULL"));

  numbers = g_unix_fd_list_peek_fds (list, &length);
  children = g_new (GVariant *, length);
  for (int i = 0; i < length; i++)
    if ((children[i] = encode_fd (numbers[i], fds, error)) == NULL)
      {
        unref_all (children, i);
        return fail_at_index (error, i);
      }
  return g_variant_new_array (G_VARIANT_TYPE_HANDLE, children, length);
}

/* The bytes of an array: a part of what owns them, or a copy. */
static GBytes *
numbers_get_bytes (const ProcfunDoubles *numbers, gsize size)
{
  gsize owned = 0;
  const guint8 *start = numbers->owner != NULL ? g_bytes_get_data (numbers->owner, &owned) : NULL;
  const guint8 *data = (const guint8 *)numbers->data;

  if (start != NULL && data >= start && size <= owned && (gsize)(data - start) <= owned - size)
    return g_bytes_new_from_bytes (numbers->owner, data - start, size);
  return g_bytes_new (data, size);
}

/* The arrays of numbers are alike but for the type of their data. */
static GVariant *
encode_numbers (const ProcfunMember *member, gconstpointer value, GError **error)
{
  g_autofree char *type = type_string (member);
  g_autoptr (GBytes) bytes = NULL;
  gsize number_size = type_number_size (member->kind);
  ProcfunDoubles numbers;

  memcpy (&numbers, value, sizeof numbers);
  if (numbers.data == NULL && numbers.length > 0)
    return fail (error, _ ("is NULL"));
  if (numbers.length > G_MAXSSIZE / number_size)
    return fail (error, _ ("is too long"));

  bytes = numbers_get_bytes (&numbers, numbers.length * number_size);
  return g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, TRUE);
}

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
  GVariant **children = g_newa (GVariant *, n_members);

  for (gsize i = 0; i < n_members; i++)
    if ((children[i] = encode (&members[i], values[i], fds, error)) == NULL)
      {
        unref_all (children, i);
        g_prefix_error (error, "/%s", members[i].name);
        return NULL;
      }
  return g_variant_new_tuple (children, n_members);
}

static GVariant *
encode_struct (const ProcfunTypeInfo *info, gconstpointer value, GUnixFDList **fds, GError **error)
{
  gconstpointer *fields = g_newa (gconstpointer, info->n_members);

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
    return fail (error, _ ("is too long"));
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
    return fail (error, _ ("is NULL"));
  if (type_plain_init (&plain, &element))
    return encode_plain_array (&plain, array.data, info->element->size, array.length, error);

  children = g_try_new (GVariant *, array.length);
  if (children == NULL)
    return fail (error, _ ("is too long"));
  for (gsize i = 0; i < array.length; i++)
    {
      children[i] = encode (&element, array.data + i * info->element->size, fds, error);
      if (children[i] == NULL)
        {
          unref_all (children, i);
          return fail_at_index (error, i);
        }
    }
  return g_variant_new_array (G_VARIANT_TYPE (element_type), children, array.length);
}

static GVariant *
encode (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds, GError **error)
{
  TypePlain plain;

  if (type_plain_init (&plain, member))
    return encode_plain (&plain, &value);

  switch (member->kind)
    {
    case PROCFUN_KIND_VOID:
      return g_variant_new_tuple (NULL, 0);
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
      return encode_string (*(const char *const *)value, error);
    case PROCFUN_KIND_MAYBE_STRING:
      return encode_maybe_string (*(const char *const *)value, error);
    case PROCFUN_KIND_STRV:
      return encode_strv (*(const GStrv *)value, error);
    case PROCFUN_KIND_BYTES:
      return encode_bytes (*(GBytes *const *)value, error);
    case PROCFUN_KIND_VARIANT:
      return encode_variant (*(GVariant *const *)value, error);
    case PROCFUN_KIND_FD:
      return encode_fd (*(const ProcfunFd *)value, fds, error);
    case PROCFUN_KIND_FD_LIST:
      return encode_fd_list (*(GUnixFDList *const *)value, fds, error);
    case PROCFUN_KIND_STRUCT:
      return encode_struct (member->info, value, fds, error);
    case PROCFUN_KIND_ARRAY:
      return encode_array (member->info, value, fds, error);
    default:
      return encode_numbers (member, value, error);
    }
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

GBytes *
type_arguments_to_bytes (const ProcfunMember *args, gsize n_args, gconstpointer const *values)
{
  TypePlain plain;
  guint8 *data;

  if (!type_plain_init_tuple (&plain, args, n_args))
    return NULL;
  data = g_malloc (plain.size);
  memset (data, 0, plain.size);
  type_plain_pack (&plain, values, data);
  return g_bytes_new_take (data, plain.size);
}
