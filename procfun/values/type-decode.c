/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-values.h"
#include "procfun/values/type-private.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static gboolean decode (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds,
                        gpointer value, GError **error);

/* The place is put before it by those who know, on the way back. */
G_GNUC_PRINTF (2, 3)
static gboolean
fail (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, ": %s", what);
  return FALSE;
}

static gboolean
fail_at_index (GError **error, gsize index)
{
  g_prefix_error (error, "/%" G_GSIZE_FORMAT, index);
  return FALSE;
}

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

/* A descriptor of 0 is one that nobody has set, in a struct of zeroes; decode_fd() makes none. */
static void
clear_fd (ProcfunFd fd)
{
  if (fd > 0)
    close (fd);
}

static void
clear_numbers (gconstpointer value)
{
  ProcfunDoubles numbers;

  memcpy (&numbers, value, sizeof numbers);
  g_clear_pointer (&numbers.owner, g_bytes_unref);
}

void
type_clear (const ProcfunMember *member, gpointer value)
{
  switch (member->kind)
    {
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
    case PROCFUN_KIND_MAYBE_STRING:
      g_free (*(char **)value);
      break;
    case PROCFUN_KIND_STRV:
      g_strfreev (*(GStrv *)value);
      break;
    case PROCFUN_KIND_BYTES:
      g_clear_pointer ((GBytes **)value, g_bytes_unref);
      break;
    case PROCFUN_KIND_VARIANT:
      g_clear_pointer ((GVariant **)value, g_variant_unref);
      break;
    case PROCFUN_KIND_FD:
      clear_fd (*(ProcfunFd *)value);
      break;
    case PROCFUN_KIND_FD_LIST:
      g_clear_object ((GUnixFDList **)value);
      break;
    case PROCFUN_KIND_STRUCT:
      clear_struct (member->info, value);
      return;
    case PROCFUN_KIND_ARRAY:
      clear_array (member->info, value);
      break;
    default:
      if (type_number_size (member->kind) > 0)
        clear_numbers (value);
    }
  type_init (member, value);
}

static char *
decode_maybe_string (GVariant *variant)
{
  g_autoptr (GVariant) child = g_variant_get_maybe (variant);

  return child != NULL ? g_variant_dup_string (child, NULL) : NULL;
}

/* The descriptor that an `h` means, which stays @fds's; -1 if there is none. */
static int
find_fd (GVariant *variant, GUnixFDList *fds, GError **error)
{
  int index = g_variant_get_handle (variant);
  int length = 0;
  const int *numbers = fds != NULL ? g_unix_fd_list_peek_fds (fds, &length) : NULL;

  if (index >= 0 && index < length)
    return numbers[index];
  fail (error, _ ("there is no file descriptor %d, of %d that were passed"), index, length);
  return -1;
}

static gboolean
decode_fd (GVariant *variant, GUnixFDList *fds, ProcfunFd *value, GError **error)
{
  int fd = find_fd (variant, fds, error);

  if (fd < 0)
    return FALSE;
  *value = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return *value >= 0 || fail (error, _ ("can't take a file descriptor: %s"), g_strerror (errno));
}

static gboolean
decode_fd_list (GVariant *variant, GUnixFDList *fds, GUnixFDList **value, GError **error)
{
  gsize length = g_variant_n_children (variant);
  g_autoptr (GError) local_error = NULL;

  *value = g_unix_fd_list_new ();
  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      int fd = find_fd (child, fds, error);

      if (fd < 0)
        return fail_at_index (error, i);
      if (g_unix_fd_list_append (*value, fd, &local_error) < 0)
        return fail (error, _ ("can't take a file descriptor: %s"), local_error->message);
    }
  return TRUE;
}

/* In place, unless the memory is not aligned as C needs it. */
static void
decode_numbers (guint32 kind, GVariant *variant, gpointer value)
{
  ProcfunDoubles numbers = { NULL, 0, g_variant_get_data_as_bytes (variant) };
  gsize number_size = type_number_size (kind);
  gsize size;
  gconstpointer data = g_bytes_get_data (numbers.owner, &size);

  if ((gsize)data % number_size != 0)
    {
      g_bytes_unref (numbers.owner);
      numbers.owner = g_bytes_new (data, size);
      data = g_bytes_get_data (numbers.owner, NULL);
    }
  numbers.data = data;
  numbers.length = size / number_size;
  memcpy (value, &numbers, sizeof numbers);
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

/* As type_from_variant(), but for the place. */
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

/* On failure the array has the elements before. */
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
    return fail (error, _ ("is too long"));

  for (; array->length < length; array->length++)
    {
      guint8 *value = array->data + array->length * size;
      g_autoptr (GVariant) child = NULL;

      if (data != NULL && type_plain_unpack (&plain, data + array->length * plain.size, value))
        continue;
      child = g_variant_get_child_value (variant, array->length);
      if (!decode_whole (element, child, fds, value, error))
        return fail_at_index (error, array->length);
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

  /* GVariant has no data for what is not in normal form, and means zeroes. */
  if (data == NULL || type_plain_unpack (plain, data, value))
    return TRUE;
  if (member->kind == PROCFUN_KIND_STRUCT)
    return decode_struct (member->info, variant, fds, value, error);
  return fail (error, _ ("%g is out of range for a float"), g_variant_get_double (variant));
}

/* Into a value that type_init() has seen. On failure it may be written in part. */
static gboolean
decode (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds, gpointer value,
        GError **error)
{
  TypePlain plain;

  if (type_plain_init (&plain, member))
    return decode_plain (&plain, member, variant, fds, value, error);

  switch (member->kind)
    {
    case PROCFUN_KIND_VOID:
      return TRUE;
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
      *(char **)value = g_variant_dup_string (variant, NULL);
      return TRUE;
    case PROCFUN_KIND_MAYBE_STRING:
      *(char **)value = decode_maybe_string (variant);
      return TRUE;
    case PROCFUN_KIND_STRV:
      *(GStrv *)value = g_variant_dup_strv (variant, NULL);
      return TRUE;
    case PROCFUN_KIND_BYTES:
      *(GBytes **)value = g_variant_get_data_as_bytes (variant);
      return TRUE;
    case PROCFUN_KIND_VARIANT:
      *(GVariant **)value = g_variant_get_variant (variant);
      return TRUE;
    case PROCFUN_KIND_FD:
      return decode_fd (variant, fds, value, error);
    case PROCFUN_KIND_FD_LIST:
      return decode_fd_list (variant, fds, value, error);
    case PROCFUN_KIND_STRUCT:
      return decode_struct (member->info, variant, fds, value, error);
    case PROCFUN_KIND_ARRAY:
      return decode_array (member->info, variant, fds, value, error);
    default:
      decode_numbers (member->kind, variant, value);
      return TRUE;
    }
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
