/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/process/worker.h"

/* Functions that a zygote runs before it forks, as its caller sees it: they are sent together, each
 * is answered by HELLO, and the first one that fails by ERROR. */
typedef struct
{
  GPtrArray *calls; /* (nullable) (element-type ProcfunCall) */
  guint n_done;
  gint64 until; /* when the one that runs must have ended: monotonic time in µs */
} Preloads;

/* @calls: (nullable) (element-type ProcfunCall): at least one, which nobody changes any more */
void preloads_init (Preloads *self, GPtrArray *calls);
void preloads_clear (Preloads *self);

gboolean preloads_are_none (const Preloads *self);
gboolean preloads_are_done (const Preloads *self);

/* Fails with %PROCFUN_ERROR_ENCODE or %PROCFUN_ERROR_LIMIT. */
gboolean preloads_send (Preloads *self, Channel *channel, const ExchangeOptions *options,
                        GError **error);

/* The first one begins; one has ended, and the next one begins. */
void preloads_begin (Preloads *self);
void preloads_note_done (Preloads *self);

/* (transfer full): of the one that runs, when its time is up or its @process has ended. */
GError *preloads_make_error (const Preloads *self, Process *process);

/* (transfer full): @function has a time that is up. */
GError *preloads_make_timeout (const Preloads *self, ProcfunFunction *function, gint64 timeout);
