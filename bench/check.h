/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

G_BEGIN_DECLS

/* Ends the program when there is an error. */
static inline void
check (const GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

G_END_DECLS
