/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/host-name.h"

#include "procfun/base/readable.h"
#include <string.h>

#define NAMES_MAX 65536

#define NAME_MAX_BYTES 256

const char *
host_name_keep (const char *name)
{
  static gint n_names;
  g_autofree char *readable = NULL;
  GQuark known;

  if (name == NULL)
    return NULL;
  readable = readable_line (name, (gssize)strnlen (name, NAME_MAX_BYTES));
  known = g_quark_try_string (readable);
  if (known != 0)
    return g_quark_to_string (known);
  if (g_atomic_int_get (&n_names) >= NAMES_MAX)
    return "…";
  g_atomic_int_inc (&n_names);
  return g_intern_string (readable);
}
