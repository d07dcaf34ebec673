/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/codecs/json-path.h"
#include "procfun/codecs/json-scanner.h"
#include "procfun/values/byte-buffer.h"
#include "procfun/values/serialised.h"

G_BEGIN_DECLS

/* Reads text and writes the serialised form of GVariant at once: a tree of GVariants, each with its
 * type, lock and reference count, would take ten times as long.
 *
 * Functions read the value at the cursor, which no space precedes, and leave the cursor behind it;
 * they return FALSE with the error set. Values without others in them are read here, containers in
 * json-read.c. */
typedef struct
{
  JsonScanner scanner;
  Buffer out;     /* begins aligned, as malloc() aligns */
  Buffer offsets; /* (element-type gsize): framing offsets of containers that are not closed yet */
  Buffer scratch; /* strings without their escapes */
  SchemaCache schemas;
  guint level; /* containers around the cursor */
} JsonReader;

void wire_json_reader_clear (JsonReader *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JsonReader, wire_json_reader_clear)

/* The text as a whole, with space around its value. The second one fails for a type that no reader
 * can read. */
gboolean wire_json_read_text (JsonReader *self, const ProcfunSchema *schema);
gboolean wire_json_check_depth (const ProcfunSchema *schema, GError **error);

gboolean wire_json_read_scalar (JsonReader *self, const ProcfunSchema *schema,
                                const JsonPlace *place);

/* Errors */
gboolean wire_json_read_error (JsonReader *self, const JsonPlace *place, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* “an int32”, translated */
const char *wire_json_describe (const ProcfunSchema *schema);
/* The error for a value at the cursor that does not fit the schema. */
gboolean wire_json_wrong_type (JsonReader *self, const ProcfunSchema *schema,
                               const JsonPlace *place);

/* The text without its escapes, and without a NUL at its end; valid until the next call. */
const char *wire_json_get_text (JsonReader *self, const JsonString *string, gsize *length);

static inline gboolean
json_text_is (const char *text, gsize length, const char *name)
{
  /* names are short, and most differ in their first character */
  for (gsize i = 0; i < length; i++)
    if (text[i] != name[i] || name[i] == '\0')
      return FALSE;
  return name[length] == '\0';
}

/* The elements of an array of integers, and the commas between them. */
gboolean wire_json_read_integers (JsonReader *self, const ProcfunSchema *schema, JsonPlace *place);

/* A string of the text, as a value of @schema: a string, object path or signature; a double that
 * JSON has no number for. */
gboolean wire_json_append_string (JsonReader *self, const ProcfunSchema *schema,
                                  const JsonString *string, const JsonPlace *place);
gboolean wire_json_append_word (JsonReader *self, const ProcfunSchema *schema,
                                const JsonString *string, const JsonPlace *place);

G_END_DECLS
