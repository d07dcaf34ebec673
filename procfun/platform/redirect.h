/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Redirects calls of a function in a shared library to another function of the same type, in this
 * process only, by the table through which each module calls others. The alternative, a function of
 * the same name in this library, would take part in every program that uses it, and would not be
 * found first where the library is loaded at run time. Modules loaded later, statically linked
 * programs and addresses taken before are not redirected. Not for use while other threads run. */
typedef struct
{
  const char *name;
  gpointer replacement;
  gpointer *original; /* (out): what @replacement calls */
} Redirect;

void redirect_calls (const Redirect *redirects, gsize n);
