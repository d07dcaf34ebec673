/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"
#include "procfun/codecs/base64.h"
#include "procfun/codecs/json-keys.h"
#include "procfun/codecs/json-scalar.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"

static gboolean read_value (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place);

/* Appends the offsets from @first on, as the end of a container that began at @start. */
static void
append_offsets (JsonReader *self, gsize start, gsize first, gboolean backwards)
{
  const gsize *offsets = (const gsize *)(gconstpointer)(self->offsets.data + first);
  const gsize n = (self->offsets.length - first) / sizeof *offsets;

  wire_serialised_append_offsets (&self->out, start, offsets, n, backwards);
  self->offsets.length = first;
}

/* Ends an array that began at @start, when @offsets was the length of offsets. */
static void
end_array (JsonReader *self, const ProcfunSchema *schema, gsize start, gsize offsets)
{
  if (self->offsets.length > offsets)
    append_offsets (self, start, offsets, FALSE);
}

/* Ends a tuple or dictionary entry likewise. */
static void
end_members (JsonReader *self, const ProcfunSchema *schema, gsize start, gsize offsets)
{
  if (schema->n_children == 0)
    buffer_append_byte (&self->out, 0);
  else if (schema->fixed_size != 0)
    buffer_align (&self->out, schema->alignment);
  else if (schema->n_offsets > 0)
    append_offsets (self, start, offsets, TRUE);
}

/* Notes the end of a child of a container that began at @start, if its type does not tell. */
static void
note_offset (JsonReader *self, const ProcfunSchema *schema, guint index, gsize start)
{
  gsize offset = self->out.length - start;

  if (schema->children[index]->fixed_size == 0 && index + 1 < schema->n_children)
    buffer_append (&self->offsets, &offset, sizeof offset);
}

/* Objects: structs, arguments and variants by the names of their fields; dictionaries */

/* Moves the cursor from a name to its value. */
static gboolean
read_name (JsonReader *self, JsonString *name)
{
  JsonScanner *scanner = &self->scanner;

  if (json_peek (scanner) != '"')
    {
      wire_json_unexpected (scanner, _ ("a name in quotes"));
      return FALSE;
    }
  if (!json_scan_string (scanner, name))
    return FALSE;
  json_skip_space (scanner);
  if (json_peek (scanner) != ':')
    return wire_json_unexpected (scanner, "“:”");
  scanner->cursor++;
  json_skip_space (scanner);
  return TRUE;
}

static gboolean
read_close (JsonReader *self)
{
  if (json_peek (&self->scanner) != '}')
    return wire_json_unexpected (&self->scanner, _ ("“,” or “}”"));
  self->scanner.cursor++;
  return TRUE;
}

/* The index of a name, most likely @likely; @n if there is none. */
static guint
find_name (JsonReader *self, const JsonString *name, guint n, const char *const *names,
           guint likely)
{
  gsize length;
  const char *text = wire_json_get_text (self, name, &length);

  if (likely < n && json_text_is (text, length, names[likely]))
    return likely;
  for (guint i = 0; i < n; i++)
    if (json_text_is (text, length, names[i]))
      return i;
  return n;
}

static gboolean
wrong_name (JsonReader *self, const JsonString *name, gboolean known, const JsonPlace *place)
{
  g_autofree char *excerpt = wire_json_excerpt (name->text, name->length);

  if (known)
    return wire_json_read_error (self, place, _ ("“%s” is there twice"), excerpt);
  return wire_json_read_error (self, place, _ ("“%s” is not known here"), excerpt);
}

/* Reads the value of the field @index. */
typedef gboolean (*ReadField) (JsonReader *self, const ProcfunSchema *schema, guint index,
                               const JsonPlace *place, gpointer data);

/* An object whose names are known: calls @read for each of the @n @names in order, whatever the
 * order of the text. A value before its turn is passed over, and read later; the permitted levels
 * bound how often one part of the text is passed over. */
static gboolean
read_object (JsonReader *self, const ProcfunSchema *schema, guint n, const char *const *names,
             ReadField read, gpointer data, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  g_autofree const char **passed = NULL; /* where these values are, by index */
  const char *close;
  JsonString name;
  guint next = 0;

  scanner->cursor++;
  json_skip_space (scanner);
  if (json_peek (scanner) != '}')
    do
      {
        guint index;

        if (!read_name (self, &name))
          return FALSE;
        index = find_name (self, &name, n, names, next);
        if (index == n || index < next || (passed != NULL && passed[index] != NULL))
          return wrong_name (self, &name, index < n, place);

        if (index == next && passed == NULL)
          {
            JsonPlace inside = json_place_name (place, names[index]);

            if (!read (self, schema, index, &inside, data))
              return FALSE;
            next++;
          }
        else
          {
            if (passed == NULL)
              passed = g_new0 (const char *, n);
            passed[index] = scanner->cursor;
            if (!wire_json_skip_value (scanner, PROCFUN_SCHEMA_MAX_DEPTH - self->level))
              return FALSE;
          }
      }
    while (json_next_element (scanner));

  if (!read_close (self))
    return FALSE;

  close = scanner->cursor;
  for (; next < n; next++)
    {
      JsonPlace inside = json_place_name (place, names[next]);

      if (passed == NULL || passed[next] == NULL)
        return wire_json_read_error (self, place, _ ("“%s” is missing"), names[next]);
      scanner->cursor = passed[next];
      if (!read (self, schema, next, &inside, data))
        return FALSE;
    }
  scanner->cursor = close;
  return TRUE;
}

