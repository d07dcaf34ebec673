/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/symbols.h"

#include "procfun/platform/module.h"

#include "procfun/platform/fds.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>

/* Of a table; the largest programs, with all their static functions, have some tens of MiB. */
#define TABLE_MAX ((gsize)128 * 1024 * 1024)

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define OWN_BYTE_ORDER ELFDATA2LSB
#else
#define OWN_BYTE_ORDER ELFDATA2MSB
#endif
#define OWN_CLASS (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32)

struct _Symbols
{
  int fd;
  ElfW (Shdr) * sections;
  gsize n_sections;
  ElfW (Sym) * symbols; /* (nullable) */
  gsize n_symbols;
  char *names; /* (nullable) */
  gsize names_size;
};

/* (transfer full) (nullable): all of it or nothing, with a NUL behind. */
static gpointer
read_part (int fd, guint64 offset, guint64 size)
{
  g_autofree char *data = NULL;
  gsize n = 0;

  if (size == 0 || size > TABLE_MAX || offset > G_MAXINT64 - TABLE_MAX)
    return NULL;
  data = g_try_malloc (size + 1);
  while (data != NULL && n < size)
    {
      gssize more = pread (fd, data + n, size - n, (off_t)(offset + n));

      if (more <= 0 && (more == 0 || errno != EINTR))
        return NULL;
      n += (gsize)MAX (more, 0);
    }
  if (data != NULL)
    data[size] = '\0';
  return g_steal_pointer (&data);
}

static gboolean
read_sections (Symbols *self)
{
  g_autofree ElfW (Ehdr) *head = read_part (self->fd, 0, sizeof *head);

  if (head == NULL || memcmp (head->e_ident, ELFMAG, SELFMAG) != 0
      || head->e_ident[EI_CLASS] != OWN_CLASS || head->e_ident[EI_DATA] != OWN_BYTE_ORDER
      || head->e_shentsize != sizeof *self->sections)
    return FALSE;
  self->n_sections = head->e_shnum;
  self->sections
      = read_part (self->fd, head->e_shoff, (guint64)head->e_shnum * sizeof *self->sections);
  return self->sections != NULL;
}

static const ElfW (Shdr) * find_section (Symbols *self, guint32 type)
{
  for (gsize i = 0; i < self->n_sections; i++)
    if (self->sections[i].sh_type == type)
      return &self->sections[i];
  return NULL;
}

/* The format of notes: elf(5). */
static gboolean
notes_hold (const guint8 *at, gsize size, const guint8 *build_id, gsize build_id_size)
{
  ElfW (Nhdr) note;

  while (size >= sizeof note)
    {
      gsize name_size, whole_size;

      memcpy (&note, at, sizeof note);
      name_size = ((gsize)note.n_namesz + 3) & ~(gsize)3;
      whole_size = sizeof note + name_size + (((gsize)note.n_descsz + 3) & ~(gsize)3);
      if (whole_size > size)
        break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz == build_id_size
          && memcmp (at + sizeof note + name_size, build_id, build_id_size) == 0)
        return TRUE;
      at += whole_size;
      size -= whole_size;
    }
  return FALSE;
}

static gboolean
is_build (Symbols *self, GBytes *build_id)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (build_id, &size);

  for (gsize i = 0; i < self->n_sections; i++)
    {
      const ElfW (Shdr) *section = &self->sections[i];
      g_autofree guint8 *notes = section->sh_type == SHT_NOTE
                                     ? read_part (self->fd, section->sh_offset, section->sh_size)
                                     : NULL;

      if (notes != NULL && notes_hold (notes, section->sh_size, data, size))
        return TRUE;
    }
  return FALSE;
}

/* All functions where the file has them, else what it gives to other modules. */
static void
read_symbols (Symbols *self)
{
  const ElfW (Shdr) *table = find_section (self, SHT_SYMTAB);
  const ElfW (Shdr) * names;

  if (table == NULL)
    table = find_section (self, SHT_DYNSYM);
  if (table == NULL || table->sh_link >= self->n_sections)
    return;
  names = &self->sections[table->sh_link];
  self->names = read_part (self->fd, names->sh_offset, names->sh_size);
  if (self->names == NULL)
    return;
  self->names_size = names->sh_size;
  self->symbols = read_part (self->fd, table->sh_offset, table->sh_size);
  if (self->symbols != NULL)
    self->n_symbols = table->sh_size / sizeof *self->symbols;
}

/* O_NONBLOCK: a FIFO would wait for somebody to write. */
Symbols *
symbols_open (const char *path, GBytes *build_id)
{
  g_autoptr (Symbols) self = g_new0 (Symbols, 1);
  struct stat st;

  self->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (self->fd < 0 || fstat (self->fd, &st) != 0 || !S_ISREG (st.st_mode) || !read_sections (self)
      || (build_id != NULL && !is_build (self, build_id)))
    return NULL;
  read_symbols (self);
  return g_steal_pointer (&self);
}

void
symbols_free (Symbols *self)
{
  fd_clear (&self->fd);
  g_free (self->sections);
  g_free (self->symbols);
  g_free (self->names);
  g_free (self);
}

int
symbols_get_fd (Symbols *self)
{
  return self->fd;
}

/* Where the same code has several names, the one that programs use rather than a private one. */
static gboolean
is_better (const ElfW (Sym) * symbol, const ElfW (Sym) * than)
{
  return than == NULL
         || (ELF32_ST_BIND (symbol->st_info) != STB_LOCAL
             && ELF32_ST_BIND (than->st_info) == STB_LOCAL);
}

/* C++ knows how, and is there where such a function was. */
char *
symbols_demangle (const char *name)
{
  typedef char *(*Demangle) (const char *name, char *buffer, gsize *size, int *status);
  gpointer library = g_str_has_prefix (name, "_Z") ? module_open_library ("libstdc++.so.6") : NULL;
  Demangle func = library != NULL ? (Demangle)dlsym (library, "__cxa_demangle") : NULL;
  int status;
  char *text;

  text = func != NULL ? func (name, NULL, NULL, &status) : NULL;
  return text != NULL ? text : g_strdup (name);
}

/* Compilers make several functions of one, such as decode.part.0, and linkers add versions. */
static char *
clean (const char *name)
{
  g_autofree char *plain = g_strndup (name, strcspn (name, ".@"));

  return symbols_demangle (plain);
}

char *
symbols_find (Symbols *self, guint64 address)
{
  const ElfW (Sym) *best = NULL;

  for (gsize i = 0; i < self->n_symbols; i++)
    {
      const ElfW (Sym) *symbol = &self->symbols[i];

      if (symbol->st_shndx != SHN_UNDEF && symbol->st_name < self->names_size
          && (ELF32_ST_TYPE (symbol->st_info) == STT_FUNC
              || ELF32_ST_TYPE (symbol->st_info) == STT_GNU_IFUNC)
          && address >= symbol->st_value && address - symbol->st_value < symbol->st_size
          && is_better (symbol, best))
        best = symbol;
    }
  return best != NULL ? clean (self->names + best->st_name) : NULL;
}
