/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A process of the library's own that finds names and lines for the report of a crash, confined,
 * since no file is made to be read by one who does not trust it. Where it cannot be had, ends early
 * or takes too long, some names are missing, and nothing else. */
typedef struct _Naming Naming;

/* @request: see wire/names.h. */
Naming *naming_new (GBytes *request);

/* Ends the process. */
void naming_free (Naming *self);

/* FALSE: it cannot be started. */
gboolean naming_start (Naming *self);

/* To be advanced when the descriptor can be read, and at this time, monotonic in µs. TRUE: no more
 * comes. Does not wait. */
int naming_get_fd (Naming *self);
gint64 naming_get_wake_time (Naming *self);
gboolean naming_advance (Naming *self);

/* The answer as far as it has come. (transfer full) (nullable): NULL: it was not asked for. */
GBytes *naming_get_answer (Naming *self);

GBytes *naming_get_request (Naming *self);
pid_t naming_get_pid (Naming *self);

/* All of it, waiting for the answer. (transfer full) */
GBytes *naming_run (GBytes *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Naming, naming_free)
