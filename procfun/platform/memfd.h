/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Memory that processes share by a descriptor. */

/* @size bytes of it, all 0, of which only those take room that were written. Its size is fixed. -1:
 * there is none to have. */
int memfd_new (const char *name, gsize size, GError **error);

/* Whether the program may have a file of @size bytes: the kernel counts such memory as one, and
 * ends the program that writes beyond its limit. */
gboolean memfd_is_allowed (gsize size);

/* Gives the room back that was taken from @offset on; what is read there is 0. */
void memfd_clear (int fd, gsize offset, gsize size);

/* (nullable): all of it, in this process. */
gpointer memfd_map (int fd, gsize *size);

/* Processes that this one forks do not have it. */
void memfd_hide_from_children (gpointer data, gsize size);
void memfd_unmap (gpointer data, gsize size);

/* What is not 0 in this process, and 0 in each that it forks; to look is cheaper than to ask who
 * one is. (nullable) */
const volatile guint8 *memfd_new_mark (void);
