/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/leftovers.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <unistd.h>

/* Resident memory cannot have grown by more than its page faults. */
#define FAULTS_STEP 256

/* proc(5): a folder has two links and one for each folder in it. */
static guint
count_threads (void)
{
  struct stat st;

  if (__libc_single_threaded)
    return 1;
  return stat ("/proc/self/task", &st) == 0 && st.st_nlink > 2 ? (guint)st.st_nlink - 2 : 1;
}

/* A descriptor that a function left open has taken this number, or a lower one is free now. */
static int
find_lowest_fd (void)
{
  int fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

  if (fd >= 0)
    close (fd);
  return fd;
}

static void
identify_directory (guint64 directory[2])
{
  struct stat st = { 0 };

  stat (".", &st);
  directory[0] = st.st_dev;
  directory[1] = st.st_ino;
}

static guint64
read_resident (void)
{
  unsigned long size, resident = 0;
  FILE *file = fopen ("/proc/self/statm", "re");

  if (file == NULL)
    return 0;
  if (fscanf (file, "%lu %lu", &size, &resident) != 2)
    resident = 0;
  fclose (file);
  return (guint64)resident * (guint64)sysconf (_SC_PAGESIZE);
}

static gboolean
has_grown (Leftovers *self)
{
  struct rusage usage;
  guint64 before = self->resident;

  getrusage (RUSAGE_SELF, &usage);
  if (self->resident > 0 && usage.ru_minflt - self->faults < FAULTS_STEP)
    return FALSE;
  self->faults = usage.ru_minflt;
  self->resident = read_resident ();
  return self->resident != before;
}

void
leftovers_begin (Leftovers *self)
{
  if (self->has_begun)
    return;
  self->has_begun = TRUE;
  self->n_threads = count_threads ();
  self->lowest_fd = find_lowest_fd ();
  sigprocmask (SIG_SETMASK, NULL, &self->mask);
  identify_directory (self->directory);
}

gboolean
leftovers_find (Leftovers *self, guint n_own_threads, FrameState *state)
{
  guint64 found = self->found & FRAME_LEFT_UNPREPARED;
  guint64 directory[2];
  sigset_t mask;

  sigprocmask (SIG_SETMASK, NULL, &mask);
  identify_directory (directory);
  if (count_threads () > self->n_threads + n_own_threads)
    found |= FRAME_LEFT_THREADS;
  if (find_lowest_fd () != self->lowest_fd)
    found |= FRAME_LEFT_DESCRIPTORS;
  for (int signum = 1; signum < NSIG; signum++)
    if (sigismember (&mask, signum) != sigismember (&self->mask, signum))
      found |= FRAME_LEFT_SIGNAL_MASK;
  if (directory[0] != self->directory[0] || directory[1] != self->directory[1])
    found |= FRAME_LEFT_DIRECTORY;
  if (!has_grown (self) && found == self->found && (found & FRAME_LEFT_UNPREPARED) == 0)
    return FALSE;
  self->found = found;
  *state = (FrameState){ found, self->resident };
  return TRUE;
}
