/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/leftovers.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/float-mode.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/platform/proc.h"
#include "procfun/platform/thread.h"
#include "procfun/platform/timers.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define PEAK_STEP ((guint64)1 << 20)

/* OpenMP's threads, for example, wait busily for some milliseconds before they sleep; on a busy
 * machine a thread waits as long for a processor. */
#define FALL_ASLEEP_US (100 * G_TIME_SPAN_MILLISECOND)
#define LOOK_AGAIN_US 500
#define ASLEEP_LOOKS 2 /* one after the other */

/* A look at all settings takes about 80 system calls: at most a hundredth of the time. */
#define SETTINGS_EVERY_US (10 * G_TIME_SPAN_MILLISECOND)
#define FIRST_SETTINGS 8 /* calls */

/* Not looked for each time, so it stays. */
#define FOUND_ONCE                                                                                 \
  (FRAME_LEFT_UNPREPARED | FRAME_LEFT_IDENTITY | FRAME_LEFT_LIMITS | FRAME_LEFT_SCHEDULING         \
   | FRAME_LEFT_TIMERS | FRAME_LEFT_FIRST_THREADS)

/* Things found after a call. */
typedef struct
{
  guint n_threads; /* without those of procfun itself */
  gboolean has_descriptor;
  gboolean others_sleep; /* if there was something to wait for */
} Look;

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

/* Each call is looked at for a descriptor that took the number; a lower one that somebody has
 * closed does no more harm later. */
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

/* Calls whose peaks are alike leave alike amounts of memory. */
static gboolean
has_grown (Leftovers *self, guint64 peak)
{
  if (self->resident > 0 && peak < self->peak + PEAK_STEP && self->peak < peak + PEAK_STEP)
    return FALSE;
  self->peak = peak;
  self->resident = read_resident ();
  return TRUE;
}

static void
look (Leftovers *self, guint n_own_threads, GUnixFDList *fds, Look *it)
{
  const guint n = count_threads ();

  it->n_threads = n > n_own_threads ? n - n_own_threads : 0;
  it->has_descriptor = has_descriptor (self, fds);
}

static gboolean
may_change (const Leftovers *self, const Look *it)
{
  return it->n_threads > MAX (self->n_threads, self->n_settled)
         || (it->has_descriptor && it->n_threads > 1);
}

/* A thread that is told that its work is done ends, or closes what it had open, a moment later, and
 * functions that run in parallel leave the threads of their library, which sleep at last. So
 * nothing is taken for left behind while a thread is awake. One that waits for another thread or
 * for a page sleeps, too, but not for long. */
static void
wait_for_threads (Leftovers *self, guint n_own_threads, GUnixFDList *fds, Look *it)
{
  gint64 until = 0, now = 0;
  guint n_asleep = 0;

  while (may_change (self, it) && n_asleep < ASLEEP_LOOKS && now <= until)
    {
      now = g_get_monotonic_time ();
      if (until == 0)
        until = now + FALL_ASLEEP_US;
      n_asleep = thread_others_are_asleep () ? n_asleep + 1 : 0;
      if (n_asleep < ASLEEP_LOOKS)
        g_usleep (LOOK_AGAIN_US);
      look (self, n_own_threads, fds, it);
    }
  it->others_sleep = n_asleep > 0;
  self->n_settled = MAX (self->n_settled, it->n_threads);
}

/* Threads that sleep after the first call belong to a library that keeps them; later ones do not.
 */
static guint64
judge_threads (Leftovers *self, const Look *it)
{
  gboolean is_first = !self->has_called;

  self->has_called = TRUE;
  if (it->n_threads <= self->n_threads)
    return 0;
  if (!is_first || !it->others_sleep)
    return FRAME_LEFT_THREADS;
  self->n_threads = it->n_threads;
  return FRAME_LEFT_FIRST_THREADS;
}

