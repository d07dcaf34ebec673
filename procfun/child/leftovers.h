/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/frame.h"
#include <gio/gunixfdlist.h>
#include <signal.h>

/* What functions leave behind in a process that is kept for more of them. To look costs about a
 * microsecond, since it is done after every call: what was changed back or hidden is not seen. */
typedef struct
{
  gboolean has_begun;
  guint n_threads;
  int lowest_fd;   /* that is free between calls, */
  int expected_fd; /* and with the descriptors of this one's arguments */
  sigset_t mask;
  guint n_unchecked; /* calls since all descriptors were looked at */
  char *directory;   /* (nullable): the working directory */
  guint64 peak;      /* of memory, in bytes, when it was last looked at */
  guint64 resident;  /* then */
  guint64 found;     /* FrameLeftovers */
} Leftovers;

void leftovers_clear (Leftovers *self);

/* Before each call. @fds: (nullable): of its arguments */
void leftovers_begin (Leftovers *self, GUnixFDList *fds);

/* After a call, with @fds (nullable) of its result. @n_own_threads: so many are procfun's. @peak:
 * of its memory. TRUE: @state is news. */
gboolean leftovers_find (Leftovers *self, guint n_own_threads, guint64 peak, GUnixFDList *fds,
                         FrameState *state);
