/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A place in a value. Each container has one on the stack and passes it to the functions that read
 * or write its children; only an error makes text of it. NULL is the outermost value. */
typedef struct _JsonPlace JsonPlace;

struct _JsonPlace
{
  const JsonPlace *parent; /* (nullable) */
  const char *name;        /* (nullable): NULL in arrays */
  gsize number;            /* the index, or the length of the name */
};

#define JSON_PLACE_WHOLE G_MAXSIZE /* a name that ends with a NUL */

static inline JsonPlace
json_place_name (const JsonPlace *parent, const char *name)
{
  return (JsonPlace){ parent, name, JSON_PLACE_WHOLE };
}

/* A place like a JSON pointer (RFC 6901), except that the outermost is “/” and long names are cut.
 */
char *wire_json_place_to_string (const JsonPlace *self);

/* “/a/x: 300 is out of range”. Always FALSE. */
gboolean wire_json_set_error (GError **error, int code, const JsonPlace *place, const char *format,
                              ...) G_GNUC_PRINTF (4, 5);

/* At most @length bytes, for a message: cut where it is long. */
char *wire_json_excerpt (const char *text, gsize length);

G_END_DECLS
