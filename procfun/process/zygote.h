/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/process/patience.h"
#include "procfun/process/worker.h"

/* A process that was executed once, and forks another one whenever one is wanted: fresh, and at the
 * price of a fork of a small process, however large this one is. Any thread may ask. */
typedef struct _Zygote Zygote;

/* Starts the one for the module of @function, which was checked, and does not wait for it. @state:
 * what this process would hand down now. @preloads: (nullable) (element-type ProcfunCall): what it
 * runs before it forks. Fails with %PROCFUN_ERROR_SPAWN, or with the error of arguments that cannot
 * be sent; @was_refused tells whether the machine had no room for another process. */
Zygote *zygote_new (ProcfunFunction *function, const ExchangeOptions *options, guint64 state,
                    GPtrArray *preloads, gboolean *was_refused, GError **error);
Zygote *zygote_ref (Zygote *self);

/* The last reference ends it, and all that it has forked. */
void zygote_unref (Zygote *self);

/* A process that waits for calls, and ends when none comes within @idle milliseconds; 0: it waits
 * for ever. Fails with %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_MISMATCH or %PROCFUN_ERROR_WORKER_LOST;
 * when @patience is over; and, where it has something to run before it forks, with
 * %PROCFUN_ERROR_TIMED_OUT when the timeout of the call is up. */
gboolean zygote_fork (Zygote *self, Worker *worker, guint idle, const Patience *patience,
                      GError **error);

/* The same without waiting, to be tried again: between zygote_add_watcher() and
 * zygote_remove_watcher() @source is made ready when there is news that another thread has read.
 * The others come by zygote_get_fd(). */
typedef enum
{
  ZYGOTE_FORKED,
  ZYGOTE_WAITS,
  ZYGOTE_FAILED
} ZygoteStatus;

void zygote_add_watcher (Zygote *self, GSource *source);
void zygote_remove_watcher (Zygote *self, GSource *source);
int zygote_get_fd (Zygote *self);

/* For one caller. Times are monotonic, in µs, and 0 in the beginning. */
typedef struct
{
  ProcfunCall *call; /* (nullable): borrowed */
  guint idle;
  gint64 begun_at; /* waiting for its greeting */
  gint64 asked_at; /* for a process */
  gint64 end;      /* when to try again even if nothing happens */
} ZygoteWait;

ZygoteStatus zygote_try_fork (Zygote *self, Worker *worker, ZygoteWait *wait, GError **error);

/* Ends those that were forked ahead. FALSE: there are none. */
gboolean zygote_drop_spares (Zygote *self);

/* (transfer full) (nullable): of one that has ended without having started, where it had something
 * to run before it forks. */
GError *zygote_get_start_error (Zygote *self);

gboolean zygote_has_preloads (const Zygote *self);

/* How long it has taken until it was known that it does not start, in µs; 0: it has started. */
gint64 zygote_get_failed_time (Zygote *self);

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

/* It has given at least one process. */
gboolean zygote_has_forked (Zygote *self);

/* Whether this process started it, and not one that has forked this one. */
gboolean zygote_is_own (Zygote *self);

/* Whether it has started, and its children have these without being told. */
gboolean zygote_can_fork_with (Zygote *self, const ExchangeOptions *options);

/* Arguments of zygote_new(). */
guint64 zygote_get_state (Zygote *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Zygote, zygote_unref)
