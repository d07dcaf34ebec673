/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Lets calls of a function in a shared library go to another one of the same type, in this process
 * only, by the table through which each module calls others. The alternative, a function of the
 * same name in this library, would take part in every program that uses it, and would not be found
 * first where the library is loaded at run time.
 *
 * What is loaded later, statically linked programs, and addresses that were taken before are not
 * redirected. Not while other threads run. */
typedef struct
{
  const char *name;
  gpointer replacement;
  gpointer *original; /* (out): what @replacement calls */
} Redirect;

void redirect_calls (const Redirect *redirects, gsize n);
