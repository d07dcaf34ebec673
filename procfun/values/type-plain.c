/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/type-plain.h"

#include "procfun/values/kind.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* 0 if it is not plain. */
static gsize
alignment_of (const ProcfunMember *member)
{
  gsize alignment = 0;

  if (member->kind != PROCFUN_KIND_STRUCT)
    return kind_get (member->kind)->packed;

  for (gsize i = 0; i < member->info->n_members; i++)
    {
      gsize of_field = alignment_of (&member->info->members[i]);

      if (of_field == 0)
        return 0;
      alignment = MAX (alignment, of_field);
    }
  return alignment;
}

/* @alignment is a power of two. */
static gsize
align (gsize offset, gsize alignment)
{
  return (offset + alignment - 1) & ~(alignment - 1);
}

static gboolean
add_type (TypePlain *self, char type)
{
  if (self->type_length + 2 > sizeof self->type)
    return FALSE;
  self->type[self->type_length++] = type;
  self->type[self->type_length] = '\0';
  return TRUE;
}

static gboolean
add (TypePlain *self, const ProcfunMember *member, gsize source, gsize from)
{
  gsize alignment = alignment_of (member);
  const ProcfunTypeInfo *info = member->info;

  if (alignment == 0)
    return FALSE;

  self->size = align (self->size, alignment);
  if (member->kind == PROCFUN_KIND_STRUCT)
    {
      if (!add_type (self, '('))
        return FALSE;
      for (gsize i = 0; i < info->n_members; i++)
        if (!add (self, &info->members[i], source, from + info->members[i].offset))
          return FALSE;
      self->size = align (self->size, alignment);
      return add_type (self, ')');
    }

  if (self->n_fields == G_N_ELEMENTS (self->fields))
    return FALSE;
  self->fields[self->n_fields++]
      = (TypePlainField){ member->kind, alignment, source, from, self->size };
  self->size += alignment;
  return add_type (self, *kind_get (member->kind)->type);
}

gboolean
type_plain_init (TypePlain *self, const ProcfunMember *member)
{
  self->size = self->n_fields = self->type_length = 0;
  return add (self, member, 0, 0);
}

gboolean
type_plain_init_tuple (TypePlain *self, const ProcfunMember *members, gsize n_members)
{
  gsize alignment = 1;

  self->size = self->n_fields = self->type_length = 0;
  add_type (self, '(');
  for (gsize i = 0; i < n_members; i++)
    {
      if (!add (self, &members[i], i, 0))
        return FALSE;
      alignment = MAX (alignment, alignment_of (&members[i]));
    }
  self->size = align (self->size, alignment);
  return n_members > 0 && add_type (self, ')');
}

TypePlain *
type_plain_new (const ProcfunMember *member)
{
  TypePlain plain;

  return type_plain_init (&plain, member) ? g_memdup2 (&plain, sizeof plain) : NULL;
}

TypePlain *
type_plain_new_tuple (const ProcfunMember *members, gsize n_members)
{
  TypePlain plain;

  return type_plain_init_tuple (&plain, members, n_members) ? g_memdup2 (&plain, sizeof plain)
                                                            : NULL;
}

/* Each size is a constant here, so that the compiler makes moves of the calls. */
static void
copy (guint8 *to, const guint8 *from, gsize size)
{
  switch (size)
    {
    case 1:
      *to = *from;
      break;
    case 2:
      memcpy (to, from, 2);
      break;
    case 4:
      memcpy (to, from, 4);
      break;
    default:
      memcpy (to, from, 8);
    }
}

void
type_plain_write (guint kind, gsize size, const guint8 *from, guint8 *to)
{
  gboolean truth;
  float number;
  double wide;

  switch (kind)
    {
    case PROCFUN_KIND_GBOOLEAN:
      memcpy (&truth, from, sizeof truth);
      *to = truth != FALSE;
      break;
    case PROCFUN_KIND_BOOL:
      *to = *from != 0;
      break;
    case PROCFUN_KIND_FLOAT:
      memcpy (&number, from, sizeof number);
      wide = number;
      memcpy (to, &wide, sizeof wide);
      break;
    default:
      copy (to, from, size);
    }
}

gboolean
type_plain_read (guint kind, gsize size, const guint8 *from, guint8 *to)
{
  gboolean truth;
  float number;
  double wide;

  switch (kind)
    {
    case PROCFUN_KIND_GBOOLEAN:
      truth = *from != 0;
      memcpy (to, &truth, sizeof truth);
      break;
    case PROCFUN_KIND_BOOL:
      *to = *from != 0;
      break;
    case PROCFUN_KIND_FLOAT:
      memcpy (&wide, from, sizeof wide);
      if (isfinite (wide) && fabs (wide) > FLT_MAX)
        return FALSE;
      number = wide;
      memcpy (to, &number, sizeof number);
      break;
    default:
      copy (to, from, size);
    }
  return TRUE;
}

void
type_plain_pack (const TypePlain *self, gconstpointer const *values, guint8 *data)
{
  for (gsize i = 0; i < self->n_fields; i++)
    {
      const TypePlainField *field = &self->fields[i];

      type_plain_write (field->kind, field->size,
                        (const guint8 *)values[field->source] + field->from, data + field->to);
    }
}

gboolean
type_plain_unpack (const TypePlain *self, const guint8 *data, gpointer const *values)
{
  for (gsize i = 0; i < self->n_fields; i++)
    {
      const TypePlainField *field = &self->fields[i];

      if (!type_plain_read (field->kind, field->size, data + field->to,
                            (guint8 *)values[field->source] + field->from))
        return FALSE;
    }
  return TRUE;
}
