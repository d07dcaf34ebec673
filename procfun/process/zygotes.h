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

/* Each zygote of the module of @call, which it takes, runs it before it forks; those that are there
 * have to be renewed. The second form is for @other's. */
void zygotes_add_preload (Zygotes *self, ProcfunCall *call);
void zygotes_copy_preloads (Zygotes *self, Zygotes *other);

/* A process for @function, as zygote_fork() gives it; where no zygote can be had, and none had
 * anything to run before it forks, one that is executed. Fails as zygote_fork() and launch() do,
 * and when @patience is over. */
gboolean zygotes_fork (Zygotes *self, ProcfunFunction *function, const ExchangeOptions *options,
                       guint idle, const Patience *patience, Worker *worker, GError **error);

/* Whether a zygote for @function is there that forks processes with @options. */
gboolean zygotes_can_fork (Zygotes *self, ProcfunFunction *function,
                           const ExchangeOptions *options);

/* The same without waiting. Of @function, @options and @source only pointers are kept. */
typedef struct
{
  Zygotes *zygotes;
  ProcfunFunction *function;
  const ExchangeOptions *options;
  GSource *source; /* that is made ready when it is to be tried again */

  Zygote *zygote; /* (nullable): that it waits for: see zygote_get_fd() */
  guint n_tries;
  ZygoteWait wait;
} ZygotesFork;

ZygoteStatus zygotes_try_fork (ZygotesFork *self, Worker *worker, GError **error);

/* It waits no more. */
void zygotes_fork_clear (ZygotesFork *self);

/* Ends what was forked ahead, of all modules. FALSE: nothing was. */
gboolean zygotes_drop_spares (Zygotes *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Zygotes, zygotes_free)
