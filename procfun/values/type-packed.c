/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type-packed.h"

#include "procfun/procfun-values.h"
#include "procfun/values/kind.h"
#include "procfun/values/serialised.h"
#include "procfun/values/type-plain.h"
#include "procfun/values/type.h"

gboolean
type_is_packable (const ProcfunMember *member)
{
  ProcfunMember element;

  switch (member->kind)
    {
    case PROCFUN_KIND_VARIANT:
    case PROCFUN_KIND_FD:
    case PROCFUN_KIND_FD_LIST:
    case PROCFUN_KIND_BUFFER:
    case PROCFUN_KIND_INPUT_STREAM:
      return FALSE;
    case PROCFUN_KIND_STRUCT:
      return type_are_packable (member->info->members, member->info->n_members);
    case PROCFUN_KIND_ARRAY:
      element = type_element (member->info);
      return type_is_packable (&element);
    default:
      return TRUE;
    }
}

gboolean
type_are_packable (const ProcfunMember *members, gsize n_members)
{
  for (gsize i = 0; i < n_members; i++)
    if (!type_is_packable (&members[i]))
      return FALSE;
  return TRUE;
}

/* Packing */

/* Ends of the children of a container, counted from its beginning. */
typedef struct
{
  gsize start;
  gsize *ends;
  gsize n;
} Offsets;

static void
note_end (Offsets *self, const Buffer *out)
{
  self->ends[self->n++] = out->length - self->start;
}

static gboolean
pack_string (const char *string, Buffer *out)
{
  gsize length;

  if (string == NULL)
    return FALSE;
  length = strlen (string);
  if (!g_utf8_validate_len (string, length, NULL))
    return FALSE;
  buffer_append (out, string, length + 1);
  return TRUE;
}

static gboolean
pack_maybe_string (const char *string, Buffer *out)
{
  if (string == NULL)
    return TRUE;
  if (!pack_string (string, out))
    return FALSE;
  buffer_append_byte (out, 0);
  return TRUE;
}

/* Arrays of no more elements need no memory of their own for the offsets. */
#define FEW 16

static gboolean
pack_strv (const char *const *strv, Buffer *out)
{
  gsize few[FEW];
  g_autofree gsize *many = NULL;
  Offsets offsets = { out->length, few, 0 };
  gsize length;

  if (strv == NULL)
    return FALSE;
  length = g_strv_length ((char **)strv);
  if (length > FEW)
    offsets.ends = many = g_new (gsize, length);
  for (gsize i = 0; i < length; i++)
    {
      if (!pack_string (strv[i], out))
        return FALSE;
      note_end (&offsets, out);
    }
  wire_serialised_append_offsets (out, offsets.start, offsets.ends, offsets.n, FALSE);
  return TRUE;
}

/* A variant refers to larger bytes, which are not copied before they are sent. */
#define PACKED_BYTES_MAX ((gsize)64 * 1024)

static gboolean
pack_bytes (GBytes *bytes, Buffer *out)
{
  gsize size;
  gconstpointer data;

  if (bytes == NULL || g_bytes_get_size (bytes) >= PACKED_BYTES_MAX)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  buffer_append (out, data, size);
  return TRUE;
}

static gboolean
pack_numbers (const Kind *kind, gconstpointer value, Buffer *out)
{
  ProcfunDoubles numbers;

  memcpy (&numbers, value, sizeof numbers);
  if ((numbers.data == NULL && numbers.length > 0) || numbers.length > G_MAXSSIZE / kind->element
      || (numbers.owner != NULL && numbers.length >= PACKED_BYTES_MAX / kind->element))
    return FALSE;
  buffer_append (out, numbers.data, numbers.length * kind->element);
  return TRUE;
}

static gboolean
pack_plain_elements (const TypePlain *plain, const TypeArray *array, gsize size, Buffer *out)
{
  guint8 *room;

  if (array->length > G_MAXSSIZE / plain->size)
    return FALSE;
  room = buffer_reserve (out, array->length * plain->size);
  memset (room, 0, array->length * plain->size);
  for (gsize i = 0; i < array->length; i++)
    {
      gconstpointer element = array->data + i * size;

      type_plain_pack (plain, &element, room + i * plain->size);
    }
  out->length += array->length * plain->size;
  return TRUE;
}

