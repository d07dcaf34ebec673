/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/uio.h>

/* Memory that processes share by a descriptor. */

/* In bytes, as most kernels have them. */
#define MEMFD_LARGE_PAGE ((gsize)2 * 1024 * 1024)

/* @size bytes of it, all 0. Only bytes that were written take room, and the size is fixed. -1:
 * there is none to have. */
int memfd_new (const char *name, gsize size, GError **error);

/* Whether the program may have a file of @size bytes: the kernel counts such memory as one, and
 * ends the program that writes beyond its limit. */
gboolean memfd_is_allowed (gsize size);

/* As many bytes as @parts have, and these: nobody can change them any more. -1: there is none to
 * have. */
int memfd_new_sealed (const char *name, const struct iovec *parts, guint n_parts);

/* @size bytes of it, some megabytes, in large pages, written at *@memory until memfd_seal() makes
 * them unchangeable. -1: there is none to have. */
int memfd_new_large (const char *name, gsize size, gpointer *memory);
gboolean memfd_seal (int fd, gpointer memory, gsize size);

/* @size bytes of it, written here by *@memory alone; others can read it. */
int memfd_new_for_readers (const char *name, gsize size, gpointer *memory);

/* Makes the memory unchangeable for everybody, and @data, which is all of it, read-only. FALSE:
 * some process may still write to it. */
gboolean memfd_make_constant (int fd, gpointer data, gsize size);

/* FALSE: there is no memory for it. */
gboolean memfd_write (int fd, gsize offset, const struct iovec *parts, guint n_parts);

/* How much of another process's memory can be read here without a fault: its size if that is fixed,
 * else 0. @is_constant: nobody can change the bytes. */
gsize memfd_check (int fd, gboolean *is_constant);

/* (nullable): @size bytes from @offset on, to be read. */
gpointer memfd_map_to_read (int fd, gsize offset, gsize size, gboolean is_constant);

/* (nullable): the first @size bytes. */
gpointer memfd_map_to_write (int fd, gsize size);

/* Has memory for @data, all 0 where nothing was written, in pages as large as the kernel has: one
 * of them is had as soon as a hundred small ones, and mapped elsewhere in no time. FALSE: a part
 * has none, or small pages. */
gboolean memfd_enlarge_pages (gpointer data, gsize size);

/* Has memory for all of @data, which is written soon. FALSE: there is none. */
gboolean memfd_populate (gpointer data, gsize size);

/* Takes the memory for @data at once, where that makes it cheaper to write all of it. */
void memfd_prepare (gpointer data, gsize size);

/* Gives the room from @offset on back; bytes read there are 0 then. */
void memfd_clear (int fd, gsize offset, gsize size);

/* The same for a mapping, which stays. @is_read_only: as before */
void memfd_give_back (gpointer data, gsize size, gboolean is_read_only);

/* (nullable): all of it, in this process. */
gpointer memfd_map (int fd, gsize *size);

/* Keeps it from processes that this one forks. */
void memfd_hide_from_children (gpointer data, gsize size);
void memfd_unmap (gpointer data, gsize size);
