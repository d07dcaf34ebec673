/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* How starting workers has gone, for each module: after a worker that could not be started or
 * prepared, the next one is started later. The scheduler's lock is held. */
typedef GHashTable Starts;

Starts *starts_new (void);

/* How long it takes until the next try, in µs; 0: it is due. */
gint64 starts_get_rest (Starts *self, const char *module);

/* Fails with %PROCFUN_ERROR_SPAWN and the reason if it is not due. */
gboolean starts_check (Starts *self, const char *module, GError **error);

/* A worker was started and prepared; or not, because of @error, which is taken; or it ended before
 * its first call. */
void starts_succeed (Starts *self, const char *module);
void starts_fail (Starts *self, const char *module, GError *error);
void starts_note_unsent (Starts *self, const char *module);
