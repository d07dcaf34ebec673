/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/child/settings.h"
#include "procfun/procfun-function.h"
#include "procfun/wire/frame.h"
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <sys/types.h>

/* State of a process that one call may leave changed for the next. After each call the alarm, the
 * signal mask, the umask, the floating-point mode and the directory are restored, and threads,
 * descriptors, the environment and the locale are looked at, which takes five system calls. Other
 * settings, which take many more, are restored or looked at after the first calls, after the first
 * one of each function, and when the last such look is longer ago than some milliseconds.
 */
typedef struct
{
  gboolean has_begun;
  gboolean has_called; /* a call has ended since */
  guint n_threads;
  guint n_settled; /* so many were waited for */
  int lowest_fd;   /* that is free between calls, */
  int expected_fd; /* and with the descriptors of this call's arguments */
  sigset_t mask;
  mode_t umask;
  guint64 float_mode;
  gboolean has_timer;          /* the initializer left one */
  guint n_unchecked;           /* calls since all descriptors were looked at */
  char *directory;             /* (nullable): the working directory */
  guint64 peak;                /* of memory, in bytes, when it was last looked at */
  guint64 resident;            /* then */
  guint64 found;               /* FrameLeftovers */
  const ProcfunLimits *limits; /* (nullable): that count from what calls have left */
  Settings *settings;
  guint n_looks;         /* at the settings */
  gint64 looked_at;      /* then */
  GHashTable *functions; /* (element-type ProcfunFunction): that have run */
} Leftovers;

/* Before each call; the first one takes the base line. @n_own_threads: those of procfun itself.
 * @fds: (nullable): of the arguments */
void leftovers_begin (Leftovers *self, guint n_own_threads, GUnixFDList *fds);

/* As soon as the function has returned: its result may be calculated with. */
void leftovers_restore_float_mode (Leftovers *self);

/* The alarm, the signal mask and the umask, before the next call. */
void leftovers_restore (Leftovers *self);

/* After a call of @function (nullable), with @fds (nullable) of its result. @peak: of the memory.
 * TRUE: @state is news. */
gboolean leftovers_find (Leftovers *self, guint n_own_threads, ProcfunFunction *function,
                         guint64 peak, GUnixFDList *fds, FrameState *state);