/* Reads the text between the quotes as if it had none. */
static gboolean
read_bare_key (JsonReader *self, const ProcfunSchema *key, const JsonString *name,
               const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const JsonScanner outside = *scanner;
  gboolean done, all;

  scanner->cursor = name->text;
  scanner->end = name->text + name->length;
  done = name->length > 0 && read_value (self, key, place);
  all = scanner->cursor == scanner->end;
  *scanner = outside;

  if (name->length == 0 || (done && !all))
    {
      g_autofree char *excerpt = wire_json_excerpt (name->text, name->length);

      return wire_json_read_error (self, place, _ ("“%s” is not %s"), excerpt,
                                   wire_json_describe (key));
    }
  return done;
}

static gboolean
read_key (JsonReader *self, const ProcfunSchema *key, const JsonString *name,
          const JsonPlace *place)
{
  switch (key->type_class)
    {
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      return wire_json_append_string (self, key, name, place);
    case G_VARIANT_CLASS_DOUBLE:
      /* NaN and the infinities are strings wherever they stand */
      if (name->length > 0 && !g_ascii_isdigit (name->text[name->length - 1]))
        return wire_json_append_word (self, key, name, place);
      break;
    }
  return read_bare_key (self, key, name, place);
}

/* The bytes of the entries' keys, in the value as it has been written from @start on. */
static gboolean
check_keys (JsonReader *self, const ProcfunSchema *entry, gsize start, gsize offsets, gsize n,
            const JsonPlace *place)
{
  const gsize key_size = entry->children[0]->fixed_size;
  JsonKey few[16];
  g_autofree JsonKey *many = n > G_N_ELEMENTS (few) ? g_new (JsonKey, n) : NULL;
  g_autofree char *excerpt = NULL;
  JsonKey *keys = many != NULL ? many : few;
  const JsonKey *twice;
  gsize position = 0;

  for (gsize i = 0; i < n; i++)
    {
      const guint8 *data;

      position = (position + entry->alignment - 1) & ~((gsize)entry->alignment - 1);
      data = self->out.data + start + position;
      keys[i].data = data;
      keys[i].size = key_size != 0 ? key_size : strlen ((const char *)data);

      position += entry->fixed_size;
      if (entry->fixed_size == 0)
        memcpy (&position, self->offsets.data + offsets + i * sizeof position, sizeof position);
    }

  twice = wire_json_find_duplicate (keys, n);
  if (twice == NULL)
    return TRUE;
  if (key_size != 0)
    return wire_json_read_error (self, place, _ ("a key is there twice"));
  excerpt = wire_json_excerpt ((const char *)twice->data, twice->size);
  return wire_json_read_error (self, place, _ ("“%s” is there twice"), excerpt);
}

static gboolean
read_entry (JsonReader *self, const ProcfunSchema *entry, const JsonPlace *place)
{
  const gsize offsets = self->offsets.length;
  JsonString name;
  JsonPlace inside;
  gsize start;

  buffer_align (&self->out, entry->alignment);
  start = self->out.length;
  if (!read_name (self, &name))
    return FALSE;
  inside = (JsonPlace){ place, name.text, name.length };
  if (!read_key (self, entry->children[0], &name, &inside))
    return FALSE;
  note_offset (self, entry, 0, start);
  if (!read_value (self, entry->children[1], &inside))
    return FALSE;
  end_members (self, entry, start, offsets);
  return TRUE;
}

static gboolean
read_dictionary (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const ProcfunSchema *entry = schema->children[0];
  const gsize start = self->out.length;
  const gsize offsets = self->offsets.length;
  gsize n = 0;
  gsize offset;

  scanner->cursor++;
  json_skip_space (scanner);
  self->level++; /* the entry is one */
  if (json_peek (scanner) != '}')
    do
      {
        if (!read_entry (self, entry, place))
          return FALSE;
        offset = self->out.length - start;
        if (entry->fixed_size == 0)
          buffer_append (&self->offsets, &offset, sizeof offset);
        n++;
      }
    while (json_next_element (scanner));
  self->level--;

  if (!read_close (self) || !check_keys (self, entry, start, offsets, n, place))
    return FALSE;
  end_array (self, schema, start, offsets);
  return TRUE;
}

