/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/process/patience.h"
#include "procfun/process/worker.h"

/* A process that was executed once, and forks another one whenever one is wanted: fresh, and at the
 * price of a fork of a small process, however large this one is. Any thread may ask. */
typedef struct _Zygote Zygote;

/* Executes the zygote for the module of @function, which was checked, and does not wait for it.
 * @state: the state that this process would hand down now. Fails with %PROCFUN_ERROR_SPAWN. */
Zygote *zygote_new (ProcfunFunction *function, const ExchangeOptions *options, guint64 state,
                    GError **error);
Zygote *zygote_ref (Zygote *self);

/* The last reference ends it, and all that it has forked. */
void zygote_unref (Zygote *self);

/* A process that waits for calls, and ends when none comes within @idle milliseconds; 0: it waits
 * for ever. Fails with %PROCFUN_ERROR_SPAWN or %PROCFUN_ERROR_WORKER_LOST, also when @patience is
 * over, and with %PROCFUN_ERROR_MISMATCH. */
gboolean zygote_fork (Zygote *self, Worker *worker, guint idle, const Patience *patience,
                      GError **error);
/* Takes the processes that were asked for and have come, when nothing else is to be done. As long
 * as sockets are under way in the machine, to close one takes five times as long, since the kernel
 * then looks for such as nobody can receive any more (unix(7), net/unix/garbage.c). */
void zygote_listen (Zygote *self);

/* Of one of its children that has died. FALSE: it does not know. */
gboolean zygote_get_status (Zygote *self, pid_t pid, int *wait_status);

/* It gives no more processes: it is gone, or does not answer. Not known as long as there are some
 * that were forked ahead. */
gboolean zygote_has_ended (Zygote *self);

/* Its process is gone, and so are those that it has forked. */
gboolean zygote_has_died (Zygote *self);

/* How long it was waited for in vain until it was given up, in µs. */
gint64 zygote_get_time_lost (Zygote *self);

/* It has given at least one process. */
gboolean zygote_has_forked (Zygote *self);

/* Whether this process started it, and not one that has forked this one. */
gboolean zygote_is_own (Zygote *self);

/* Arguments of zygote_new(). */
guint64 zygote_get_state (Zygote *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Zygote, zygote_unref)
