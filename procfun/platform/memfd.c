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

/* glibc 2.36 has the first of them, not the second. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define SMALL_PAGE ((gsize)4096) /* in bytes, as most kernels have them */
#define LARGE_PAGE MEMFD_LARGE_PAGE

#define COLLAPSE_TRIES 3

gboolean
memfd_is_allowed (gsize size)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_FSIZE, &limit) != 0 || size <= limit.rlim_cur;
}

/* Above the numbers of the standard streams, which other code reads and writes. */
static int
create (const char *name, gsize size)
{
  int fd;

  if (!memfd_is_allowed (size))
    {
      errno = EFBIG;
      return -1;
    }
  fd = memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0)
    fds_move_up (&fd);
  return fd;
}

/* The seals keep its size: a reader would die of SIGBUS when it was made smaller. */
int
memfd_new (const char *name, gsize size, GError **error)
{
  int fd = create (name, size);

  if (fd >= 0 && ftruncate (fd, (off_t)size) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, _ ("no shared memory can be had: %s"),
               g_strerror (errno));
  fd_clear (&fd);
  return -1;
}

gboolean
memfd_write (int fd, gsize offset, const struct iovec *parts, guint n_parts)
{
  for (guint i = 0; i < n_parts; i++)
    for (gsize done = 0; done < parts[i].iov_len;)
      {
        gssize n = pwrite (fd, (const guint8 *)parts[i].iov_base + done, parts[i].iov_len - done,
                           (off_t)offset);

        if (n < 0 && errno == EINTR)
          continue;
        if (n <= 0)
          return FALSE;
        done += (gsize)n;
        offset += (gsize)n;
      }
  return TRUE;
}

int
memfd_new_sealed (const char *name, const struct iovec *parts, guint n_parts)
{
  gsize size = 0;
  int fd;

  for (guint i = 0; i < n_parts; i++)
    size += parts[i].iov_len;
  fd = create (name, size);
  if (fd >= 0 && memfd_write (fd, 0, parts, n_parts)
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
    return fd;
  fd_clear (&fd);
  return -1;
}

int
memfd_new_large (const char *name, gsize size, gpointer *memory)
{
  auto_fd int fd = size >= LARGE_PAGE ? create (name, size) : -1;

  if (fd < 0 || ftruncate (fd, (off_t)size) != 0)
    return -1;
  *memory = memfd_map_to_write (fd, size);
  if (*memory != NULL && memfd_enlarge_pages (*memory, size) && memfd_populate (*memory, size))
    return g_steal_fd (&fd);
  if (*memory != NULL)
    memfd_unmap (*memory, size);
  return -1;
}

gboolean
memfd_seal (int fd, gpointer memory, gsize size)
{
  memfd_unmap (memory, size);
  return fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

int
memfd_new_for_readers (const char *name, gsize size, gpointer *memory)
{
  auto_fd int fd = create (name, size);

  if (fd < 0 || ftruncate (fd, (off_t)size) != 0)
    return -1;
  *memory = memfd_map_to_write (fd, size);
  if (*memory == NULL)
    return -1;
  if (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) == 0)
    return g_steal_fd (&fd);
  memfd_unmap (*memory, size);
  *memory = NULL;
  return -1;
}

gboolean
memfd_make_constant (int fd, gpointer data, gsize size)
{
  return mmap (data, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED
         && fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

gsize
memfd_check (int fd, gboolean *is_constant)
{
  const int seals = fcntl (fd, F_GET_SEALS); /* -1: it is no memory */
  struct stat st;

  *is_constant = seals >= 0 && (seals & F_SEAL_WRITE) != 0;
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat (fd, &st) != 0)
    return 0;
  return (gsize)MAX (st.st_size, 0);
}

/* An address for @size bytes from @offset on, where a large page of the memory is one of the
 * mapping, too. (nullable): the kernel chooses. What is there is mapped over. */
static gpointer
find_place (gsize offset, gsize size)
{
  const gsize room = size + LARGE_PAGE;
  guint8 *all, *place;

  if (size < LARGE_PAGE)
    return NULL;
  all = mmap (NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED)
    return NULL;
  place = all + ((offset - (gsize)all) & (LARGE_PAGE - 1));
  if (place > all)
    munmap (all, (gsize)(place - all));
  munmap (place + size, (gsize)(all + room - place) - size);
  return place;
}

/* (nullable) */
static gpointer
map (int fd, gsize offset, gsize size, int protection, int flags)
{
  gpointer place = find_place (offset, size);
  gpointer data
      = mmap (place, size, protection, flags | (place != NULL ? MAP_FIXED : 0), fd, (off_t)offset);

  if (data != MAP_FAILED)
    return data;
  if (place != NULL)
    munmap (place, size);
  return NULL;
}

/* Kernels before 6.7 have no shared mapping of what cannot be written. */
gpointer
memfd_map_to_read (int fd, gsize offset, gsize size, gboolean is_constant)
{
  return map (fd, offset, size, PROT_READ, is_constant ? MAP_PRIVATE : MAP_SHARED);
}

gpointer
memfd_map_to_write (int fd, gsize size)
{
  return map (fd, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* A page that is just in use elsewhere in the kernel is an obstacle for a moment. */
static gboolean
collapse (gpointer data, gsize size)
{
  int failed = -1;

  for (guint i = 0; i < COLLAPSE_TRIES && failed != 0 && (i == 0 || errno == EAGAIN); i++)
    failed = madvise (data, size, MADV_COLLAPSE);
  return failed == 0;
}

/* The settings for large pages of such memory, which mostly forbid them, do not hold for
 * MADV_COLLAPSE. It wants some memory in each. */
gboolean
memfd_enlarge_pages (gpointer data, gsize size)
{
  const gsize begin = ((gsize)data + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
  const gsize end = ((gsize)data + size) & ~(LARGE_PAGE - 1);

  if (size < LARGE_PAGE || begin >= end)
    return FALSE;
  for (gsize at = begin; at < end; at += LARGE_PAGE)
    if (madvise ((gpointer)at, SMALL_PAGE, MADV_POPULATE_WRITE) != 0)
      return FALSE;
  return collapse ((gpointer)begin, end - begin);
}

/* A kernel that cannot do it finds the memory when it is written. */
gboolean
memfd_populate (gpointer data, gsize size)
{
  return madvise (data, size, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

void
memfd_prepare (gpointer data, gsize size)
{
  if (size < LARGE_PAGE || memfd_enlarge_pages (data, size))
    memfd_populate (data, size);
}

void
memfd_clear (int fd, gsize offset, gsize size)
{
  fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

/* The kernel takes memory only from those who could write it. */
void
memfd_give_back (gpointer data, gsize size, gboolean is_read_only)
{
  if (is_read_only && mprotect (data, size, PROT_READ | PROT_WRITE) != 0)
    return;
  madvise (data, size, MADV_REMOVE);
  if (is_read_only)
    mprotect (data, size, PROT_READ);
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
