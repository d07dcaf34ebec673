/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Large bytes and arrays of numbers within a value that go another way than the rest of it. In the
 * rest empty ones of the same type stand for them. */

#define PARTS_MAX_DEPTH 12

typedef struct
{
  GBytes *bytes;
  gboolean is_changeable;           /* by a process that is not trusted */
  guint32 depth;                    /* number of indices */
  guint32 indices[PARTS_MAX_DEPTH]; /* of the children that lead to it */
} Part;

/* An array of these, in the order of the value. */
GArray *parts_new (void);

/* Sum of their bytes. */
gsize parts_get_size (const GArray *parts); /* @parts: (nullable) */

typedef gboolean (*PartsFilter) (gconstpointer data, gsize size, gpointer user_data);

/* Takes out what @filter wants, of at least @min_size bytes, as long as there are not @max_parts.
 * Only where a value was built of others, and not made serialised, they are found. (transfer full):
 * the rest, which is @value itself where there are none */
GVariant *parts_take_out (GVariant *value, gsize min_size, guint max_parts, PartsFilter filter,
                          gpointer user_data, GArray *parts);

/* Whether a value consists of other values, and is not serialised. */
gboolean parts_is_built (GVariant *value);

/* (transfer full) (nullable): NULL if there is no place for them. */
GVariant *parts_put_back (GVariant *rest, const GArray *parts);

G_END_DECLS
