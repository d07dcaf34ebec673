/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"
#include "procfun/codecs/base64.h"
#include "procfun/codecs/json-reader.h"

/* Values with others in them, except for objects by name. */

/* Appends the offsets from @first on, as the end of a container that began at @start. */
static void
append_offsets (JsonReader *self, gsize start, gsize first, gboolean backwards)
{
  const gsize *offsets = (const gsize *)(gconstpointer)(self->offsets.data + first);
  const gsize n = (self->offsets.length - first) / sizeof *offsets;
  const guint width = wire_serialised_offset_width (self->out.length - start, n);
  guint8 *room = buffer_reserve (&self->out, n * width);

  for (gsize i = 0; i < n; i++)
    {
      guint64 offset = backwards ? offsets[n - 1 - i] : offsets[i];

      for (guint byte = 0; byte < width; byte++, offset >>= 8)
        *room++ = (guint8)offset;
    }
  self->out.length += n * width;
  self->offsets.length = first;
}

void
wire_json_end_array (JsonReader *self, const ProcfunSchema *schema, gsize start, gsize offsets)
{
  if (self->offsets.length > offsets)
    append_offsets (self, start, offsets, FALSE);
}

void
wire_json_end_members (JsonReader *self, const ProcfunSchema *schema, gsize start, gsize offsets)
{
  if (schema->n_children == 0)
    buffer_append_byte (&self->out, 0);
  else if (schema->fixed_size != 0)
    buffer_align (&self->out, schema->alignment);
  else if (schema->n_offsets > 0)
    append_offsets (self, start, offsets, TRUE);
}

static gboolean
read_elements (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const ProcfunSchema *element = schema->children[0];
  const gsize start = self->out.length;
  const gsize offsets = self->offsets.length;
  JsonPlace inside = { .parent = place };
  gsize offset;

  do
    {
      if (!wire_json_read_value (self, element, &inside))
        return FALSE;
      if (element->fixed_size == 0)
        {
          offset = self->out.length - start;
          buffer_append (&self->offsets, &offset, sizeof offset);
        }
      inside.number++;
    }
  while (json_next_element (scanner));

  wire_json_end_array (self, schema, start, offsets);
  return TRUE;
}

static gboolean
read_list (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const ProcfunSchema *element = schema->children[0];
  JsonPlace inside = { .parent = place };

  scanner->cursor++;
  json_skip_space (scanner);
  if (json_peek (scanner) != ']')
    {
      /* Arrays of integers are worth a loop of their own. */
      gboolean integers = element->fixed_size != 0 && element->kind == PROCFUN_SCHEMA_PLAIN
                          && strchr ("ynqiuxth", element->type_class) != NULL;

      if (integers ? !wire_json_read_integers (self, element, &inside)
                   : !read_elements (self, schema, place))
        return FALSE;
    }

  if (json_peek (scanner) != ']')
    return wire_json_unexpected (scanner, _ ("“,” or “]”"));
  scanner->cursor++;
  return TRUE;
}

static gboolean
read_base64 (JsonReader *self, const JsonPlace *place)
{
  JsonString string;
  const char *text;
  gsize length, size;

  if (!wire_json_scan_string (&self->scanner, &string))
    return FALSE;

  /* Some escape each slash. */
  text = wire_json_get_text (self, &string, &length);
  if (!wire_base64_decode (buffer_reserve (&self->out, length / 4 * 3), &size, text, length))
    return wire_json_read_error (self, place, _ ("the string is not Base64"));
  self->out.length += size;
  return TRUE;
}

gboolean
wire_json_read_array (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  const char of = schema->children[0]->type_class;

  switch (json_peek (&self->scanner))
    {
    case '[':
      return read_list (self, schema, place);
    case '"':
      if (of == G_VARIANT_CLASS_BYTE)
        return read_base64 (self, place);
      break;
    case '{':
      if (of == G_VARIANT_CLASS_DICT_ENTRY)
        return wire_json_read_dictionary (self, schema, place);
      break;
    }
  return wire_json_wrong_type (self, schema, place);
}

/* A maybe directly within a maybe: null would be either's. */
static gboolean read_nested_maybe (JsonReader *self, const ProcfunSchema *schema,
                                   const JsonPlace *place);

/* The value of a maybe that has one. */
static gboolean
read_just (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  const ProcfunSchema *child = schema->children[0];

  if (child->type_class == G_VARIANT_CLASS_MAYBE)
    {
      if (!read_nested_maybe (self, child, place))
        return FALSE;
    }
  else if (!wire_json_read_value (self, child, place))
    return FALSE;

  if (child->fixed_size == 0)
    buffer_append_byte (&self->out, 0);
  return TRUE;
}

