/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/symbols.h"

#include "procfun/platform/elf-file.h"
#include "procfun/platform/module.h"
#include <dlfcn.h>
#include <elf.h>
#include <string.h>

/* Names to be shown are cut behind this. */
#define NAME_MAX_BYTES 256

/* Bound of a C++ name that is demangled. Each reference can double the printed text, so a name of a
 * few hundred bytes could take for ever. 32 references make some 100 000 parts at most. */
#define MANGLED_MAX_BYTES 1024
#define MANGLED_MAX_REFERENCES 32
#define MANGLED_EXPANSION 4 /* references that one expansion of a parameter pack counts as */

struct _Symbols
{
  ElfFile file;
  ElfW (Shdr) * sections;
  gsize n_sections;
  ElfW (Sym) * symbols; /* (nullable) */
  gsize n_symbols;
  char *names; /* (nullable) */
  gsize names_size;
};

static const ElfW (Shdr) * find_section (Symbols *self, guint32 type)
{
  for (gsize i = 0; i < self->n_sections; i++)
    if (self->sections[i].sh_type == type)
      return &self->sections[i];
  return NULL;
}

typedef struct
{
  GBytes *build_id;
  gboolean found;
} BuildSearch;

static gboolean
on_note (const ElfNote *note, gpointer user_data)
{
  BuildSearch *search = user_data;
  gsize size;
  const guint8 *data = g_bytes_get_data (search->build_id, &size);

  search->found
      = note->type == NT_GNU_BUILD_ID && note->size == size && memcmp (note->data, data, size) == 0;
  return !search->found;
}

/* FALSE: it may not be read. */
static gboolean
spend (guint64 *budget, guint64 size)
{
  if (size > *budget)
    return FALSE;
  *budget -= size;
  return TRUE;
}

static gboolean
is_build (Symbols *self, GBytes *build_id, guint64 *budget)
{
  BuildSearch search = { .build_id = build_id };

  for (gsize i = 0; i < self->n_sections && !search.found; i++)
    {
      const ElfW (Shdr) *section = &self->sections[i];
      g_autofree guint8 *notes = NULL;

      if (section->sh_type != SHT_NOTE || !spend (budget, section->sh_size))
        continue;
      notes = elf_file_read (&self->file, section->sh_offset, section->sh_size);
      if (notes != NULL)
        elf_notes_foreach (notes, section->sh_size, section->sh_addralign, on_note, &search);
    }
  return search.found;
}

/* All functions if the file has them, else those that it offers to other modules. */
static void
read_symbols (Symbols *self, guint64 *budget)
{
  const ElfW (Shdr) *table = find_section (self, SHT_SYMTAB);
  const ElfW (Shdr) * names;

  if (table == NULL)
    table = find_section (self, SHT_DYNSYM);
  if (table == NULL || table->sh_link >= self->n_sections)
    return;
  names = &self->sections[table->sh_link];
  if (!spend (budget, names->sh_size) || !spend (budget, table->sh_size))
    return;
  self->names = elf_file_read (&self->file, names->sh_offset, names->sh_size);
  if (self->names == NULL)
    return;
  self->names_size = names->sh_size;
  self->symbols = elf_file_read (&self->file, table->sh_offset, table->sh_size);
  if (self->symbols != NULL)
    self->n_symbols = table->sh_size / sizeof *self->symbols;
}

static gboolean
read_sections (Symbols *self, guint64 *budget)
{
  if (!elf_file_is_native (&self->file)
      || !spend (budget, (guint64)self->file.header.e_shnum * self->file.header.e_shentsize))
    return FALSE;
  self->sections = elf_file_read_sections (&self->file, &self->n_sections);
  return self->sections != NULL;
}

Symbols *
symbols_new (int fd, GBytes *build_id, guint64 *budget)
{
  g_autoptr (Symbols) self = g_new0 (Symbols, 1);

  if (!elf_file_init (&self->file, fd) || !read_sections (self, budget)
      || (build_id != NULL && !is_build (self, build_id, budget)))
    return NULL;
  read_symbols (self, budget);
  return g_steal_pointer (&self);
}

void
symbols_free (Symbols *self)
{
  elf_file_clear (&self->file);
  g_free (self->sections);
  g_free (self->symbols);
  g_free (self->names);
  g_free (self);
}

int
symbols_get_fd (Symbols *self)
{
  return self->file.fd;
}

/* Of several names for the same code, programs use this one rather than a private one. */
static gboolean
is_better (const ElfW (Sym) * symbol, const ElfW (Sym) * than)
{
  return than == NULL
         || (ELF32_ST_BIND (symbol->st_info) != STB_LOCAL
             && ELF32_ST_BIND (than->st_info) == STB_LOCAL);
}

/* References to earlier parts of a name are S_, S0_, T_, T0_ and so on; St, Sa and their like stand
 * for a few letters. */
static gboolean
can_be_demangled (const char *name)
{
  guint n = 0;

  for (const char *at = name; *at != '\0' && n <= MANGLED_MAX_REFERENCES; at++)
    if (at - name > MANGLED_MAX_BYTES)
      return FALSE;
    else if ((at[0] == 'S' || at[0] == 'T')
             && (at[1] == '_' || g_ascii_isdigit (at[1]) || g_ascii_isupper (at[1])))
      n++;
    else if (at[0] == 'D' && at[1] == 'p')
      n += MANGLED_EXPANSION;
  return g_str_has_prefix (name, "_Z") && n <= MANGLED_MAX_REFERENCES;
}

typedef char *(*Demangle) (const char *name, char *buffer, gsize *size, int *status);

static Demangle demangle_func; /* (nullable): of the C++ library */

void
symbols_prepare (gboolean with_cxx)
{
  gpointer library = with_cxx ? module_open_library ("libstdc++.so.6") : NULL;

  if (library != NULL)
    demangle_func = (Demangle)dlsym (library, "__cxa_demangle");
  elf_file_prepare ();
}

/* (nullable) (transfer full) */
static char *
demangle (const char *name)
{
  int status;

  return demangle_func != NULL && can_be_demangled (name)
             ? demangle_func (name, NULL, NULL, &status)
             : NULL;
}

char *
symbols_demangle (const char *name)
{
  g_autofree char *demangled = demangle (name);
  const char *text = demangled != NULL ? demangled : name;
  char *valid = g_utf8_make_valid (text, (gssize)strnlen (text, NAME_MAX_BYTES));

  for (char *at = valid; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return valid;
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
