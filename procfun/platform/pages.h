/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Private memory for data of any size: much of it in pages as large as the kernel has. */

/* (nullable): the contents are any. */
gpointer pages_new (gsize size);
void pages_free (gpointer data, gsize size);

/* From now on the large pages that were freed last are kept for data of the same size. A process
 * that has nothing to do drops them. */
void pages_keep_spare (void);
gboolean pages_have_spare (void);
void pages_drop_spare (void);

/* Takes @data, of which @size bytes are used. */
GBytes *pages_to_bytes (gpointer data, gsize size);

/* (nullable): a copy */
GBytes *pages_copy (gconstpointer data, gsize size);