/* Arrays, maybes, tuples and variants */

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
      if (!read_value (self, element, &inside))
        return FALSE;
      if (element->fixed_size == 0)
        {
          offset = self->out.length - start;
          buffer_append (&self->offsets, &offset, sizeof offset);
        }
      inside.number++;
    }
  while (json_next_element (scanner));

  end_array (self, schema, start, offsets);
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

  /* Some writers escape each slash. */
  text = wire_json_get_text (self, &string, &length);
  if (!wire_base64_decode (buffer_reserve (&self->out, length / 4 * 3), &size, text, length))
    return wire_json_read_error (self, place, _ ("the string is not Base64"));
  self->out.length += size;
  return TRUE;
}

static gboolean
read_array (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
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
        return read_dictionary (self, schema, place);
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
  else if (!read_value (self, child, place))
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

static gboolean
read_maybe (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
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
        if (!read_value (self, schema->children[index], &inside))
          return FALSE;
        note_offset (self, schema, index, start);
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

  if (!read_value (self, schema->children[index], place))
    return FALSE;
  note_offset (self, schema, index, *start);
  return TRUE;
}

static gboolean
read_members (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
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
      done = read_object (self, schema, schema->n_children, (const char *const *)schema->names,
                          read_named_member, &start, place);
      break;
    default:
      return wire_json_wrong_type (self, schema, place);
    }

  if (done)
    end_members (self, schema, start, offsets);
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
  return read_value (self, *type, place);
}

static gboolean
read_variant (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  static const char *const fields[] = { "type", "value" };
  g_autoptr (ProcfunSchema) type = NULL;

  if (json_peek (&self->scanner) != '{')
    return wire_json_wrong_type (self, schema, place);
  if (!read_object (self, schema, G_N_ELEMENTS (fields), fields, read_variant_field, &type, place))
    return FALSE;

  g_assert (type != NULL); /* the first field was read */
  buffer_append_byte (&self->out, 0);
  buffer_append (&self->out, type->type, g_variant_type_get_string_length (type->type));
  return TRUE;
}

static gboolean
read_value (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  gboolean done;

  buffer_align (&self->out, schema->alignment);
  self->level++;
  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_ARRAY:
      done = read_array (self, schema, place);
      break;
    case G_VARIANT_CLASS_MAYBE:
      done = read_maybe (self, schema, place);
      break;
    case G_VARIANT_CLASS_VARIANT:
      done = read_variant (self, schema, place);
      break;
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
      done = read_members (self, schema, place);
      break;
    default:
      self->level--;
      return wire_json_read_scalar (self, schema, place);
    }
  self->level--;
  return done;
}

gboolean
wire_json_check_depth (const ProcfunSchema *schema, GError **error)
{
  if (schema->depth <= PROCFUN_SCHEMA_MAX_DEPTH)
    return TRUE;
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, _ ("The type is too deep"));
  return FALSE;
}

gboolean
wire_json_read_text (JsonReader *self, const ProcfunSchema *schema)
{
  json_skip_space (&self->scanner);
  if (!read_value (self, schema, NULL))
    return FALSE;
  json_skip_space (&self->scanner);
  return self->scanner.cursor == self->scanner.end
         || wire_json_unexpected (&self->scanner, _ ("the end of the text"));
}

gboolean
wire_json_read_serialised (ProcfunSchema *schema, const char *text, gsize length, Buffer *out,
                           GError **error)
{
  const char *start = text != NULL ? text : ""; /* GBytes without bytes have no data */
  JsonReader self = { .scanner = { start, start, start + length, error }, .out = *out };
  gboolean done;

  out->data = NULL; /* the reader has it */
  self.out.length = 0;
  buffer_reserve (&self.out, length + 8); /* the text is rarely shorter than the value */
  done = wire_json_read_text (&self, schema);
  *out = self.out;
  self.out = (Buffer){ NULL };
  wire_json_reader_clear (&self);
  return done;
}

GVariant *
wire_json_read (ProcfunSchema *schema, const char *text, gsize length, GError **error)
{
  g_auto (Buffer) out = { NULL };
  g_autoptr (GBytes) bytes = NULL;

  if (!wire_json_check_depth (schema, error)
      || !wire_json_read_serialised (schema, text, length, &out, error))
    return NULL;
  bytes = wire_buffer_steal (&out);
  return g_variant_ref_sink (g_variant_new_from_bytes (schema->type, bytes, TRUE));
}
