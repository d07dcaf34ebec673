/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/known-files.h"
#include "procfun/wire/crash.h"
#include <glib.h>

/* Places in the code that addresses in a process which has crashed stand for. Names and lines are
 * looked up by somebody else: see process/naming.h. */
typedef struct _Places Places;

Places *places_new (void);
void places_free (Places *self);

/* All fields of @module are as the other process wrote them, but @path is UTF-8. */
void places_add_module (Places *self, const CrashModule *module, const char *path);

/* To be asked for. */
void places_add_address (Places *self, guint64 address);

/* Request about all these addresses that lie in files of @known, as wire/names.h has it.
 * (nullable): NULL: there are none. (transfer full) */
GBytes *places_make_request (Places *self, KnownFiles *known);

/* Takes an answer in, which may hold anything, or be cut. */
void places_read_answer (Places *self, GBytes *answer);

/* A place in the code, as "function (file.c:123)", "function" or "module+0x1234". */
typedef struct
{
  char *function; /* (nullable) */
  char *text;
  gboolean is_runtime; /* in a library that crashes when others make mistakes */
} CodePlace;

/* The place of the instruction at @address; several, the innermost first, where the compiler put
 * functions into others. (element-type CodePlace) (transfer none) */
GPtrArray *places_find (Places *self, guint64 address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Places, places_free)
