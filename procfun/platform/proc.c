/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/proc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The wanted lines are shorter; those of the groups and of the CPUs may have any length. */
#define LINE_SIZE 128
#define CHUNK_SIZE 1024

/* Files of this process that are kept open. */
static struct
{
  const char *path;
  int flags;
  int fd; /* -1: not kept */
  dev_t device;
  ino_t inode;
} kept[] = { { PROC_OWN_STATUS, O_RDONLY, -1, 0, 0 },
             { PROC_OWN_THREADS, O_RDONLY | O_DIRECTORY, -1, 0, 0 },
             { PROC_OWN_CLEAR_REFS, O_WRONLY, -1, 0, 0 } };

/* By number, since a sandbox may refuse the call by name that fstat() makes of it. */
gboolean
proc_look_at (int fd, struct stat *st)
{
#if defined(SYS_fstat) && __SIZEOF_POINTER__ == 8
  return syscall (SYS_fstat, fd, st) == 0;
#else
  return fstat (fd, st) == 0;
#endif
}

void
proc_keep_open (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      struct stat st = { 0 };

      if (kept[i].fd >= 0)
        continue;
      kept[i].fd = open (kept[i].path, kept[i].flags | O_CLOEXEC);
      if (kept[i].fd < 0 || !proc_look_at (kept[i].fd, &st))
        continue;
      kept[i].device = st.st_dev;
      kept[i].inode = st.st_ino;
    }
}

/* A function that has closed it may have got its number for a file of its own. */
static int
find_kept (const char *path)
{
  struct stat st;

  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (kept[i].fd >= 0 && strcmp (kept[i].path, path) == 0 && proc_look_at (kept[i].fd, &st)
        && st.st_dev == kept[i].device && st.st_ino == kept[i].inode)
      return kept[i].fd;
  return -1;
}

int
proc_open (const char *path, int flags)
{
  int fd = find_kept (path);

  if (fd < 0)
    return open (path, flags | O_CLOEXEC);
  lseek (fd, 0, SEEK_SET);
  return fd;
}

void
proc_close (int fd)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (kept[i].fd == fd)
      return;
  close (fd);
}

static guint64
read_number (const char *text)
{
  guint64 number = 0;

  for (text += strspn (text, " \t"); *text >= '0' && *text <= '9'; text++)
    number = number * 10 + (guint64)(*text - '0');
  return number;
}

gboolean
proc_read_stat (const char *path, char *text)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gssize n;

  if (fd < 0)
    return FALSE;
  n = read (fd, text, PROC_STAT_SIZE - 1);
  close (fd);
  text[MAX (n, 0)] = '\0';
  return n > 0; /* of a process that ends meanwhile there is a file, but nothing in it */
}

guint64
proc_get_field (const char *text, guint number)
{
  const char *at = strrchr (text, ')');

  for (guint i = 2; at != NULL && i < number; i++)
    at = strchr (at + 1, ' ');
  return at != NULL ? read_number (at) : 0;
}

/* Number of names that the line has: 0 or 1. */
static gsize
look_at_line (const char *line, const char *const *names, guint64 *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      gsize length = strlen (names[i]);

      if (strncmp (line, names[i], length) != 0 || line[length] != ':')
        continue;
      numbers[i] = read_number (line + length + 1);
      return 1;
    }
  return 0;
}

gboolean
proc_read_status (const char *path, const char *const *names, guint64 *numbers, gsize n)
{
  char chunk[CHUNK_SIZE];
  char line[LINE_SIZE];
  gsize length = 0;
  gsize n_found = 0;
  gssize size;
  int fd = proc_open (path, O_RDONLY);

  memset (numbers, 0, n * sizeof *numbers);
  if (fd < 0)
    return FALSE;
  while (n_found < n && (size = read (fd, chunk, sizeof chunk)) > 0)
    for (gssize i = 0; i < size; i++)
      {
        if (chunk[i] != '\n' && length < sizeof line - 1)
          line[length++] = chunk[i];
        if (chunk[i] != '\n')
          continue;
        line[length] = '\0';
        n_found += look_at_line (line, names, numbers, n);
        length = 0;
      }
  proc_close (fd);
  return n_found > 0;
}
