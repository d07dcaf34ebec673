/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The executable or a shared library, as loaded into this process; or another program that this
 * process calls. */
typedef struct
{
  char *path;     /* (nullable): of a shared library's file, or of the other program; NULL for the
                     executable */
  char *identity; /* equal only for files of the same build */
  gboolean is_program; /* path is of another program */
  const char *key;     /* (nullable): module_get_key(), once it was asked for */
} Module;

/* The module that holds @address. (transfer full) */
Module *module_new_for_address (gconstpointer address);

/* Another program, or a library that another process loads. (transfer full) */
Module *module_new_for_file (const char *path, gboolean is_program, const char *identity);
void module_free (Module *self);

/* Path and build of what has a path, interned. From any thread. */
const char *module_get_key (const Module *self);

gboolean module_is_executable (gconstpointer address);

/* dlopen(3) that fails in a program that was linked statically, where the C library would bring a
 * second one of itself along. */
gpointer module_open_library (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Module, module_free)
