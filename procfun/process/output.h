/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

/* What a function prints on one of its streams: passed on, given to the call by line, or thrown
 * away; and its end kept for the case that the call fails. */
typedef struct
{
  int fd;
  ProcfunStream stream;
  ProcfunOutputMode mode;
  guint64 limit;
  guint64 n_bytes;  /* that came in all */
  GString *tail;    /* (nullable): there is none as long as nothing came */
  GString *pending; /* (nullable): likewise; inherit: to be passed on; capture: a line that has no
                       end yet */
} Output;

/* Takes @fd. @limit: how many bytes may come; 0: any number. */
void output_init (Output *self, int fd, ProcfunStream stream, ProcfunOutputMode mode,
                  guint64 limit);
void output_clear (Output *self);

/* It may be used on, after output_finish(). */
int output_steal_fd (Output *self);

/* -1 when no more comes, or when the program's own stream is full. */
int output_get_fd (Output *self);

/* Whether to try again although nothing may come: the program's own stream was full. */
gboolean output_is_held_up (Output *self);

/* Takes what is there, without waiting. */
void output_advance (Output *self, ProcfunCall *call);

/* Nothing more will come: takes what is still there, if @is_ready, also a line without an end. */
void output_finish (Output *self, ProcfunCall *call, gboolean is_ready);

gboolean output_is_over_limit (Output *self);

/* How many bytes have come. */
guint64 output_get_size (Output *self);

/* The last 4 KiB. (transfer full) */
GBytes *output_get_tail (Output *self);
