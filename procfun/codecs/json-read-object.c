/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/intl.h"
#include "procfun/codecs/json-keys.h"
#include "procfun/codecs/json-reader.h"

/* Objects: structs, arguments and variants by the names of their fields; dictionaries. */

/* The cursor is at a name, then at its value. */
static gboolean
read_name (JsonReader *self, JsonString *name)
{
  JsonScanner *scanner = &self->scanner;

  if (json_peek (scanner) != '"')
    return wire_json_unexpected (scanner, _ ("a name in quotes"));
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

/* Values that are not next in order are passed over, and read when it is their turn. How often that
 * can happen to one part of the text is bounded by the levels that are allowed. */
gboolean
wire_json_read_object (JsonReader *self, const ProcfunSchema *schema, guint n,
                       const char *const *names, JsonReadField read, gpointer data,
                       const JsonPlace *place)
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

/* Reads what is between the quotes as if it stood there without them. */
static gboolean
read_bare_key (JsonReader *self, const ProcfunSchema *key, const JsonString *name,
               const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const JsonScanner outside = *scanner;
  gboolean done, all;

  scanner->cursor = name->text;
  scanner->end = name->text + name->length;
  done = name->length > 0 && wire_json_read_value (self, key, place);
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
  json_note_offset (self, entry, 0, start);
  if (!wire_json_read_value (self, entry->children[1], &inside))
    return FALSE;
  wire_json_end_members (self, entry, start, offsets);
  return TRUE;
}

gboolean
wire_json_read_dictionary (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
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
  wire_json_end_array (self, schema, start, offsets);
  return TRUE;
}
