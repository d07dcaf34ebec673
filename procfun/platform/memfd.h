/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Memory that processes share by a descriptor. */

/* @size bytes of it, all 0. Only bytes that were written take room, and the size is fixed. -1:
 * there is none to have. */
int memfd_new (const char *name, gsize size, GError **error);

/* Whether the program may have a file of @size bytes: the kernel counts such memory as one, and
 * ends the program that writes beyond its limit. */
gboolean memfd_is_allowed (gsize size);

/* Gives the room from @offset on back; bytes read there are 0 then. */
void memfd_clear (int fd, gsize offset, gsize size);

/* (nullable): all of it, in this process. */
gpointer memfd_map (int fd, gsize *size);

/* Keeps it from processes that this one forks. */
void memfd_hide_from_children (gpointer data, gsize size);
void memfd_unmap (gpointer data, gsize size);

/* A byte that is not 0 in this process, and 0 in each process that it forks. Reading it is cheaper
 * than getpid(). (nullable) */
const volatile guint8 *memfd_new_mark (void);
