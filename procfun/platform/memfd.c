/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/memfd.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
memfd_is_allowed (gsize size)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_FSIZE, &limit) != 0 || size <= limit.rlim_cur;
}

/* The seals keep its size: a reader would die of SIGBUS when it was made smaller. */
int
memfd_new (const char *name, gsize size, GError **error)
{
  int fd = memfd_is_allowed (size) ? memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;

  if (!memfd_is_allowed (size))
    errno = EFBIG;
  if (fd >= 0 && ftruncate (fd, (off_t)size) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, _ ("no shared memory can be had: %s"),
               g_strerror (errno));
  fd_clear (&fd);
  return -1;
}

void
memfd_clear (int fd, gsize offset, gsize size)
{
  fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

gpointer
memfd_map (int fd, gsize *size)
{
  struct stat st;
  gpointer data;

  if (fstat (fd, &st) != 0 || st.st_size <= 0)
    return NULL;
  *size = (gsize)st.st_size;
  data = mmap (NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return data != MAP_FAILED ? data : NULL;
}

void
memfd_hide_from_children (gpointer data, gsize size)
{
  madvise (data, size, MADV_DONTFORK);
}

void
memfd_unmap (gpointer data, gsize size)
{
  munmap (data, size);
}

const volatile guint8 *
memfd_new_mark (void)
{
  const gsize size = (gsize)sysconf (_SC_PAGESIZE);
  guint8 *mark = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (mark == MAP_FAILED)
    return NULL;
  if (madvise (mark, size, MADV_WIPEONFORK) != 0)
    {
      munmap (mark, size);
      return NULL;
    }
  *mark = 1;
  return mark;
}
