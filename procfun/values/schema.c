/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/schema.h"

/**
 * SECTION:procfun-schema
 * @title: ProcfunSchema
 * @short_description: the description of a value
 *
 * The description of a value: a GVariant type with the names of its fields and the nicks of its
 * enumerations. Immutable, and safe to share between threads.
 */

/**
 * ProcfunSchema:
 *
 * The description of a value: a GVariant type with the names of its fields and the nicks of its
 * enumerations. Immutable, and safe to share between threads.
 *
 * A #ProcfunSchema describes a value: its GVariant type, the names of fields and arguments, and the
 * nicks of enumerations. Codecs use it; so JSON can say `{"x": 1.5, "y": 2.0}` for a `(dd)`.
 *
 * Schemas are immutable and can be shared between threads. The schema of a container owns the
 * schemas of its contents, so a schema from procfun_schema_get_child() lives at least as long as
 * its parent.
 *
 * Since: 0.1
 */

G_DEFINE_BOXED_TYPE (ProcfunSchema, procfun_schema, procfun_schema_ref, procfun_schema_unref)

G_DEFINE_ENUM_TYPE (ProcfunSchemaKind, procfun_schema_kind,
                    G_DEFINE_ENUM_VALUE (PROCFUN_SCHEMA_PLAIN, "plain"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SCHEMA_STRUCT, "struct"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SCHEMA_ARGUMENTS, "arguments"),
                    G_DEFINE_ENUM_VALUE (PROCFUN_SCHEMA_ENUM, "enum"))

/* Basic types and `v` are never allocated, counted or freed. */
#define LEAF(c, size, align, normal)                                                               \
  [c - 'a'] = { .type_class = c,                                                                   \
                .alignment = align,                                                                \
                .all_normal = normal,                                                              \
                .has_variants = c == 'v',                                                          \
                .depth = 1,                                                                        \
                .fixed_size = size,                                                                \
                .type = (const GVariantType *)&leaf_types[(c - 'a') * 2] }