static gboolean
pack_array (const ProcfunTypeInfo *info, const ProcfunSchema *schema, gconstpointer value,
            Buffer *out)
{
  const ProcfunMember element = type_element (info);
  const ProcfunSchema *child = schema->children[0];
  g_autofree gsize *ends = NULL;
  Offsets offsets = { out->length, NULL, 0 };
  TypeArray array;
  TypePlain plain;

  memcpy (&array, value, sizeof array);
  if (array.length == 0)
    return TRUE;
  if (array.data == NULL)
    return FALSE;
  if (type_plain_init (&plain, &element))
    return pack_plain_elements (&plain, &array, info->element->size, out);
  if (child->fixed_size == 0)
    offsets.ends = ends = g_try_new (gsize, array.length);
  if (child->fixed_size == 0 && ends == NULL)
    return FALSE;
  for (gsize i = 0; i < array.length; i++)
    {
      buffer_align (out, child->alignment);
      if (!type_pack (&element, child, array.data + i * info->element->size, out))
        return FALSE;
      if (ends != NULL)
        note_end (&offsets, out);
    }
  wire_serialised_append_offsets (out, offsets.start, offsets.ends, offsets.n, FALSE);
  return TRUE;
}

/* The member @index of a struct or of arguments. */
static inline gboolean
pack_member (const ProcfunMember *member, const ProcfunSchema *schema, gsize index,
             gconstpointer value, Offsets *offsets, Buffer *out)
{
  const ProcfunSchema *child = schema->children[index];

  buffer_align (out, child->alignment);
  if (!type_pack (member, child, value, out))
    return FALSE;
  if (child->fixed_size == 0 && index + 1 < schema->n_children)
    note_end (offsets, out);
  return TRUE;
}

static inline void
end_members (const ProcfunSchema *schema, const Offsets *offsets, Buffer *out)
{
  if (schema->n_children == 0)
    buffer_append_byte (out, 0);
  else if (schema->fixed_size != 0)
    buffer_align (out, schema->alignment);
  else
    wire_serialised_append_offsets (out, offsets->start, offsets->ends, offsets->n, TRUE);
}

static gboolean
pack_struct (const ProcfunTypeInfo *info, const ProcfunSchema *schema, const guint8 *value,
             Buffer *out)
{
  Offsets offsets = { out->length, g_newa (gsize, schema->n_offsets + 1), 0 };

  for (gsize i = 0; i < schema->n_children; i++)
    if (!pack_member (&info->members[i], schema, i, value + info->members[i].offset, &offsets, out))
      return FALSE;
  end_members (schema, &offsets, out);
  return TRUE;
}

gboolean
type_pack (const ProcfunMember *member, const ProcfunSchema *schema, gconstpointer value,
           Buffer *out)
{
  const Kind *kind = kind_get (member->kind);

  if (kind->packed != 0)
    {
      type_plain_write (member->kind, kind->packed, value, buffer_reserve (out, kind->packed));
      out->length += kind->packed;
      return TRUE;
    }
  if (kind->element != 0)
    return pack_numbers (kind, value, out);
  switch (member->kind)
    {
    case PROCFUN_KIND_VOID:
      buffer_append_byte (out, 0);
      return TRUE;
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
      return pack_string (*(const char *const *)value, out);
    case PROCFUN_KIND_MAYBE_STRING:
      return pack_maybe_string (*(const char *const *)value, out);
    case PROCFUN_KIND_STRV:
      return pack_strv (*(const char *const *const *)value, out);
    case PROCFUN_KIND_BYTES:
      return pack_bytes (*(GBytes *const *)value, out);
    case PROCFUN_KIND_STRUCT:
      return pack_struct (member->info, schema, value, out);
    case PROCFUN_KIND_ARRAY:
      return pack_array (member->info, schema, value, out);
    default:
      return FALSE;
    }
}

gboolean
type_pack_arguments (const ProcfunMember *args, const ProcfunSchema *schema,
                     gconstpointer const *values, Buffer *out)
{
  Offsets offsets = { out->length, g_newa (gsize, schema->n_offsets + 1), 0 };

  for (gsize i = 0; i < schema->n_children; i++)
    if (!pack_member (&args[i], schema, i, values[i], &offsets, out))
      return FALSE;
  end_members (schema, &offsets, out);
  return TRUE;
}

