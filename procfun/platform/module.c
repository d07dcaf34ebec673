/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/module.h"

#include "procfun/platform/fds.h"
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define DELETED " (deleted)" /* added by the kernel to the path of a file that was removed */

typedef struct
{
  ElfW (Addr) address;
  gboolean is_first; /* the executable is the first of all, see dl_iterate_phdr(3) */
  gboolean is_executable;
  const char *path;
  char *build_id;
} Search;

static gboolean
holds (const struct dl_phdr_info *info, ElfW (Addr) address)
{
  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *header = &info->dlpi_phdr[i];
      ElfW (Addr) start = info->dlpi_addr + header->p_vaddr;

      if (header->p_type == PT_LOAD && address >= start && address - start < header->p_memsz)
        return TRUE;
    }
  return FALSE;
}

static char *
to_hex (const guint8 *data, gsize size)
{
  GString *hex = g_string_sized_new (2 * size);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", data[i]);
  return g_string_free (hex, FALSE);
}

/* The build-id is a note that the linker derives from its input. The format of notes: elf(5). */
static char *
find_build_id (const struct dl_phdr_info *info)
{
  for (int i = 0; i < info->dlpi_phnum; i++)
    {
      const ElfW (Phdr) *header = &info->dlpi_phdr[i];
      const guint8 *at = (const guint8 *)(info->dlpi_addr + header->p_vaddr);
      const guint8 *end = at + header->p_memsz;

      if (header->p_type != PT_NOTE)
        continue;
      while (at + sizeof (ElfW (Nhdr)) <= end)
        {
          const ElfW (Nhdr) *note = (const ElfW (Nhdr) *)(gconstpointer)at;
          const guint8 *name = at + sizeof *note;
          const guint8 *data = name + ((note->n_namesz + 3) & ~3U);

          if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4
              && memcmp (name, "GNU", 4) == 0)
            return to_hex (data, note->n_descsz);
          at = data + ((note->n_descsz + 3) & ~3U);
        }
    }
  return NULL;
}

static int
is_executable_cb (struct dl_phdr_info *info, size_t size, void *user_data)
{
  Search *search = user_data;

  search->is_executable = holds (info, search->address);
  return 1;
}

/* No allocation: constructors ask before GLib may be ready. */
gboolean
module_is_executable (gconstpointer address)
{
  Search search = { .address = (ElfW (Addr))address };

  dl_iterate_phdr (is_executable_cb, &search);
  return search.is_executable;
}

/* proc(5): START-END RIGHTS OFFSET DEVICE INODE PATH. The path is there as long as the file is; the
 * name that a library was loaded by may have been relative to another folder. */
static char *
find_mapped_path (ElfW (Addr) address)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_file_get_contents ("/proc/self/maps", &text, NULL, NULL);
  lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      const char *path = strchr (*line, '/');
      char *dash;
      guint64 start = g_ascii_strtoull (*line, &dash, 16);

      if (path != NULL && *dash == '-' && address >= start
          && address < g_ascii_strtoull (dash + 1, NULL, 16))
        return g_str_has_suffix (path, DELETED) ? g_strndup (path, strlen (path) - strlen (DELETED))
                                                : g_strdup (path);
    }
  return NULL;
}

static char *
make_absolute (const char *name, ElfW (Addr) address)
{
  char *path = g_path_is_absolute (name) ? NULL : find_mapped_path (address);

  return path != NULL ? path : g_canonicalize_filename (name, NULL);
}

static int
describe_cb (struct dl_phdr_info *info, size_t size, void *user_data)
{
  Search *search = user_data;

  if (holds (info, search->address))
    {
      search->is_executable = search->is_first;
      search->path = info->dlpi_name;
      search->build_id = find_build_id (info);
      return 1;
    }
  search->is_first = FALSE;
  return 0;
}

/* The file itself, for modules without a build-id. */
static char *
identify_file (const char *path)
{
  struct stat st;

  if (stat (path, &st) != 0)
    return g_strdup ("unknown");
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT
                          ":%" G_GINT64_FORMAT ".%ld",
                          (guint64)st.st_dev, (guint64)st.st_ino, (gint64)st.st_size,
                          (gint64)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

Module *
module_new_for_address (gconstpointer address)
{
  Module *self = g_new0 (Module, 1);
  Search search = { .address = (ElfW (Addr))address, .is_first = TRUE };

  dl_iterate_phdr (describe_cb, &search);
  if (!search.is_executable && search.path != NULL)
    self->path = make_absolute (search.path, search.address);
  self->identity = search.build_id != NULL
                       ? search.build_id
                       : identify_file (self->path != NULL ? self->path : "/proc/self/exe");
  return self;
}

const char *
module_get_key (const Module *self)
{
  const char **kept = (const char **)&self->key;
  const char *key = g_atomic_pointer_get (kept);

  if (key == NULL)
    {
      g_autofree char *text = g_strconcat (self->path, " ", self->identity, NULL);

      key = g_intern_string (text);
      g_atomic_pointer_set (kept, key);
    }
  return key;
}

Module *
module_new_for_file (const char *path, gboolean is_program, const char *identity)
{
  Module *self = g_new0 (Module, 1);

  self->path = g_strdup (path);
  self->identity = g_strdup (identity);
  self->is_program = is_program;
  return self;
}

void
module_free (Module *self)
{
  g_free (self->path);
  g_free (self->identity);
  g_free (self);
}

/* A static program has no loader: getauxval(3), AT_BASE. */
gpointer
module_open_library (const char *name)
{
  return getauxval (AT_BASE) != 0 ? dlopen (name, RTLD_LAZY | RTLD_LOCAL) : NULL;
}
