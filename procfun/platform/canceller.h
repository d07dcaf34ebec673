/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* Ends a call, from any thread. A GCancellable is made only for users that need one, since most
 * calls have none: an object with a signal costs more than everything else that is made for a call.
 */
typedef struct _Canceller Canceller;

Canceller *canceller_new (void);
Canceller *canceller_ref (Canceller *self);
void canceller_unref (Canceller *self);

void canceller_cancel (Canceller *self);
gboolean canceller_is_cancelled (Canceller *self);
gboolean canceller_set_error_if_cancelled (Canceller *self, GError **error);

/* Trips with the canceller. (transfer none) */
GCancellable *canceller_get_cancellable (Canceller *self);

/* A descriptor that is readable once it is cancelled; -1 when there is none left for it. For one
 * thread at a time, which closes it. */
int canceller_open_fd (Canceller *self);
void canceller_close_fd (Canceller *self);

/* Makes @source ready when it is cancelled, unless that has happened. One at a time: a call that
 * waited for its process has another source when it runs. @source is borrowed until it is cleared,
 * which does nothing to one that has taken its place. */
void canceller_set_source (Canceller *self, GSource *source);
void canceller_clear_source (Canceller *self, GSource *source);

/* The same for any function, which is called in the thread that cancels, and must not use the
 * canceller. */
typedef void (*CancellerFunc) (gpointer data);
void canceller_set_func (Canceller *self, CancellerFunc func, gpointer data);
void canceller_clear_func (Canceller *self, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Canceller, canceller_unref)