/* Unpacking */

/* A part of the serialised form. */
typedef struct
{
  const guint8 *data;
  gsize size;
  GBytes *owner; /* (nullable) */
} Part;

static gboolean unpack (const ProcfunMember *member, const ProcfunSchema *schema, const Part *part,
                        gpointer value);

static gboolean
unpack_string (const guint8 *data, gsize size, char **string)
{
  if (size == 0 || data[size - 1] != 0 || !g_utf8_validate_len ((const char *)data, size - 1, NULL))
    return FALSE;
  *string = g_memdup2 (data, size);
  return TRUE;
}

static gboolean
unpack_maybe_string (const Part *part, char **string)
{
  return part->size == 0
         || (part->data[part->size - 1] == 0 && unpack_string (part->data, part->size - 1, string));
}

static gboolean
unpack_strv (const ProcfunSchema *schema, const Part *part, GStrv *strv)
{
  SerialisedIter iter;
  const guint8 *data;
  gsize size;

  if (!wire_serialised_iter_init (&iter, schema, part->data, part->size))
    return FALSE;
  *strv = g_try_new0 (char *, iter.n_children + 1);
  if (*strv == NULL)
    return FALSE;
  while (iter.index < iter.n_children)
    if (!wire_serialised_iter_next (&iter, &data, &size)
        || !unpack_string (data, size, &(*strv)[iter.index - 1]))
      return FALSE;
  return wire_serialised_iter_end (&iter);
}

static GBytes *
share (const Part *part, gsize alignment)
{
  const guint8 *start = part->owner != NULL ? g_bytes_get_data (part->owner, NULL) : NULL;

  if (start != NULL && part->size > 0 && (gsize)part->data % alignment == 0)
    return g_bytes_new_from_bytes (part->owner, (gsize)(part->data - start), part->size);
  return g_bytes_new (part->data, part->size);
}

static gboolean
unpack_numbers (const Kind *kind, const Part *part, gpointer value)
{
  ProcfunDoubles numbers = { NULL, part->size / kind->element, NULL };

  if (part->size % kind->element != 0)
    return FALSE;
  numbers.owner = share (part, kind->element);
  numbers.data = g_bytes_get_data (numbers.owner, NULL);
  memcpy (value, &numbers, sizeof numbers);
  return TRUE;
}

static gboolean
unpack_plain_elements (const TypePlain *plain, const ProcfunSchema *schema, const Part *part,
                       gsize size, TypeArray *array)
{
  gsize length = part->size / plain->size;

  if (!wire_serialised_is_normal (schema, part->data, part->size))
    return FALSE;
  array->data = length > 0 ? g_try_malloc0_n (length, size) : NULL;
  if (array->data == NULL)
    return length == 0;
  for (; array->length < length; array->length++)
    {
      gpointer value = array->data + array->length * size;

      if (!type_plain_unpack (plain, part->data + array->length * plain->size, &value))
        return FALSE;
    }
  return TRUE;
}

/* An element that fails belongs to the array, too, which frees what it has. */
static gboolean
unpack_elements (const ProcfunMember *element, const ProcfunSchema *schema, const Part *part,
                 gsize size, TypeArray *array)
{
  SerialisedIter iter;

  if (!wire_serialised_iter_init (&iter, schema, part->data, part->size))
    return FALSE;
  array->data = iter.n_children > 0 ? g_try_malloc0_n (iter.n_children, size) : NULL;
  if (array->data == NULL)
    return iter.n_children == 0;
  while (iter.index < iter.n_children)
    {
      Part inside = { NULL, 0, part->owner };

      if (!wire_serialised_iter_next (&iter, &inside.data, &inside.size))
        return FALSE;
      array->length++;
      if (!unpack (element, schema->children[0], &inside, array->data + (array->length - 1) * size))
        return FALSE;
    }
  return wire_serialised_iter_end (&iter);
}

static gboolean
unpack_array (const ProcfunTypeInfo *info, const ProcfunSchema *schema, const Part *part,
              gpointer value)
{
  const ProcfunMember element = type_element (info);
  const gsize size = info->element->size;
  TypeArray array = { NULL, 0 };
  TypePlain plain;
  gboolean ok = type_plain_init (&plain, &element)
                    ? unpack_plain_elements (&plain, schema, part, size, &array)
                    : unpack_elements (&element, schema, part, size, &array);

  memcpy (value, &array, sizeof array);
  return ok;
}

