/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <link.h>

/* An ELF file that may be damaged or made to mislead: elf(5). Each offset and size in it is
 * checked, and it is read rather than mapped, as it may be cut meanwhile. */
typedef struct
{
  int fd; /* owned */
  guint64 size;
  ElfW (Ehdr) header;
} ElfFile;

typedef struct
{
  guint32 type;
  const char *owner; /* not terminated */
  gsize owner_size;
  const guint8 *data;
  gsize size;
} ElfNote;

/* FALSE ends the search. */
typedef gboolean (*ElfNoteFunc) (const ElfNote *note, gpointer user_data);

/* Takes @fd, of a regular file. FALSE: there is no ELF header in it. */
gboolean elf_file_init (ElfFile *self, int fd);
void elf_file_clear (ElfFile *self);

/* Whether the file has the class, byte order and processor of this process. */
gboolean elf_file_is_native (const ElfFile *self);

/* Finds out what that is, for a process that will be allowed to open no more files. */
void elf_file_prepare (void);

/* (transfer full) (nullable): @size bytes from @offset on with a NUL behind them; NULL: the file
 * has fewer, or @size is 0 or too large for any table. */
gpointer elf_file_read (const ElfFile *self, guint64 offset, guint64 size);

/* The tables of a native file, @n entries. (transfer full) (nullable) */
ElfW (Phdr) * elf_file_read_segments (const ElfFile *self, gsize *n);
ElfW (Shdr) * elf_file_read_sections (const ElfFile *self, gsize *n);

/* Reads the notes in @size bytes at @data. FALSE: they are damaged. */
gboolean elf_notes_foreach (const guint8 *data, gsize size, gsize alignment, ElfNoteFunc func,
                            gpointer user_data);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ElfFile, elf_file_clear)
