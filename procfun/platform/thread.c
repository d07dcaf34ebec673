/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/thread.h"

#include "procfun/platform/proc.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_LOOKED_AT 1024 /* threads */

/* An entry as getdents64(2) fills it in; older C libraries do not have it. */
typedef struct
{
  guint64 inode;
  gint64 next;
  guint16 size;
  guint8 type;
  char name[];
} Entry;

int
thread_get_id (void)
{
  return (int)syscall (SYS_gettid);
}

void
thread_get_name (char name[THREAD_NAME_SIZE])
{
  memset (name, 0, THREAD_NAME_SIZE);
  prctl (PR_GET_NAME, name);
}

/* Not atoi(), which is not for signal handlers. */
static int
parse_number (const char *text)
{
  int number = 0;

  for (; *text >= '0' && *text <= '9'; text++)
    number = 10 * number + (*text - '0');
  return number;
}

static gsize
add_entries (const guint8 *at, const guint8 *end, int *ids, gsize n, gsize max)
{
  while (at < end)
    {
      const Entry *entry = (const Entry *)(gconstpointer)at;
      int id = parse_number (entry->name);

      if (id > 0 && n < max)
        ids[n++] = id;
      at += entry->size;
    }
  return n;
}

gsize
thread_list (int *ids, gsize max)
{
  guint64 buffer[256];
  int saved_errno = errno;
  int fd = proc_open (PROC_OWN_THREADS, O_RDONLY | O_DIRECTORY);
  gsize n = 0;
  long size;

  while (fd >= 0 && (size = syscall (SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
    n = add_entries ((const guint8 *)buffer, (const guint8 *)buffer + size, ids, n, max);
  if (fd >= 0)
    proc_close (fd);
  errno = saved_errno;
  return n;
}

/* proc(5): a folder has two links and one for each folder in it, of which each thread has one. */
guint
thread_count (void)
{
  struct stat st = { 0 };
  int fd = proc_open (PROC_OWN_THREADS, O_PATH | O_DIRECTORY);

  if (fd < 0)
    return 0;
  if (!proc_look_at (fd, &st))
    st.st_nlink = 0;
  proc_close (fd);
  return st.st_nlink > 2 ? (guint)st.st_nlink - 2 : 0;
}

/* proc(5): a line with the name. */
void
thread_get_other_name (char name[THREAD_NAME_SIZE])
{
  int ids[2];
  gsize n = thread_list (ids, G_N_ELEMENTS (ids));
  int saved_errno = errno;
  char path[64];
  gssize length = 0;
  int fd;

  if (n > 0)
    {
      snprintf (path, sizeof path, "/proc/self/task/%d/comm",
                n > 1 && ids[0] == thread_get_id () ? ids[1] : ids[0]);
      fd = open (path, O_RDONLY | O_CLOEXEC);
      if (fd >= 0)
        {
          length = read (fd, name, THREAD_NAME_SIZE);
          close (fd);
        }
    }
  name[length > 0 ? length - 1 : 0] = '\0'; /* in place of the end of the line */
  errno = saved_errno;
}

/* proc(5): the state follows the name in parentheses. */
static gboolean
is_asleep (int id)
{
  char path[64], text[PROC_STAT_SIZE];
  const char *state;

  snprintf (path, sizeof path, "/proc/self/task/%d/stat", id);
  if (!proc_read_stat (path, text))
    return TRUE; /* it has ended */
  state = strrchr (text, ')');
  return state != NULL && state[1] == ' ' && state[2] == 'S';
}

gboolean
thread_others_are_asleep (void)
{
  int ids[MAX_LOOKED_AT];
  gsize n = thread_list (ids, MAX_LOOKED_AT);
  int self = thread_get_id ();

  for (gsize i = 0; i < n; i++)
    if (ids[i] != self && !is_asleep (ids[i]))
      return FALSE;
  return n > 0;
}

gboolean
thread_signal (int id, int signum)
{
  int saved_errno = errno;
  gboolean sent = syscall (SYS_tgkill, getpid (), id, signum) == 0;

  errno = saved_errno;
  return sent;
}

void
thread_signal_again (int signum, const siginfo_t *info)
{
  int saved_errno = errno;

  if (syscall (SYS_rt_tgsigqueueinfo, getpid (), thread_get_id (), signum, info) != 0)
    thread_signal (thread_get_id (), signum);
  errno = saved_errno;
}

void
thread_wait (int *word, int value, guint ms)
{
  const struct timespec timeout
      = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000 * 1000 };
  int saved_errno = errno;

  if (__atomic_load_n (word, __ATOMIC_ACQUIRE) == value)
    syscall (SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &timeout, NULL, 0);
  errno = saved_errno;
}

void
thread_wake (int *word)
{
  int saved_errno = errno;

  syscall (SYS_futex, word, FUTEX_WAKE_PRIVATE, G_MAXINT, NULL, NULL, 0);
  errno = saved_errno;
}
