/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-keys.h"

#include <stdlib.h>
#include <string.h>

#define FEW 12

static inline gboolean
equal (const JsonKey *a, const JsonKey *b)
{
  return a->size == b->size && memcmp (a->data, b->data, a->size) == 0;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const JsonKey *one = a, *other = b;

  if (one->size != other->size)
    return one->size < other->size ? -1 : 1;
  return memcmp (one->data, other->data, one->size);
}

static const JsonKey *
find_among_few (const JsonKey *keys, gsize n_keys)
{
  for (gsize i = 1; i < n_keys; i++)
    for (gsize j = 0; j < i; j++)
      if (equal (&keys[i], &keys[j]))
        return &keys[i];
  return NULL;
}

/* Sorting, because no choice of keys makes it slow. */
const JsonKey *
wire_json_find_duplicate (JsonKey *keys, gsize n_keys)
{
  if (n_keys <= FEW)
    return find_among_few (keys, n_keys);

  qsort (keys, n_keys, sizeof *keys, compare);
  for (gsize i = 1; i < n_keys; i++)
    if (equal (&keys[i - 1], &keys[i]))
      return &keys[i];
  return NULL;
}
