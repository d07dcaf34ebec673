/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/elf.h"

#include "procfun/base/intl.h"
#include "procfun/platform/elf-file.h"
#include "procfun/platform/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <procfun.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* Note that procfun-define.h writes. */
#define NOTE_OWNER "procfun"
#define NOTE_TYPE 1

typedef struct
{
  ElfFile file;
  guint64 n_read;   /* bytes of segments seen so far */
  GPtrArray *names; /* (element-type utf8) (owned) */
} Reader;

void
elf_clear (Elf *self)
{
  g_clear_pointer (&self->functions, g_strfreev);
}

static gboolean
refuse (GError **error, const char *path, const char *why)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, "%s: %s", path, why);
  return FALSE;
}

static gboolean
on_note (const ElfNote *note, gpointer user_data)
{
  Reader *self = user_data;
  const char *text = (const char *)note->data;

  if (note->type == NOTE_TYPE && note->owner_size == sizeof NOTE_OWNER
      && memcmp (note->owner, NOTE_OWNER, sizeof NOTE_OWNER) == 0)
    g_ptr_array_add (self->names, g_utf8_make_valid (text, (gssize)strnlen (text, note->size)));
  return TRUE;
}

/* Segments that overlap would take any time. FALSE: this one is too much. */
static gboolean
spend (Reader *self, guint64 size)
{
  self->n_read += MIN (size, self->file.size + 1);
  return self->n_read <= self->file.size;
}

static gboolean
read_notes (Reader *self, const ElfW (Phdr) * segment)
{
  g_autofree guint8 *notes = NULL;

  if (segment->p_filesz == 0 || !spend (self, segment->p_filesz))
    return segment->p_filesz == 0;
  notes = elf_file_read (&self->file, segment->p_offset, segment->p_filesz);
  return notes != NULL
         && elf_notes_foreach (notes, segment->p_filesz, segment->p_align, on_note, self);
}

/* A position-independent program looks like a library to the kernel except for this flag, or, in
 * older ones, an interpreter. */
static gboolean
has_pie_flag (Reader *self, const ElfW (Phdr) * segment)
{
  g_autofree ElfW (Dyn) *entries = NULL;

  if (spend (self, segment->p_filesz))
    entries = elf_file_read (&self->file, segment->p_offset, segment->p_filesz);
  for (gsize i = 0; entries != NULL && i < segment->p_filesz / sizeof *entries; i++)
    if (entries[i].d_tag == DT_FLAGS_1 && (entries[i].d_un.d_val & DF_1_PIE) != 0)
      return TRUE;
  return FALSE;
}

/* All that would be loaded must be there: executing a truncated program would end in a signal. */
static gboolean
check_segment (Reader *self, const ElfW (Phdr) * segment)
{
  if (segment->p_type == PT_LOAD)
    return segment->p_offset <= self->file.size
           && segment->p_filesz <= self->file.size - segment->p_offset;
  return segment->p_type != PT_NOTE || read_notes (self, segment);
}

static gboolean
read_segments (Reader *self, gboolean *is_program)
{
  gsize n;
  g_autofree ElfW (Phdr) *segments = elf_file_read_segments (&self->file, &n);

  *is_program = self->file.header.e_type == ET_EXEC;
  for (gsize i = 0; segments != NULL && i < n; i++)
    {
      if (!check_segment (self, &segments[i]))
        return FALSE;
      if (segments[i].p_type == PT_INTERP
          || (segments[i].p_type == PT_DYNAMIC && !*is_program
              && has_pie_flag (self, &segments[i])))
        *is_program = TRUE;
    }
  return segments != NULL;
}

static gboolean
check_header (const ElfFile *file, const char *path, GError **error)
{
  const ElfW (Ehdr) *header = &file->header;

  if (!elf_file_is_native (file))
    return refuse (
        error, path,
        header->e_ident[EI_CLASS] == ELFCLASS32   ? _ ("this is a 32-bit file for another machine")
        : header->e_ident[EI_CLASS] == ELFCLASS64 ? _ ("this is a 64-bit file for another machine")
                                                  : _ ("this ELF file is damaged"));
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return refuse (error, path, _ ("this ELF file is neither a program nor a shared library"));
  return TRUE;
}

/* A file that is too short for a header may begin with the magic number. */
static gboolean
refuse_header (const ElfFile *file, const char *path, GError **error)
{
  return refuse (error, path,
                 memcmp (file->header.e_ident, ELFMAG, SELFMAG) == 0
                     ? _ ("this ELF file is damaged")
                     : _ ("this is no program or shared library (no ELF file)"));
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
read_all (Elf *self, Reader *reader, const char *path, GError **error)
{
  if (!check_header (&reader->file, path, error))
    return FALSE;
  if (!read_segments (reader, &self->is_program))
    return refuse (error, path, _ ("this ELF file is damaged"));
  if (reader->names->len == 0)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("%s defines no procfun functions"), path);
      return FALSE;
    }
  g_ptr_array_sort (reader->names, compare_names);
  g_ptr_array_add (reader->names, NULL);
  self->functions = (GStrv)g_ptr_array_steal (reader->names, NULL);
  return TRUE;
}

/* A program that gains rights would not answer us, but run its main(). */
static gboolean
check_file (int fd, const char *path, GError **error)
{
  struct stat st;

  if (fd < 0 || fstat (fd, &st) != 0)
    return refuse (error, path, g_strerror (errno));
  if (S_ISDIR (st.st_mode))
    return refuse (error, path, g_strerror (EISDIR));
  if (!S_ISREG (st.st_mode))
    return refuse (error, path, _ ("this is no regular file"));
  if ((st.st_mode & (S_ISUID | S_ISGID)) != 0 || fgetxattr (fd, "security.capability", NULL, 0) > 0)
    return refuse (error, path,
                   _ ("programs that are setuid, setgid or have capabilities are not run"));
  return TRUE;
}

/* O_NONBLOCK: a named pipe would wait for a writer. */
gboolean
elf_read (Elf *self, const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_auto (ElfFile) file = { .fd = -1 };
  Reader reader = { .names = names };
  auto_fd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (!check_file (fd, path, error))
    return FALSE;
  if (!elf_file_init (&file, g_steal_fd (&fd)))
    return refuse_header (&file, path, error);
  reader.file = file; /* borrowed */
  return read_all (self, &reader, path, error);
}
