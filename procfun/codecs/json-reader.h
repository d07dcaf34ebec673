/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/codecs/json-path.h"
#include "procfun/codecs/json-scanner.h"
#include "procfun/values/buffer.h"
#include "procfun/values/serialised.h"

G_BEGIN_DECLS

/* Reads text and writes the serialised form of GVariant at once: a tree of GVariants, each with its
 * type, lock and reference count, would take ten times as long. The files json-read*.c share this.
 *
 * Functions read the value at the cursor, which no space precedes, and leave the cursor behind it;
 * they return FALSE with the error set. */
typedef struct
{
  JsonScanner scanner;
  Buffer out;     /* begins aligned, as malloc() aligns */
  Buffer offsets; /* (element-type gsize): framing offsets of containers that are not closed yet */
  Buffer scratch; /* strings without their escapes */
  SchemaCache schemas;
  guint level; /* containers around the cursor */
} JsonReader;

gboolean wire_json_read_value (JsonReader *self, const ProcfunSchema *schema,
                               const JsonPlace *place);

/* json-read-containers.c */
gboolean wire_json_read_array (JsonReader *self, const ProcfunSchema *schema,
                               const JsonPlace *place);
gboolean wire_json_read_maybe (JsonReader *self, const ProcfunSchema *schema,
                               const JsonPlace *place);
gboolean wire_json_read_members (JsonReader *self, const ProcfunSchema *schema,
                                 const JsonPlace *place);
gboolean wire_json_read_variant (JsonReader *self, const ProcfunSchema *schema,
                                 const JsonPlace *place);

/* json-read-object.c */
typedef gboolean (*JsonReadField) (JsonReader *self, const ProcfunSchema *schema, guint index,
                                   const JsonPlace *place, gpointer data);

/* An object whose names are known: calls @read for each of the @n @names in order, whatever the
 * order of the text. */
gboolean wire_json_read_object (JsonReader *self, const ProcfunSchema *schema, guint n,
                                const char *const *names, JsonReadField read, gpointer data,
                                const JsonPlace *place);

/* An object as a dictionary; @schema is that of the array. */
gboolean wire_json_read_dictionary (JsonReader *self, const ProcfunSchema *schema,
                                    const JsonPlace *place);

/* Errors */
gboolean wire_json_read_error (JsonReader *self, const JsonPlace *place, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* “an int32”, translated */
const char *wire_json_describe (const ProcfunSchema *schema);
/* What is at the cursor is no value of the schema. */
gboolean wire_json_wrong_type (JsonReader *self, const ProcfunSchema *schema,
                               const JsonPlace *place);

/* What a string means, not ended by a NUL; valid until the next call. */
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

/* After a child of a container that began at @start: notes where it ended, if that has to be known.
 */
static inline void
json_note_offset (JsonReader *self, const ProcfunSchema *schema, guint index, gsize start)
{
  gsize offset = self->out.length - start;

  if (schema->children[index]->fixed_size == 0 && index + 1 < schema->n_children)
    buffer_append (&self->offsets, &offset, sizeof offset);
}

/* Ends a tuple or dictionary entry that began at @start, when @offsets was the length of offsets.
 */
void wire_json_end_members (JsonReader *self, const ProcfunSchema *schema, gsize start,
                            gsize offsets);

/* Ends an array, likewise. */
void wire_json_end_array (JsonReader *self, const ProcfunSchema *schema, gsize start,
                          gsize offsets);

G_END_DECLS
