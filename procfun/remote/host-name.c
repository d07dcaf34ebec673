/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-name.h"

#include "procfun/base/readable.h"
#include <string.h>

#define NAMES_MAX 65536

#define NAME_MAX_BYTES 256

static GMutex lock;
static GHashTable
    *usual; /* (nullable) (element-type utf8): that are kept, and are as hosts say them */

/* (nullable): to make a name readable takes longer than the rest of a short message */
static const char *
find_usual (const char *name)
{
  const char *found;

  g_mutex_lock (&lock);
  found = usual != NULL ? g_hash_table_lookup (usual, name) : NULL;
  g_mutex_unlock (&lock);
  return found;
}

static const char *
add_usual (const char *interned)
{
  g_mutex_lock (&lock);
  if (usual == NULL)
    usual = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_add (usual, (gpointer)interned);
  g_mutex_unlock (&lock);
  return interned;
}

/* (nullable): there are too many */
static const char *
intern (const char *readable)
{
  static gint n_names;
  const GQuark known = g_quark_try_string (readable);

  if (known != 0)
    return g_quark_to_string (known);
  if (g_atomic_int_get (&n_names) >= NAMES_MAX)
    return NULL;
  g_atomic_int_inc (&n_names);
  return g_intern_string (readable);
}

const char *
host_name_keep (const char *name)
{
  const char *kept = name != NULL ? find_usual (name) : NULL;
  g_autofree char *readable = NULL;

  if (name == NULL || kept != NULL)
    return kept;
  readable = readable_line (name, (gssize)strnlen (name, NAME_MAX_BYTES));
  kept = intern (readable);
  if (kept == NULL)
    return "…";
  return g_str_equal (kept, name) ? add_usual (kept) : kept;
}
