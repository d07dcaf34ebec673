/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/frame.h"
#include <signal.h>

/* What functions leave behind in a process that is kept for more of them. To look costs about a
 * microsecond, since it is done after every call: what was changed back or hidden is not seen. */
typedef struct
{
  gboolean has_begun;
  guint n_threads;
  int lowest_fd; /* that is free */
  sigset_t mask;
  guint64 directory[2]; /* device and inode of the working directory */
  guint64 peak;         /* of memory, in bytes, when it was last looked at */
  guint64 resident;     /* then */
  guint64 found;        /* FrameLeftovers */
} Leftovers;

/* Before the first call; after that it does nothing. */
void leftovers_begin (Leftovers *self);

/* After a call. @n_own_threads: so many are procfun's. @peak: of its
 * memory. TRUE: @state is news. */
gboolean leftovers_find (Leftovers *self, guint n_own_threads, guint64 peak,
                         FrameState *state);
