/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The executable or a shared library, as loaded into this process. */
typedef struct
{
  char *path;     /* (nullable): of a shared library's file; NULL for the executable */
  char *identity; /* equal for two files only when they are of the same build */
} Module;

/* The module that holds @address. (transfer full) */
Module *module_new_for_address (gconstpointer address);
void module_free (Module *self);

gboolean module_is_executable (gconstpointer address);

/* A path that executes the program that this process runs, even when its file was replaced or
 * removed meanwhile. */
char *module_get_executable_path (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Module, module_free)
