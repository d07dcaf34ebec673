/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/crash.h"
#include <glib.h>

/* From addresses in another process to places in the code. */
typedef struct _Symboliser Symboliser;

/* @budget: CPU time in µs, half of it for names and half for lines; when it is used up no more is
 * looked up. The names of the first places do not depend on it. */
Symboliser *symboliser_new (gint64 budget);
void symboliser_free (Symboliser *self);

/* All of its fields are as the other process wrote them, but @path is UTF-8. */
void symboliser_add_module (Symboliser *self, const CrashModule *module, const char *path);

/* A place in the code, as "function (file.c:123)", "function" or "module+0x1234". */
typedef struct
{
  char *function; /* (nullable) */
  char *text;
  gboolean is_runtime; /* in a library that crashes when others make mistakes */
} CodePlace;

/* The place of the instruction at @address; several, the innermost first, where the compiler put
 * functions into others. (element-type CodePlace) (transfer none) */
GPtrArray *symboliser_find (Symboliser *self, guint64 address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Symboliser, symboliser_free)
