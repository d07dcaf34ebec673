/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/leftovers.h"

#include "procfun/platform/proc.h"
#include "procfun/platform/thread.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#define PEAK_STEP ((guint64)1 << 20)

static guint
count_threads (void)
{
  return __libc_single_threaded ? 1 : thread_count ();
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

/* The same if none of @fds were open. */
static int
find_lowest_fd_without (GUnixFDList *fds)
{
  int lowest = find_lowest_fd ();
  int n = 0;
  const int *numbers = fds != NULL ? g_unix_fd_list_peek_fds (fds, &n) : NULL;

  for (int i = 0; i < n; i++)
    lowest = MIN (lowest, numbers[i]);
  return lowest;
}

/* Every call is looked at for a descriptor that took the number; that somebody has closed a lower
 * one is no worse later. */
#define CLOSED_STEP 16

static gboolean
has_descriptor (Leftovers *self, GUnixFDList *fds)
{
  if (fds == NULL && ++self->n_unchecked < CLOSED_STEP)
    return fcntl (self->expected_fd, F_GETFD) >= 0;
  self->n_unchecked = 0;
  return find_lowest_fd_without (fds) != self->expected_fd;
}

/* Its name, which takes half as long as its number. */
static const char *
get_directory (char path[PATH_MAX])
{
  return getcwd (path, PATH_MAX) != NULL ? path : "";
}

static guint64
read_resident (void)
{
  static const char *const names[] = { "VmRSS" };
  guint64 resident;

  proc_read_status ("/proc/self/status", names, &resident, 1);
  return resident * 1024;
}

/* As long as the peaks of calls are alike, so is what they leave. */
static gboolean
has_grown (Leftovers *self, guint64 peak)
{
  if (self->resident > 0 && peak < self->peak + PEAK_STEP && self->peak < peak + PEAK_STEP)
    return FALSE;
  self->peak = peak;
  self->resident = read_resident ();
  return TRUE;
}

void
leftovers_begin (Leftovers *self, GUnixFDList *fds)
{
  char path[PATH_MAX];

  self->expected_fd = fds != NULL ? find_lowest_fd () : self->lowest_fd;
  if (self->has_begun)
    return;
  self->has_begun = TRUE;
  self->n_threads = count_threads ();
  self->lowest_fd = find_lowest_fd_without (fds);
  if (fds == NULL)
    self->expected_fd = self->lowest_fd;
  sigprocmask (SIG_SETMASK, NULL, &self->mask);
  self->directory = g_strdup (get_directory (path));
}

void
leftovers_clear (Leftovers *self)
{
  g_free (self->directory);
  *self = (Leftovers){ 0 };
}

gboolean
leftovers_find (Leftovers *self, guint n_own_threads, guint64 peak, GUnixFDList *fds,
                FrameState *state)
{
  guint64 found = self->found & FRAME_LEFT_UNPREPARED;
  char path[PATH_MAX];
  sigset_t mask = { 0 }; /* of which a part is written */

  if (!self->has_begun) /* and ends, as it could not be set up */
    return FALSE;
  sigprocmask (SIG_SETMASK, NULL, &mask);
  if (count_threads () > self->n_threads + n_own_threads)
    found |= FRAME_LEFT_THREADS;
  if (has_descriptor (self, fds))
    found |= FRAME_LEFT_DESCRIPTORS;
  if (memcmp (&mask, &self->mask, sizeof mask) != 0)
    found |= FRAME_LEFT_SIGNAL_MASK;
  if (strcmp (get_directory (path), self->directory) != 0)
    found |= FRAME_LEFT_DIRECTORY;
  if (!has_grown (self, peak) && found == self->found && (found & FRAME_LEFT_UNPREPARED) == 0)
    return FALSE;
  self->found = found;
  *state = (FrameState){ found, self->resident };
  return TRUE;
}
