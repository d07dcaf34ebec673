/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/redirect.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Kinds of entries that hold the address of a function and nothing else, and whether entries have
 * an addend: the ELF supplement of each processor. */
#if defined(__x86_64__)
#define IS_SLOT(info)                                                                              \
  (ELF64_R_TYPE (info) == R_X86_64_JUMP_SLOT || ELF64_R_TYPE (info) == R_X86_64_GLOB_DAT)
#define SYMBOL_OF(info) ELF64_R_SYM (info)
#define HAS_ADDEND 1
#elif defined(__i386__)
#define IS_SLOT(info)                                                                              \
  (ELF32_R_TYPE (info) == R_386_JMP_SLOT || ELF32_R_TYPE (info) == R_386_GLOB_DAT)
#define SYMBOL_OF(info) ELF32_R_SYM (info)
#define HAS_ADDEND 0
#elif defined(__aarch64__)
#define IS_SLOT(info)                                                                              \
  (ELF64_R_TYPE (info) == R_AARCH64_JUMP_SLOT || ELF64_R_TYPE (info) == R_AARCH64_GLOB_DAT)
#define SYMBOL_OF(info) ELF64_R_SYM (info)
#define HAS_ADDEND 1
#elif defined(__s390x__)
#define IS_SLOT(info)                                                                              \
  (ELF64_R_TYPE (info) == R_390_JMP_SLOT || ELF64_R_TYPE (info) == R_390_GLOB_DAT)
#define SYMBOL_OF(info) ELF64_R_SYM (info)
#define HAS_ADDEND 1
#endif

#ifdef IS_SLOT

#if HAS_ADDEND
typedef ElfW (Rela) Slot;
#define TAG_SLOTS DT_RELA
#define TAG_SLOTS_SIZE DT_RELASZ
#define TAG_N_RELATIVE DT_RELACOUNT
#else
typedef ElfW (Rel) Slot;
#define TAG_SLOTS DT_REL
#define TAG_SLOTS_SIZE DT_RELSZ
#define TAG_N_RELATIVE DT_RELCOUNT
#endif

/* Content of the dynamic section of a module: elf(5). */
typedef struct
{
  const struct dl_phdr_info *info;
  const Redirect *redirects;
  gsize n_redirects;

  const ElfW (Sym) * symbols;
  const char *strings;
  const Slot *slots; /* of functions, bound when they are first called */
  gsize slots_size;
  const Slot *others; /* of functions that are bound at once, too */
  gsize others_size;
  gsize n_relative; /* the first of the others have no symbol */
  gboolean writable;
} Imports;

/* The loader replaces offsets by addresses, but not in every module. */
static gconstpointer
get_pointer (const Imports *self, const ElfW (Dyn) * entry)
{
  ElfW (Addr) address = entry->d_un.d_ptr;

  return (gconstpointer)(address < self->info->dlpi_addr ? self->info->dlpi_addr + address
                                                         : address);
}

static void
read_entry (Imports *self, const ElfW (Dyn) * entry)
{
  switch (entry->d_tag)
    {
    case DT_SYMTAB:
      self->symbols = get_pointer (self, entry);
      break;
    case DT_STRTAB:
      self->strings = get_pointer (self, entry);
      break;
    case DT_JMPREL:
      self->slots = get_pointer (self, entry);
      break;
    case DT_PLTRELSZ:
      self->slots_size = entry->d_un.d_val;
      break;
    case TAG_SLOTS:
      self->others = get_pointer (self, entry);
      break;
    case TAG_SLOTS_SIZE:
      self->others_size = entry->d_un.d_val;
      break;
    case TAG_N_RELATIVE:
      self->n_relative = entry->d_un.d_val;
      break;
    default:
      break;
    }
}

static gboolean
read_dynamic (Imports *self)
{
  const ElfW (Dyn) *entry = NULL;

  for (int i = 0; i < self->info->dlpi_phnum; i++)
    if (self->info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      entry = (const ElfW (Dyn) *)(self->info->dlpi_addr + self->info->dlpi_phdr[i].p_vaddr);
  for (; entry != NULL && entry->d_tag != DT_NULL; entry++)
    read_entry (self, entry);
  return self->symbols != NULL && self->strings != NULL;
}

/* Entries that the loader has bound at once are read-only by then: the pages of a segment, the last
 * one only if it is full. */
static void
protect (Imports *self, int protection)
{
  const ElfW (Addr) page_size = (ElfW (Addr))sysconf (_SC_PAGESIZE);

  for (int i = 0; i < self->info->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *header = &self->info->dlpi_phdr[i];
      ElfW (Addr) start = self->info->dlpi_addr + header->p_vaddr;
      ElfW (Addr) end = (start + header->p_memsz) & ~(page_size - 1);

      start &= ~(page_size - 1);
      if (header->p_type == PT_GNU_RELRO && end > start)
        mprotect ((gpointer)start, end - start, protection);
    }
}

static void
write_slot (Imports *self, ElfW (Addr) address, gpointer value)
{
  if (!self->writable)
    protect (self, PROT_READ | PROT_WRITE);
  self->writable = TRUE;
  *(gpointer *)address = value;
}

static void
redirect_slots (Imports *self, const Slot *slots, gsize first, gsize size)
{
  for (gsize i = first; i < size / sizeof *slots; i++)
    {
      const Slot *slot = &slots[i];
      const char *name;

      if (!IS_SLOT (slot->r_info))
        continue;
      name = self->strings + self->symbols[SYMBOL_OF (slot->r_info)].st_name;
      for (gsize r = 0; r < self->n_redirects; r++)
        if (strcmp (name, self->redirects[r].name) == 0)
          write_slot (self, self->info->dlpi_addr + slot->r_offset, self->redirects[r].replacement);
    }
}

/* Libraries of each program that uses GIO. GIO starts threads through GLib alone, and looking
 * through it would take two thirds of the time. */
static gboolean
is_of_no_interest (const char *path)
{
  static const char *const names[] = { "libgio-2.0.so", "libgobject-2.0.so", "libjson-glib-1.0.so",
                                       "libmount.so",   "libselinux.so",     "libblkid.so",
                                       "libc.so",       "ld-linux" };
  const char *slash = strrchr (path, '/');

  for (gsize i = 0; slash != NULL && i < G_N_ELEMENTS (names); i++)
    if (strncmp (slash + 1, names[i], strlen (names[i])) == 0)
      return TRUE;
  return FALSE;
}

static int
redirect_module (struct dl_phdr_info *info, size_t size, void *user_data)
{
  Imports self = *(const Imports *)user_data;

  self.info = info;
  if (is_of_no_interest (info->dlpi_name) || !read_dynamic (&self))
    return 0;
  redirect_slots (&self, self.slots, 0, self.slots_size);
  redirect_slots (&self, self.others, self.n_relative, self.others_size);
  if (self.writable)
    protect (&self, PROT_READ);
  return 0;
}

void
redirect_calls (const Redirect *redirects, gsize n)
{
  Imports imports = { .redirects = redirects, .n_redirects = n };

  for (gsize i = 0; i < n; i++)
    {
      *redirects[i].original = dlsym (RTLD_DEFAULT, redirects[i].name);
      if (*redirects[i].original == NULL)
        return;
    }
  dl_iterate_phdr (redirect_module, &imports);
}

#else

void
redirect_calls (const Redirect *redirects, gsize n)
{
}

#endif
