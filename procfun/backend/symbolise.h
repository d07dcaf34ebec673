/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/crash.h"
#include <glib.h>

/* From addresses in another process to places in the code. */
typedef struct _Symboliser Symboliser;

/* Names are looked up until @until, lines in the first half of the time that is left: monotonic, in
 * µs. */
Symboliser *symboliser_new (gint64 until);
void symboliser_free (Symboliser *self);

/* All of its fields are as the other process wrote them, but @path is UTF-8. */
void symboliser_add_module (Symboliser *self, const CrashModule *module, const char *path);

/* A place in the code, as "function (file.c:123)", "function" or "module+0x1234". */
typedef struct
{
  char *function; /* (nullable) */
  char *text;
  gboolean is_runtime; /* in a library that crashes when others make mistakes */
} Place;

/* The place of the instruction at @address; several, the innermost first, where the compiler put
 * functions into others. (element-type Place) (transfer none) */
GPtrArray *symboliser_find (Symboliser *self, guint64 address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Symboliser, symboliser_free)
