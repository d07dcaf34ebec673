/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/zygote.h"

/* The zygotes of an executor: one for each module whose functions it has run. Any thread may ask.
 */
typedef struct _Zygotes Zygotes;

Zygotes *zygotes_new (void);

/* Ends them. The second is for going on later. */
void zygotes_free (Zygotes *self);
void zygotes_clear (Zygotes *self);

/* Number of the state that a process started now would inherit (platform/inherited-state.h), and of
 * how often the program has asked for new ones. @now: monotonic time in µs. */
guint64 zygotes_get_state (Zygotes *self, gint64 now);

/* Nothing that was started before is used for calls that come later. */
void zygotes_renew (Zygotes *self);

/* Key of a zygote: the script, the program, or the file of a library. */
const char *zygotes_get_key (ProcfunFunction *function);

/* A process for @function, as zygote_fork() gives it; where no zygote can be had, one that is
 * executed. Fails as launch() does, and when @patience is over. */
gboolean zygotes_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options,
                       guint idle, const Patience *patience, Worker *worker, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Zygotes, zygotes_free)
