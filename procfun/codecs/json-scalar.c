/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-scalar.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/number.h"
#include "procfun/procfun-error.h"

#include <math.h>

gboolean
wire_json_read_error (JsonReader *self, const JsonPlace *place, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  return wire_json_set_error (self->scanner.error, PROCFUN_ERROR_DECODE, place, "%s", message);
}

/* By the first character of the type. */
static const char *
describe_class (char type_class)
{
  static const char *const descriptions[] = {
    ['b' - 'a'] = N_ ("true or false"), ['y' - 'a'] = N_ ("a byte"),
    ['n' - 'a'] = N_ ("an int16"),      ['q' - 'a'] = N_ ("a uint16"),
    ['i' - 'a'] = N_ ("an int32"),      ['u' - 'a'] = N_ ("a uint32"),
    ['x' - 'a'] = N_ ("an int64"),      ['t' - 'a'] = N_ ("a uint64"),
    ['h' - 'a'] = N_ ("a handle"),      ['d' - 'a'] = N_ ("a double"),
    ['s' - 'a'] = N_ ("a string"),      ['o' - 'a'] = N_ ("an object path"),
    ['g' - 'a'] = N_ ("a signature"),   ['v' - 'a'] = N_ ("an object with “type” and “value”"),
    ['a' - 'a'] = N_ ("an array"),      ['m' - 'a'] = N_ ("null or a value")
  };

  return intl_get (descriptions[type_class - 'a']);
}

const char *
wire_json_describe (const ProcfunSchema *schema)
{
  if (schema->kind == PROCFUN_SCHEMA_ENUM)
    return _ ("a nick or a number");
  if (schema->type_class == G_VARIANT_CLASS_TUPLE && schema->names != NULL)
    return _ ("a JSON array or object");
  if (schema->type_class == G_VARIANT_CLASS_TUPLE
      || schema->type_class == G_VARIANT_CLASS_DICT_ENTRY)
    return _ ("an array");
  if (schema->type_class == G_VARIANT_CLASS_ARRAY && schema->children[0]->type_class == 'y')
    return _ ("a Base64 string or an array");
  if (schema->type_class == G_VARIANT_CLASS_ARRAY && schema->children[0]->type_class == '{')
    return _ ("an object or an array of pairs");
  return describe_class (schema->type_class);
}

gboolean
wire_json_wrong_type (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  const char *found;

  switch (json_peek (&self->scanner))
    {
    case '"':
      found = _ ("a string");
      break;
    case '[':
      found = _ ("an array");
      break;
    case '{':
      found = _ ("an object");
      break;
    case 't':
      found = "true";
      break;
    case 'f':
      found = "false";
      break;
    case 'n':
      found = "null";
      break;
    case '-':
    case '0' ... '9':
      found = _ ("a number");
      break;
    default:
      return wire_json_unexpected (&self->scanner, wire_json_describe (schema));
    }
  return wire_json_read_error (self, place, _ ("expected %s, found %s"),
                               wire_json_describe (schema), found);
}

static gboolean
read_boolean (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  const char first = json_peek (&self->scanner);

  if (first != 't' && first != 'f')
    return wire_json_wrong_type (self, schema, place);
  if (!wire_json_scan_word (&self->scanner, first == 't' ? "true" : "false"))
    return FALSE;
  buffer_append_byte (&self->out, first == 't');
  return TRUE;
}

const char *
wire_json_get_text (JsonReader *self, const JsonString *string, gsize *length)
{
  *length = string->length;
  if (!string->escaped)
    return string->text;

  self->scratch.length = 0;
  buffer_reserve (&self->scratch, string->length);
  *length = wire_json_unescape (string, (char *)self->scratch.data);
  return (const char *)self->scratch.data;
}

static gboolean
out_of_range (JsonReader *self, const char *text, const char *end, const ProcfunSchema *schema,
              const JsonPlace *place)
{
  g_autofree char *excerpt = wire_json_excerpt (text, (gsize)(end - text));

  return wire_json_read_error (self, place, _ ("%s is out of range for %s"), excerpt,
                               describe_class (schema->type_class));
}

/* The range of an integer, by the first character of its type. */
static const struct
{
  guint64 most;  /* of a positive one */
  guint64 least; /* of a negative one, without its sign */
} ranges[] = {
  ['y' - 'a'] = { G_MAXUINT8, 0 },  ['n' - 'a'] = { G_MAXINT16, G_GUINT64_CONSTANT (1) << 15 },
  ['q' - 'a'] = { G_MAXUINT16, 0 }, ['i' - 'a'] = { G_MAXINT32, G_GUINT64_CONSTANT (1) << 31 },
  ['u' - 'a'] = { G_MAXUINT32, 0 }, ['x' - 'a'] = { G_MAXINT64, G_GUINT64_CONSTANT (1) << 63 },
  ['t' - 'a'] = { G_MAXUINT64, 0 }, ['h' - 'a'] = { G_MAXINT32, 0 }
};