static const char leaf_types[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q\0r\0s\0t\0u\0v"
                                 "\0w\0x\0y\0z";

/* Not const, because callers get them as any other schema. */
static ProcfunSchema leaves['z' - 'a' + 1]
    = { LEAF ('b', 1, 1, FALSE), LEAF ('y', 1, 1, TRUE),  LEAF ('n', 2, 2, TRUE),
        LEAF ('q', 2, 2, TRUE),  LEAF ('i', 4, 4, TRUE),  LEAF ('u', 4, 4, TRUE),
        LEAF ('h', 4, 4, TRUE),  LEAF ('x', 8, 8, TRUE),  LEAF ('t', 8, 8, TRUE),
        LEAF ('d', 8, 8, TRUE),  LEAF ('s', 0, 1, FALSE), LEAF ('o', 0, 1, FALSE),
        LEAF ('g', 0, 1, FALSE), LEAF ('v', 0, 8, FALSE) };

/* @type lies inside @text. */
static ProcfunSchema *
schema_alloc (char *text, const GVariantType *type, gsize n_children)
{
  ProcfunSchema *self = g_malloc0 (sizeof *self + n_children * sizeof (ProcfunSchema *));

  g_atomic_ref_count_init (&self->ref_count);
  self->type_class = *(const char *)type;
  self->type = type;
  self->text = g_ref_string_acquire (text);
  self->n_children = n_children;
  self->children = (ProcfunSchema **)(self + 1);
  return self;
}

static gsize
align_up (gsize size, gsize alignment)
{
  return (size + alignment - 1) & ~(alignment - 1);
}

/* A tuple of fixed-size members has a fixed size. Its padding must be zero, so all its values are
 * in normal form only if it has none. */
static void
schema_lay_out_members (ProcfunSchema *self)
{
  gsize size = 0;
  gsize padding = 0;
  gboolean fixed = TRUE;

  for (guint i = 0; i < self->n_children; i++)
    {
      const ProcfunSchema *child = self->children[i];
      gsize start = align_up (size, child->alignment);

      padding += start - size;
      size = start + child->fixed_size;
      fixed = fixed && child->fixed_size != 0;
      self->n_offsets += child->fixed_size == 0 && i + 1 < self->n_children;
      self->all_normal = self->all_normal && child->all_normal;
    }

  padding += align_up (size, self->alignment) - size;
  self->fixed_size = !fixed ? 0 : size == 0 ? 1 : align_up (size, self->alignment);
  self->all_normal = self->all_normal && fixed && padding == 0 && size != 0;
}

/* Derives the facts about the serialised form from the children. */
static void
schema_lay_out (ProcfunSchema *self)
{
  self->alignment = 1;
  self->depth = 0;
  self->all_normal = TRUE;

  for (guint i = 0; i < self->n_children; i++)
    {
      self->alignment = MAX (self->alignment, self->children[i]->alignment);
      self->depth = MAX (self->depth, self->children[i]->depth);
      self->has_variants = self->has_variants || self->children[i]->has_variants;
    }
  self->depth++;

  switch (self->type_class)
    {
    case G_VARIANT_CLASS_ARRAY:
      self->all_normal = self->children[0]->fixed_size != 0 && self->children[0]->all_normal;
      break;
    case G_VARIANT_CLASS_MAYBE:
      self->all_normal = FALSE;
      break;
    default:
      schema_lay_out_members (self);
      break;
    }
}

ProcfunSchema *
procfun_schema_find_leaf (char type)
{
  if (type < 'a' || type > 'z' || leaves[type - 'a'].type_class == '\0')
    return NULL;
  return &leaves[type - 'a'];
}

static ProcfunSchema *
schema_parse (char *text, const GVariantType *type)
{
  gboolean of_one = g_variant_type_is_array (type) || g_variant_type_is_maybe (type);
  const GVariantType *member;
  ProcfunSchema *self;

  if (!g_variant_type_is_container (type) || g_variant_type_is_variant (type))
    return &leaves[*(const char *)type - 'a'];

  self = schema_alloc (text, type, of_one ? 1 : g_variant_type_n_items (type));
  member = of_one ? g_variant_type_element (type) : g_variant_type_first (type);
  for (guint i = 0; i < self->n_children; i++)
    {
      self->children[i] = schema_parse (text, member);
      if (!of_one)
        member = g_variant_type_next (member);
    }
  schema_lay_out (self);
  return self;
}

/**
 * procfun_schema_new:
 * @type: a definite GVariant type
 *
 * Describes values of a GVariant type, without names.
 *
 * Basic types cost nothing; for others the whole tree of types is made at once, so that schemas
 * need no lock later.
 *
 * Returns: (transfer full): a schema of the kind %PROCFUN_SCHEMA_PLAIN
 *
 * Since: 0.1
 */
ProcfunSchema *
procfun_schema_new (const GVariantType *type)
{
  char *text;
  ProcfunSchema *self;

  g_return_val_if_fail (type != NULL && g_variant_type_is_definite (type), NULL);

  if (!g_variant_type_is_container (type) || g_variant_type_is_variant (type))
    return &leaves[*(const char *)type - 'a'];

  text = g_ref_string_new_len ((const char *)type, g_variant_type_get_string_length (type));
  self = schema_parse (text, (const GVariantType *)text);
  g_ref_string_release (text);
  return self;
}

static ProcfunSchema *
schema_new_from_children (GString *type, gsize n, ProcfunSchema *const *children)
{
  char *text = g_ref_string_new_len (type->str, type->len);
  ProcfunSchema *self = schema_alloc (text, (const GVariantType *)text, n);

  for (gsize i = 0; i < n; i++)
    self->children[i] = procfun_schema_ref (children[i]);
  schema_lay_out (self);
  g_ref_string_release (text);
  return self;
}

static void
append_type (GString *text, const GVariantType *type)
{
  g_string_append_len (text, (const char *)type, g_variant_type_get_string_length (type));
}

ProcfunSchema *
procfun_schema_new_array (ProcfunSchema *element)
{
  g_autoptr (GString) type = g_string_new ("a");

  append_type (type, element->type);
  return schema_new_from_children (type, 1, &element);
}

static char **
copy_names (gsize n, const char *const *names)
{
  char **copy = g_new0 (char *, n + 1);

  for (gsize i = 0; i < n; i++)
    copy[i] = g_strdup (names[i]);
  return copy;
}

ProcfunSchema *
procfun_schema_new_named (ProcfunSchemaKind kind, gsize n, const char *const *names,
                          ProcfunSchema *const *children)
{
  g_autoptr (GString) type = g_string_new ("(");
  ProcfunSchema *self;

  for (gsize i = 0; i < n; i++)
    append_type (type, children[i]->type);
  g_string_append_c (type, ')');

  self = schema_new_from_children (type, n, children);
  self->kind = kind;
  self->names = copy_names (n, names);
  return self;
}

ProcfunSchema *
procfun_schema_new_enum (gsize n, const gint32 *values, const char *const *nicks)
{
  char *text = g_ref_string_new_intern ("i");
  ProcfunSchema *self = schema_alloc (text, (const GVariantType *)text, 0);
  const ProcfunSchema *plain = &leaves['i' - 'a'];

  self->kind = PROCFUN_SCHEMA_ENUM;
  self->alignment = plain->alignment;
  self->all_normal = plain->all_normal;
  self->depth = plain->depth;
  self->fixed_size = plain->fixed_size;
  self->n_nicks = n;
  self->names = copy_names (n, nicks);
  self->values = g_memdup2 (values, n * sizeof *values);
  g_ref_string_release (text);
  return self;
}

/**
 * procfun_schema_ref: (skip)
 * @self: a #ProcfunSchema
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ProcfunSchema *
procfun_schema_ref (ProcfunSchema *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (self->text != NULL)
    g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * procfun_schema_unref: (skip)
 * @self: (transfer full): a #ProcfunSchema
 *
 * Drops a reference; the last one frees the schema.
 *
 * Since: 0.1
 */
void
procfun_schema_unref (ProcfunSchema *self)
{
  g_return_if_fail (self != NULL);

  if (self->text == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;

  for (guint i = 0; i < self->n_children; i++)
    procfun_schema_unref (self->children[i]);
  g_strfreev (self->names);
  g_free (self->values);
  g_ref_string_release (self->text);
  g_free (self);
}

/**
 * procfun_schema_get_kind:
 * @self: a #ProcfunSchema
 *
 * Gets the kind of the schema.
 *
 * Returns: the kind
 *
 * Since: 0.1
 */
ProcfunSchemaKind
procfun_schema_get_kind (ProcfunSchema *self)
{
  g_return_val_if_fail (self != NULL, PROCFUN_SCHEMA_PLAIN);

  return self->kind;
}

/**
 * procfun_schema_get_variant_type:
 * @self: a #ProcfunSchema
 *
 * Gets the GVariant type of the values. As with any #GVariantType, its string need not end with a
 * NUL: use g_variant_type_dup_string() to print it.
 *
 * Returns: (transfer none): the type, which lives as long as @self
 *
 * Since: 0.1
 */
const GVariantType *
procfun_schema_get_variant_type (ProcfunSchema *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->type;
}

/**
 * procfun_schema_get_n_children:
 * @self: a #ProcfunSchema
 *
 * Counts the schemas inside this one: the members of a tuple, the key and the value of a dictionary
 * entry, the one element of an array or a maybe; none for basic types and variants.
 *
 * Returns: the number of children
 *
 * Since: 0.1
 */
guint
procfun_schema_get_n_children (ProcfunSchema *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->n_children;
}

/**
 * procfun_schema_get_child:
 * @self: a #ProcfunSchema
 * @index: which child, below procfun_schema_get_n_children()
 *
 * Gets the schema of a member or element.
 *
 * Returns: (transfer none): the child
 *
 * Since: 0.1
 */
ProcfunSchema *
procfun_schema_get_child (ProcfunSchema *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->n_children, NULL);

  return self->children[index];
}

/**
 * procfun_schema_get_child_name:
 * @self: a #ProcfunSchema
 * @index: which child, below procfun_schema_get_n_children()
 *
 * Gets the name of a field or an argument.
 *
 * Returns: (transfer none) (nullable): the name, or %NULL in a schema that has no names
 *
 * Since: 0.1
 */
const char *
procfun_schema_get_child_name (ProcfunSchema *self, guint index)
{
  g_return_val_if_fail (self != NULL && index < self->n_children, NULL);

  return self->names != NULL ? self->names[index] : NULL;
}

/**
 * procfun_schema_get_nick:
 * @self: a #ProcfunSchema
 * @value: a value of the enumeration
 *
 * Finds the nick of a value. Where several nicks stand for the value it is the first.
 *
 * Returns: (transfer none) (nullable): the nick, or %NULL if the value has none
 *
 * Since: 0.1
 */
const char *
procfun_schema_get_nick (ProcfunSchema *self, gint32 value)
{
  g_return_val_if_fail (self != NULL, NULL);

  for (guint i = 0; i < self->n_nicks; i++)
    if (self->values[i] == value)
      return self->names[i];
  return NULL;
}

/**
 * procfun_schema_get_value:
 * @self: a #ProcfunSchema
 * @nick: a nick, as it stands in JSON
 * @value: (out) (optional): the value it stands for; unchanged on failure
 *
 * Finds the value of a nick.
 *
 * Returns: %TRUE if @self is an enumeration that has the nick
 *
 * Since: 0.1
 */
gboolean
procfun_schema_get_value (ProcfunSchema *self, const char *nick, gint32 *value)
{
  g_return_val_if_fail (self != NULL && nick != NULL, FALSE);

  for (guint i = 0; i < self->n_nicks; i++)
    {
      if (!g_str_equal (self->names[i], nick))
        continue;
      if (value != NULL)
        *value = self->values[i];
      return TRUE;
    }
  return FALSE;
}
