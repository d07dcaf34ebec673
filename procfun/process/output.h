/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

/* Output of a function on one of its streams. It is passed on, given to the call by line, or thrown
 * away; its end is kept for a failure. */
typedef struct
{
  int fd;
  ProcfunStream stream;
  ProcfunOutputMode mode;
  guint64 limit;
  guint64 n_bytes;  /* that came in all */
  GString *tail;    /* (nullable): there is none as long as nothing came */
  GString *pending; /* (nullable): likewise; inherit: to be passed on; capture: lines to be given */
  gsize n_emitted;  /* of these, while handlers run */
  gsize n_left;     /* once the end has begun: what is still to be read */
  gsize n_held_up;  /* likewise: what the program's own stream had not taken */
  gint64 give_up_at; /* and when to wait for it no longer; 0: not known yet */
} Output;

/* Takes @fd. @limit: how many bytes may come; 0: any number. */
void output_init (Output *self, int fd, ProcfunStream stream, ProcfunOutputMode mode,
                  guint64 limit);
void output_clear (Output *self);

/* The descriptor may be used on, after the end. */
int output_steal_fd (Output *self);

/* -1 when no more comes, or when the program's own stream is full. */
int output_get_fd (Output *self);

/* The program's own stream was full: to be tried again although nothing may come. */
gboolean output_is_held_up (Output *self);

/* Takes a portion of what is there, without waiting. */
void output_advance (Output *self, ProcfunCall *call);

/* Nothing more is taken than what is there now, if @is_ready. */
void output_begin_end (Output *self, gboolean is_ready);

/* Takes a portion of that. TRUE: all is through, or the program's own stream was full for @patience
 * µs and the rest is dropped. */
gboolean output_advance_end (Output *self, ProcfunCall *call, gint64 patience);

/* Number of bytes that have come. */
guint64 output_get_size (Output *self);

/* The last 4 KiB. (transfer full) */
GBytes *output_get_tail (Output *self);