static inline void
append_integer (Buffer *out, gsize size, guint64 value)
{
  guint8 *room = buffer_reserve (out, sizeof value);
  guint8 byte = (guint8)value;
  guint16 two = (guint16)value;
  guint32 four = (guint32)value;

  switch (size)
    {
    case 1:
      memcpy (room, &byte, 1);
      break;
    case 2:
      memcpy (room, &two, 2);
      break;
    case 4:
      memcpy (room, &four, 4);
      break;
    default:
      memcpy (room, &value, 8);
      break;
    }
  out->length += size;
}

static inline gboolean
finish_integer (JsonReader *self, const ProcfunSchema *schema, const char *text, const char *end,
                gboolean negative, guint64 magnitude, const JsonPlace *place)
{
  const guint kind = (guint)(schema->type_class - 'a');

  if (magnitude > (negative ? ranges[kind].least : ranges[kind].most))
    return out_of_range (self, text, end, schema, place);
  append_integer (&self->out, schema->fixed_size, negative ? -magnitude : magnitude);
  return TRUE;
}

/* Digits in a string, for 64-bit integers that other programs would round. */
static gboolean
read_quoted_integer (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonString string;
  Number number;
  guint64 magnitude;
  NumberRange range;

  if (!wire_json_scan_string (&self->scanner, &string))
    return FALSE;

  if (!wire_number_scan (&number, string.text, string.text + string.length)
      || number.end != string.text + string.length || number.digits_end != number.end
      || number.scale != 0)
    {
      g_autofree char *excerpt = wire_json_excerpt (string.text, string.length);

      return wire_json_read_error (self, place, _ ("“%s” is not an integer"), excerpt);
    }

  range = wire_number_to_integer (&number, &magnitude);
  if (range != NUMBER_INTEGER)
    return out_of_range (self, number.start, number.end, schema, place);
  return finish_integer (self, schema, number.start, number.end, number.negative, magnitude, place);
}

static gboolean
scan_number (JsonReader *self, Number *number, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonScanner *scanner = &self->scanner;
  const char first = json_peek (scanner);

  if (first != '-' && !g_ascii_isdigit (first))
    {
      wire_json_wrong_type (self, schema, place);
      return FALSE;
    }
  if (!wire_number_scan (number, scanner->cursor, scanner->end))
    {
      wire_json_syntax_error (scanner, scanner->cursor, _ ("not a number that JSON knows"));
      return FALSE;
    }
  scanner->cursor = number->end;
  return TRUE;
}

static gboolean
read_other_integer (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  Number number;
  guint64 magnitude;

  if (schema->fixed_size == 8 && json_peek (&self->scanner) == '"')
    return read_quoted_integer (self, schema, place);
  if (!scan_number (self, &number, schema, place))
    return FALSE;

  switch (wire_number_to_integer (&number, &magnitude))
    {
    case NUMBER_INTEGER:
      return finish_integer (self, schema, number.start, number.end, number.negative, magnitude,
                             place);
    case NUMBER_FRACTION:
      {
        g_autofree char *excerpt
            = wire_json_excerpt (number.start, (gsize)(number.end - number.start));

        return wire_json_read_error (self, place, _ ("%s is not an integer"), excerpt);
      }
    default:
      return out_of_range (self, number.start, number.end, schema, place);
    }
}

