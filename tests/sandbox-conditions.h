/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Skips the test where a sandbox cannot be had. */
gboolean sandbox_skips (void);

/* A new folder with "file", "file-to-go" and "folder"; (transfer full) in the second one */
char *sandbox_make_folder (void);
void sandbox_remove_folder (char *folder);

/* Adds a test that runs all others of the program as a user without rights. @path: its own */
void sandbox_add_other_user (const char *path);

G_END_DECLS
