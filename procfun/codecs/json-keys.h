/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A key of a dictionary, in serialised form without the NUL of a string. */
typedef struct
{
  const guint8 *data;
  gsize size;
} JsonKey;

/* A duplicate key, or NULL. Leaves the keys in another order. */
const JsonKey *wire_json_find_duplicate (JsonKey *keys, gsize n_keys);

G_END_DECLS
