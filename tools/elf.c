/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/elf.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <procfun.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* What procfun-define.h writes. */
#define NOTE_OWNER "procfun"
#define NOTE_TYPE 1

typedef ElfW (Ehdr) Header;
typedef ElfW (Phdr) Segment;

/* A file that may be damaged, or made to mislead: nothing in it is taken for an offset or a size
 * unchecked, and nothing is read in place, where it could lie unaligned. */
typedef struct
{
  const guint8 *data;
  gsize size;
  Header header;
  gsize notes_size; /* of the segments of notes seen so far */
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

/* (nullable): where @size bytes begin, if there are so many. */
static const guint8 *
get_part (const Reader *self, guint64 offset, guint64 size)
{
  if (offset > self->size || size > self->size - offset)
    return NULL;
  return self->data + offset;
}

static gboolean
get_segment (const Reader *self, guint index, Segment *segment)
{
  const guint8 *part
      = get_part (self, self->header.e_phoff + (guint64)index * sizeof *segment, sizeof *segment);

  if (part == NULL)
    return FALSE;
  memcpy (segment, part, sizeof *segment);
  return TRUE;
}

/* The format of notes: elf(5). In a segment aligned to 8 bytes, so are they. */
static gboolean
read_notes (Reader *self, const Segment *segment)
{
  const guint8 *notes = get_part (self, segment->p_offset, segment->p_filesz);
  guint64 alignment = segment->p_align == 8 ? 8 : 4;
  guint64 at = 0;

  self->notes_size += segment->p_filesz;
  if (notes == NULL
      || self->notes_size > self->size) /* segments that overlap would take any time */
    return FALSE;
  while (at + sizeof (ElfW (Nhdr)) <= segment->p_filesz)
    {
      ElfW (Nhdr) note;
      guint64 name = at + sizeof note, text;

      memcpy (&note, notes + at, sizeof note);
      text = at + ((sizeof note + (guint64)note.n_namesz + alignment - 1) & ~(alignment - 1));
      if (text + note.n_descsz > segment->p_filesz)
        return FALSE;
      if (note.n_type == NOTE_TYPE && note.n_namesz == sizeof NOTE_OWNER
          && memcmp (notes + name, NOTE_OWNER, sizeof NOTE_OWNER) == 0)
        g_ptr_array_add (
            self->names,
            g_utf8_make_valid ((const char *)notes + text,
                               (gssize)strnlen ((const char *)notes + text, note.n_descsz)));
      at = (text + note.n_descsz + alignment - 1) & ~(alignment - 1);
    }
  return TRUE;
}

/* A position-independent program is a library to the kernel, but for this flag; and older ones for
 * an interpreter. */
static gboolean
has_pie_flag (const Reader *self, const Segment *segment)
{
  const guint8 *entries = get_part (self, segment->p_offset, segment->p_filesz);
  ElfW (Dyn) entry;

  for (guint64 at = 0; entries != NULL && at + sizeof entry <= segment->p_filesz;
       at += sizeof entry)
    {
      memcpy (&entry, entries + at, sizeof entry);
      if (entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0)
        return TRUE;
    }
  return FALSE;
}

/* What would be loaded must be there: executing a truncated program would end in a signal. */
static gboolean
check_segment (Reader *self, const Segment *segment)
{
  if (segment->p_type == PT_LOAD)
    return get_part (self, segment->p_offset, segment->p_filesz) != NULL;
  return segment->p_type != PT_NOTE || read_notes (self, segment);
}

static gboolean
read_segments (Reader *self, gboolean *is_program)
{
  *is_program = self->header.e_type == ET_EXEC;
  if (self->header.e_phentsize != sizeof (Segment))
    return FALSE;
  for (guint i = 0; i < self->header.e_phnum; i++)
    {
      Segment segment;

      if (!get_segment (self, i, &segment) || !check_segment (self, &segment))
        return FALSE;
      if (segment.p_type == PT_INTERP
          || (segment.p_type == PT_DYNAMIC && has_pie_flag (self, &segment)))
        *is_program = TRUE;
    }
  return TRUE;
}

/* Our own file says what this machine's files look like. */
static gboolean
is_for_this_machine (const Header *header)
{
  auto_fd int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  Header own;

  return fd >= 0 && read (fd, &own, sizeof own) == sizeof own
         && memcmp (header->e_ident, own.e_ident, EI_VERSION) == 0
         && header->e_machine == own.e_machine;
}

static gboolean
read_header (Reader *self, const char *path, GError **error)
{
  const guint8 *part = get_part (self, 0, EI_NIDENT);

  if (part == NULL || memcmp (part, ELFMAG, SELFMAG) != 0)
    return refuse (error, path, _ ("this is no program or shared library (no ELF file)"));
  part = get_part (self, 0, sizeof self->header);
  if (part == NULL)
    return refuse (error, path, _ ("this ELF file is damaged"));
  memcpy (&self->header, part, sizeof self->header);
  if (!is_for_this_machine (&self->header))
    return refuse (error, path,
                   self->header.e_ident[EI_CLASS] == ELFCLASS32
                       ? _ ("this is a 32-bit file for another machine")
                   : self->header.e_ident[EI_CLASS] == ELFCLASS64
                       ? _ ("this is a 64-bit file for another machine")
                       : _ ("this ELF file is damaged"));
  if (self->header.e_type != ET_EXEC && self->header.e_type != ET_DYN)
    return refuse (error, path, _ ("this ELF file is neither a program nor a shared library"));
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static gboolean
read_all (Elf *self, Reader *reader, const char *path, GError **error)
{
  if (!read_header (reader, path, error))
    return FALSE;
  if (!read_segments (reader, &self->is_program))
    return refuse (error, path, _ ("this ELF file is damaged"));
  if (reader->names->len == 0)
    return refuse (error, path, _ ("there is no function in it that procfun could call"));
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

gboolean
elf_read (Elf *self, const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMappedFile) file = NULL;
  Reader reader = { .names = names };
  auto_fd int fd
      = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe would have us wait */

  if (!check_file (fd, path, error))
    return FALSE;
  file = g_mapped_file_new_from_fd (fd, FALSE, error);
  if (file == NULL)
    return FALSE;
  reader.data = (const guint8 *)g_mapped_file_get_contents (file);
  reader.size = g_mapped_file_get_length (file);
  return read_all (self, &reader, path, error);
}
