/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Facts about an ELF file. A file is not executed only to find out whether it uses procfun. */
typedef struct
{
  gboolean is_program; /* and not a shared library */
  GStrv functions;     /* the names in the notes that PROCFUN_DEFINE_FUNCTION leaves, sorted */
} Elf;

void elf_clear (Elf *self);

/* Reads a file, which may be any. FALSE when it cannot be read, is no program or library for this
 * machine, or has no functions. */
gboolean elf_read (Elf *self, const char *path, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Elf, elf_clear)