static gboolean
read_nested_maybe (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  JsonPlace inside = { .parent = place };

  if (json_peek (scanner) == '\0')
    return wire_json_unexpected (scanner, "“[”");
  if (json_peek (scanner) != '[')
    return wire_json_read_error (self, place, _ ("expected [] or [value], for a maybe in a maybe"));

  scanner->cursor++;
  json_skip_space (scanner);
  self->level++;
  if (json_peek (scanner) != ']' && !read_just (self, schema, &inside))
    return FALSE;
  self->level--;
  json_skip_space (scanner);
  if (json_peek (scanner) != ']')
    return wire_json_unexpected (scanner, "“]”");
  scanner->cursor++;
  return TRUE;
}

gboolean
wire_json_read_maybe (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  if (json_peek (&self->scanner) == 'n')
    return wire_json_scan_word (&self->scanner, "null");
  return read_just (self, schema, place);
}

static JsonPlace
place_of_member (const ProcfunSchema *schema, guint index, const JsonPlace *place)
{
  if (schema->names != NULL)
    return json_place_name (place, schema->names[index]);
  return (JsonPlace){ .parent = place, .number = index };
}

static gboolean
wrong_number (JsonReader *self, const ProcfunSchema *schema, guint found, const JsonPlace *place)
{
  if (found >= schema->n_children)
    return wire_json_read_error (self, place, _ ("more than %u values"), schema->n_children);
  if (schema->names != NULL)
    return wire_json_read_error (self, place, _ ("“%s” is missing"), schema->names[found]);
  return wire_json_read_error (self, place, _ ("%u values instead of %u"), found,
                               schema->n_children);
}

static gboolean
read_members_in_order (JsonReader *self, const ProcfunSchema *schema, gsize start,
                       const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  guint index = 0;

  scanner->cursor++;
  json_skip_space (scanner);
  if (json_peek (scanner) != ']')
    do
      {
        JsonPlace inside;

        if (index == schema->n_children)
          return wrong_number (self, schema, index, place);
        inside = place_of_member (schema, index, place);
        if (!wire_json_read_value (self, schema->children[index], &inside))
          return FALSE;
        json_note_offset (self, schema, index, start);
        index++;
      }
    while (json_next_element (scanner));

  if (json_peek (scanner) != ']')
    return wire_json_unexpected (scanner, _ ("“,” or “]”"));
  scanner->cursor++;
  return index == schema->n_children || wrong_number (self, schema, index, place);
}

static gboolean
read_named_member (JsonReader *self, const ProcfunSchema *schema, guint index,
                   const JsonPlace *place, gpointer data)
{
  const gsize *start = data;

  if (!wire_json_read_value (self, schema->children[index], place))
    return FALSE;
  json_note_offset (self, schema, index, *start);
  return TRUE;
}

gboolean
wire_json_read_members (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  gsize start = self->out.length;
  const gsize offsets = self->offsets.length;
  gboolean done;

  switch (json_peek (&self->scanner))
    {
    case '[':
      done = read_members_in_order (self, schema, start, place);
      break;
    case '{':
      if (schema->names == NULL)
        return wire_json_wrong_type (self, schema, place);
      done = wire_json_read_object (self, schema, schema->n_children,
                                    (const char *const *)schema->names, read_named_member, &start,
                                    place);
      break;
    default:
      return wire_json_wrong_type (self, schema, place);
    }

  if (done)
    wire_json_end_members (self, schema, start, offsets);
  return done;
}

static gboolean
read_type (JsonReader *self, ProcfunSchema **type, const JsonPlace *place)
{
  g_autofree char *excerpt = NULL;
  JsonString string;
  const char *text;
  gsize length;

  if (json_peek (&self->scanner) != '"')
    return wire_json_read_error (self, place, _ ("a type is given as a string"));
  if (!wire_json_scan_string (&self->scanner, &string))
    return FALSE;

  text = wire_json_get_text (self, &string, &length);
  *type = wire_schema_cache_get (&self->schemas, text, length);
  if (*type == NULL)
    {
      excerpt = wire_json_excerpt (string.text, string.length);
      return wire_json_read_error (self, place, _ ("“%s” is not a type"), excerpt);
    }
  /* Other levels than those of the variant's type have been counted already. */
  if (self->level + (*type)->depth > PROCFUN_SCHEMA_MAX_DEPTH)
    return wire_json_read_error (self, place, _ ("more than %d levels"), PROCFUN_SCHEMA_MAX_DEPTH);
  return TRUE;
}

static gboolean
read_variant_field (JsonReader *self, const ProcfunSchema *schema, guint index,
                    const JsonPlace *place, gpointer data)
{
  ProcfunSchema **type = data;

  if (index == 0)
    return read_type (self, type, place);
  return wire_json_read_value (self, *type, place);
}

gboolean
wire_json_read_variant (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  static const char *const fields[] = { "type", "value" };
  g_autoptr (ProcfunSchema) type = NULL;

  if (json_peek (&self->scanner) != '{')
    return wire_json_wrong_type (self, schema, place);
  if (!wire_json_read_object (self, schema, G_N_ELEMENTS (fields), fields, read_variant_field,
                              &type, place))
    return FALSE;

  buffer_append_byte (&self->out, 0);
  buffer_append (&self->out, type->type, g_variant_type_get_string_length (type->type));
  return TRUE;
}