static inline gboolean
read_integer (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  const char *const text = self->scanner.cursor;
  const char *const end = self->scanner.end;
  const gboolean negative = json_peek (&self->scanner) == '-';
  const char *const first = text + negative;
  const char *const most = end - first > 18 ? first + 18 : end;
  const char *p = first;
  guint64 magnitude = 0;

  /* Up to 18 digits and nothing else, as most numbers are. */
  if (end - first >= 8)
    p += number_eight_digits (first, &magnitude);
  for (; p < most && *p >= '0' && *p <= '9'; p++)
    magnitude = magnitude * 10 + (guint64)(*p - '0');
  if (p == first || (*first == '0' && p > first + 1)
      || (p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E')))
    return read_other_integer (self, schema, place);

  self->scanner.cursor = p;
  return finish_integer (self, schema, text, p, negative, magnitude, place);
}

gboolean
wire_json_read_integers (JsonReader *self, const ProcfunSchema *schema, JsonPlace *place)
{
  do
    {
      if (!read_integer (self, schema, place))
        return FALSE;
      place->number++;
    }
  while (json_next_element (&self->scanner));
  return TRUE;
}

static gboolean
read_nick (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  g_autofree char *excerpt = NULL;
  JsonString string;
  const char *text;
  gsize length;

  if (!wire_json_scan_string (&self->scanner, &string))
    return FALSE;

  text = wire_json_get_text (self, &string, &length);
  for (guint i = 0; i < schema->n_nicks; i++)
    if (json_text_is (text, length, schema->names[i]))
      {
        append_integer (&self->out, sizeof (gint32), (guint64)schema->values[i]);
        return TRUE;
      }

  excerpt = wire_json_excerpt (string.text, string.length);
  return wire_json_read_error (self, place, _ ("the enumeration has no “%s”"), excerpt);
}

gboolean
wire_json_append_word (JsonReader *self, const ProcfunSchema *schema, const JsonString *string,
                       const JsonPlace *place)
{
  g_autofree char *excerpt = NULL;
  gsize length;
  const char *text = wire_json_get_text (self, string, &length);
  double value;

  if (json_text_is (text, length, "NaN"))
    value = NAN;
  else if (json_text_is (text, length, "Infinity"))
    value = INFINITY;
  else if (json_text_is (text, length, "-Infinity"))
    value = -INFINITY;
  else
    {
      excerpt = wire_json_excerpt (string->text, string->length);
      return wire_json_read_error (
          self, place, _ ("“%s” is not “NaN”, “Infinity”, “-Infinity” or a number"), excerpt);
    }
  buffer_append (&self->out, &value, sizeof value);
  return TRUE;
}

static gboolean
read_double (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonString string;
  Number number;
  double value;

  if (json_peek (&self->scanner) == '"')
    return wire_json_scan_string (&self->scanner, &string)
           && wire_json_append_word (self, schema, &string, place);

  if (!scan_number (self, &number, schema, place))
    return FALSE;
  if (!wire_number_to_double (&number, &value))
    return out_of_range (self, number.start, number.end, schema, place);
  buffer_append (&self->out, &value, sizeof value);
  return TRUE;
}

gboolean
wire_json_append_string (JsonReader *self, const ProcfunSchema *schema, const JsonString *string,
                         const JsonPlace *place)
{
  g_autofree char *excerpt = NULL;
  char *text;
  gsize length = string->length;
  gboolean valid = TRUE;

  if (string->nul)
    return wire_json_read_error (self, place, _ ("a string can't contain U+0000"));

  text = (char *)buffer_reserve (&self->out, length + 1);
  if (string->escaped)
    length = wire_json_unescape (string, text);
  else
    memcpy (text, string->text, length);
  text[length] = '\0';
  self->out.length += length + 1;

  if (schema->type_class == G_VARIANT_CLASS_OBJECT_PATH)
    valid = g_variant_is_object_path (text);
  else if (schema->type_class == G_VARIANT_CLASS_SIGNATURE)
    valid = g_variant_is_signature (text);
  if (valid)
    return TRUE;

  excerpt = wire_json_excerpt (text, length);
  return wire_json_read_error (self, place, _ ("“%s” is not %s"), excerpt,
                               wire_json_describe (schema));
}

static gboolean
read_string (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  JsonString string;

  if (json_peek (&self->scanner) != '"')
    return wire_json_wrong_type (self, schema, place);
  return json_scan_string (&self->scanner, &string)
         && wire_json_append_string (self, schema, &string, place);
}

gboolean
wire_json_read_scalar (JsonReader *self, const ProcfunSchema *schema, const JsonPlace *place)
{
  switch (schema->type_class)
    {
    case G_VARIANT_CLASS_BOOLEAN:
      return read_boolean (self, schema, place);
    case G_VARIANT_CLASS_DOUBLE:
      return read_double (self, schema, place);
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      return read_string (self, schema, place);
    default:
      if (schema->kind == PROCFUN_SCHEMA_ENUM && json_peek (&self->scanner) == '"')
        return read_nick (self, schema, place);
      return read_integer (self, schema, place);
    }
}

void
wire_json_reader_clear (JsonReader *self)
{
  wire_buffer_clear (&self->out);
  wire_buffer_clear (&self->offsets);
  wire_buffer_clear (&self->scratch);
  wire_schema_cache_clear (&self->schemas);
}
