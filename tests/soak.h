/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A mixed load: calls of all kinds on all executors, from a main context and from a thread that
 * blocks, some of which crash, hang, end, leave something or write garbage, while processes are
 * killed and stopped, calls are cancelled and aborted, executors are closed, the program forks and
 * memory is short. */
typedef struct
{
  guint n_begun;
  guint n_succeeded;
  guint n_failed;
  guint n_blocking;
  guint n_killed;
  guint n_stopped;
  guint n_cancelled;
  guint n_forks;
  guint n_closed; /* executors, with calls */
} SoakCounts;

/* The work follows from @seed, its times do not. Each call is answered exactly once,
 * with the right result or an error that it may have, or the program ends. Goes on until @n_calls
 * have begun, and until @until, monotonic time in µs. */
void soak_run (guint32 seed, guint n_calls, gint64 until, SoakCounts *counts);

G_END_DECLS