/* The threads of GIO wait for events. FALSE: there are others that were left open. */
static gboolean
take_descriptors_of_threads (Leftovers *self)
{
  int lowest = find_lowest_fd ();

  for (int fd = self->lowest_fd; fd < lowest; fd++)
    if (!fds_is_for_events (fd))
      return FALSE;
  if (lowest < self->lowest_fd)
    return FALSE;
  self->lowest_fd = lowest;
  return TRUE;
}

/* FALSE: the directory is gone, or out of reach. */
static gboolean
restore_directory (Leftovers *self)
{
  char path[PATH_MAX];

  return strcmp (get_directory (path), self->directory) == 0
         || (chdir (self->directory) == 0 && strcmp (get_directory (path), self->directory) == 0);
}

/* An alarm would end the next call. */
static void
restore_timer (Leftovers *self)
{
  if (!self->has_timer)
    alarm (0);
}

void
leftovers_begin (Leftovers *self, guint n_own_threads, GUnixFDList *fds)
{
  char path[PATH_MAX];

  self->expected_fd = fds != NULL ? find_lowest_fd () : self->lowest_fd;
  if (self->has_begun)
    return;
  self->has_begun = TRUE;
  self->n_threads = count_threads () - n_own_threads;
  self->lowest_fd = find_lowest_fd_without (fds);
  if (fds == NULL)
    self->expected_fd = self->lowest_fd;
  sigprocmask (SIG_SETMASK, NULL, &self->mask);
  self->directory = g_strdup (get_directory (path));
  self->umask = umask (0);
  umask (self->umask);
  self->float_mode = float_mode_get ();
  self->has_timer = timers_is_set (ITIMER_REAL);
  self->settings = settings_new ();
  self->functions = g_hash_table_new (NULL, NULL);
}

void
leftovers_restore_float_mode (Leftovers *self)
{
  if (self->has_begun)
    float_mode_set (self->float_mode);
}

void
leftovers_restore (Leftovers *self)
{
  if (!self->has_begun)
    return;
  restore_timer (self);
  sigprocmask (SIG_SETMASK, &self->mask, NULL);
  umask (self->umask);
}

/* Most functions do the same in each call, so the first one tells most. */
static gboolean
settings_are_due (Leftovers *self, ProcfunFunction *function)
{
  gint64 now = g_get_monotonic_time ();
  gboolean is_new = g_hash_table_add (self->functions, function);

  if (self->n_looks >= FIRST_SETTINGS && !is_new && now - self->looked_at < SETTINGS_EVERY_US)
    return FALSE;
  self->n_looks++;
  self->looked_at = now;
  return TRUE;
}

gboolean
leftovers_find (Leftovers *self, guint n_own_threads, ProcfunFunction *function, guint64 peak,
                GUnixFDList *fds, FrameState *state)
{
  guint64 found = self->found & FOUND_ONCE;
  gboolean is_due, is_larger;
  guint64 threads;
  Look it = { 0 };

  if ((found & FRAME_LEFT_UNPREPARED) != 0) /* it ends */
    {
      *state = (FrameState){ found, self->resident };
      return TRUE;
    }
  if (!self->has_begun) /* and ends, as it could not be set up */
    return FALSE;
  look (self, n_own_threads, fds, &it);
  wait_for_threads (self, n_own_threads, fds, &it);
  threads = judge_threads (self, &it);
  found |= threads;
  if (it.has_descriptor
      && (threads != FRAME_LEFT_FIRST_THREADS || fds != NULL
          || !take_descriptors_of_threads (self)))
    found |= FRAME_LEFT_DESCRIPTORS;
  if (!restore_directory (self))
    found |= FRAME_LEFT_DIRECTORY;
  found |= settings_compare_memory (self->settings);
  is_due = settings_are_due (self, function);
  if (is_due)
    {
      restore_timer (self); /* while it still has the handler of the function */
      found |= settings_restore (self->settings);
    }
  is_larger = has_grown (self, peak);
  if (self->limits != NULL && (is_due || is_larger))
    limits_count_anew (self->limits);
  if (!is_larger && found == self->found)
    return FALSE;
  self->found = found;
  *state = (FrameState){ found, self->resident };
  return TRUE;
}