/* The next member of a struct or of arguments. */
static inline gboolean
unpack_member (SerialisedIter *iter, const ProcfunMember *member, GBytes *owner, gpointer value)
{
  const ProcfunSchema *child = iter->schema->children[iter->index];
  Part part = { NULL, 0, owner };

  return wire_serialised_iter_next (iter, &part.data, &part.size)
         && unpack (member, child, &part, value);
}

static gboolean
unpack_struct (const ProcfunTypeInfo *info, const ProcfunSchema *schema, const Part *part,
               guint8 *value)
{
  SerialisedIter iter;

  if (!wire_serialised_iter_init (&iter, schema, part->data, part->size))
    return FALSE;
  for (gsize i = 0; i < iter.n_children; i++)
    if (!unpack_member (&iter, &info->members[i], part->owner, value + info->members[i].offset))
      return FALSE;
  return wire_serialised_iter_end (&iter);
}

static gboolean
unpack_arguments (const ProcfunMember *args, const ProcfunSchema *schema, const Part *part,
                  gpointer const *values)
{
  SerialisedIter iter;

  if (!wire_serialised_iter_init (&iter, schema, part->data, part->size))
    return FALSE;
  for (gsize i = 0; i < iter.n_children; i++)
    if (!unpack_member (&iter, &args[i], part->owner, values[i]))
      return FALSE;
  return wire_serialised_iter_end (&iter);
}

static gboolean
unpack_plain (const ProcfunMember *member, const Kind *kind, const Part *part, gpointer value)
{
  const gboolean is_boolean
      = member->kind == PROCFUN_KIND_GBOOLEAN || member->kind == PROCFUN_KIND_BOOL;

  return part->size == kind->packed && !(is_boolean && *part->data > 1)
         && type_plain_read (member->kind, kind->packed, part->data, value);
}

/* Writes to a value after type_init(), which on failure is to be cleared. */
static gboolean
unpack (const ProcfunMember *member, const ProcfunSchema *schema, const Part *part, gpointer value)
{
  const Kind *kind = kind_get (member->kind);

  if (kind->packed != 0)
    return unpack_plain (member, kind, part, value);
  if (kind->element != 0)
    return unpack_numbers (kind, part, value);
  switch (member->kind)
    {
    case PROCFUN_KIND_VOID:
      return part->size == 1 && *part->data == 0;
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
      return unpack_string (part->data, part->size, value);
    case PROCFUN_KIND_MAYBE_STRING:
      return unpack_maybe_string (part, value);
    case PROCFUN_KIND_STRV:
      return unpack_strv (schema, part, value);
    case PROCFUN_KIND_BYTES:
      *(GBytes **)value = share (part, 1);
      return TRUE;
    case PROCFUN_KIND_STRUCT:
      return unpack_struct (member->info, schema, part, value);
    case PROCFUN_KIND_ARRAY:
      return unpack_array (member->info, schema, part, value);
    default:
      return FALSE;
    }
}

/* Pointers to no bytes may be NULL, which cannot be counted from. */
static const guint8 nothing[1];

gboolean
type_unpack (const ProcfunMember *member, const ProcfunSchema *schema, const guint8 *data,
             gsize size, GBytes *owner, gpointer value)
{
  const Part part = { data != NULL ? data : nothing, size, owner };

  type_init (member, value);
  if (unpack (member, schema, &part, value))
    return TRUE;
  type_clear (member, value);
  return FALSE;
}

gboolean
type_unpack_arguments (const ProcfunMember *args, const ProcfunSchema *schema, const guint8 *data,
                       gsize size, GBytes *owner, gpointer const *values)
{
  const Part part = { data != NULL ? data : nothing, size, owner };

  for (gsize i = 0; i < schema->n_children; i++)
    type_init (&args[i], values[i]);
  if (unpack_arguments (args, schema, &part, values))
    return TRUE;
  for (gsize i = 0; i < schema->n_children; i++)
    type_clear (&args[i], values[i]);
  return FALSE;
}
