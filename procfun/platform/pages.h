/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Private memory for data of any size: much of it in pages as large as the kernel has. */

/* (nullable) */
gpointer pages_new (gsize size);
void pages_free (gpointer data, gsize size);

/* Takes @data, of which @size bytes are used. */
GBytes *pages_to_bytes (gpointer data, gsize size);
