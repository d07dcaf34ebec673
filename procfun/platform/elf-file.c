/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/elf-file.h"

#include "procfun/platform/fds.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest programs, with all their static functions, have tables of some tens of MiB. */
#define TABLE_MAX ((guint64)128 * 1024 * 1024)

/* TRUE: all of it. */
static gboolean
read_exactly (int fd, gpointer data, gsize size, guint64 offset)
{
  gsize n = 0;

  while (n < size)
    {
      gssize more = pread (fd, (guint8 *)data + n, size - n, (off_t)(offset + n));

      if (more <= 0 && (more == 0 || errno != EINTR))
        return FALSE;
      n += (gsize)MAX (more, 0);
    }
  return TRUE;
}

gboolean
elf_file_init (ElfFile *self, int fd)
{
  struct stat st;

  *self = (ElfFile){ .fd = fd };
  if (fd < 0 || fstat (fd, &st) != 0 || !S_ISREG (st.st_mode)
      || !read_exactly (fd, &self->header, sizeof self->header, 0))
    return FALSE;
  self->size = (guint64)st.st_size;
  return memcmp (self->header.e_ident, ELFMAG, SELFMAG) == 0;
}

void
elf_file_clear (ElfFile *self)
{
  fd_clear (&self->fd);
}

/* The file of this process says what native files look like. */
static const ElfW (Ehdr) * get_own_header (void)
{
  static ElfW (Ehdr) own;
  static gsize state;

  if (g_once_init_enter (&state))
    {
      auto_fd int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);

      g_once_init_leave (&state, fd >= 0 && read_exactly (fd, &own, sizeof own, 0) ? 1 : 2);
    }
  return state == 1 ? &own : NULL;
}

void
elf_file_prepare (void)
{
  get_own_header ();
}

gboolean
elf_file_is_native (const ElfFile *self)
{
  const ElfW (Ehdr) *own = get_own_header ();

  return own != NULL && memcmp (self->header.e_ident, own->e_ident, EI_VERSION) == 0
         && self->header.e_machine == own->e_machine;
}

gpointer
elf_file_read (const ElfFile *self, guint64 offset, guint64 size)
{
  g_autofree char *data = NULL;

  if (size == 0 || size > TABLE_MAX || offset > self->size || size > self->size - offset)
    return NULL;
  data = g_try_malloc (size + 1);
  if (data == NULL || !read_exactly (self->fd, data, size, offset))
    return NULL;
  data[size] = '\0';
  return g_steal_pointer (&data);
}

static gpointer
read_table (const ElfFile *self, guint64 offset, gsize n, gsize entry_size, gsize needed_size)
{
  return entry_size == needed_size ? elf_file_read (self, offset, (guint64)n * needed_size) : NULL;
}

ElfW (Phdr) * elf_file_read_segments (const ElfFile *self, gsize *n)
{
  *n = self->header.e_phnum;
  return read_table (self, self->header.e_phoff, *n, self->header.e_phentsize,
                     sizeof (ElfW (Phdr)));
}

ElfW (Shdr) * elf_file_read_sections (const ElfFile *self, gsize *n)
{
  *n = self->header.e_shnum;
  return read_table (self, self->header.e_shoff, *n, self->header.e_shentsize,
                     sizeof (ElfW (Shdr)));
}

static guint64
align (guint64 size, gsize alignment)
{
  return (size + alignment - 1) & ~(guint64)(alignment - 1);
}

gboolean
elf_notes_foreach (const guint8 *data, gsize size, gsize alignment, ElfNoteFunc func,
                   gpointer user_data)
{
  const gsize step = alignment == 8 ? 8 : 4;
  guint64 at = 0;

  while (at + sizeof (ElfW (Nhdr)) <= size)
    {
      ElfW (Nhdr) head;
      ElfNote note;
      guint64 content;

      memcpy (&head, data + at, sizeof head);
      content = at + align (sizeof head + (guint64)head.n_namesz, step);
      if (content + head.n_descsz > size)
        return FALSE;
      note = (ElfNote){ .type = head.n_type,
                        .owner = (const char *)data + at + sizeof head,
                        .owner_size = head.n_namesz,
                        .data = data + content,
                        .size = head.n_descsz };
      if (!func (&note, user_data))
        return TRUE;
      at = align (content + head.n_descsz, step);
    }
  return TRUE;
}
