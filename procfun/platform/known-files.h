/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* Files of code that this process may open because it, or another process that it trusts, executes
 * them. */
typedef struct _KnownFiles KnownFiles;

/* Those of this process. */
KnownFiles *known_files_new (void);
void known_files_free (KnownFiles *self);

/* Those of another one, too, as long as it lives. */
void known_files_add_process (KnownFiles *self, pid_t pid);

/* One that is named by this program. */
void known_files_add (KnownFiles *self, const char *path);

/* Path at which the file can be opened by a child of this process. @build_id, of @size bytes (0:
 * none), and @path: what is said of it. (nullable): it is none of these files. (transfer full) */
char *known_files_find (KnownFiles *self, const guint8 *build_id, gsize size, const char *path);

/* Whether one of them is the C++ library. */
gboolean known_files_has_cxx (KnownFiles *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KnownFiles, known_files_free)
