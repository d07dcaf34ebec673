/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* Makes a source ready when a cancellable trips, perhaps in another thread. A GCancellableSource
 * would do that, too, but GLib 2.74 leaks one that is destroyed while the cancelling goes on. */
typedef struct _Waker Waker;

/* @source is borrowed until waker_free(), which must come before it is finalised. A cancellable
 * that has tripped already makes nothing ready. */
Waker *waker_new (GCancellable *cancellable, GSource *source);
void waker_free (Waker *self);

/* Wakes a thread that sleeps in g_cond_wait() when a cancellable trips. The lock is not held when
 * it is set up and cleared. */
typedef struct
{
  GMutex *lock;
  GCond *cond;
  GCancellable *cancellable; /* (nullable) (unowned) */
  gulong handler;
} CondWaker;

void cond_waker_init (CondWaker *self, GMutex *lock, GCond *cond, GCancellable *cancellable);
void cond_waker_clear (CondWaker *self);
