/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/wire/channel.h"

/* What the caller says while a function runs: that it is to end, and how much a generator may
 * yield. Whichever thread waits for that reads the channel, one at a time, and nobody else may. */
typedef struct
{
  Channel *channel;
  GCancellable *cancellable;
  GMutex lock;
  GCond heard;
  gboolean is_reading; /* some thread is */
  gboolean has_ended;  /* the caller says no more */
  FrameCredit credit;  /* counted from the beginning of the call, as is the next */
  FrameCredit used;
  gint64 looked_at; /* monotonic time in µs */
} Listener;

void listener_init (Listener *self, Channel *channel, GCancellable *cancellable);

/* Listens from now on, in a thread of its own. FALSE: there can be none. */
gboolean listener_start (Listener *self);

/* Waits until an item of @size bytes may be sent. FALSE: no more is wanted. */
gboolean listener_take_credit (Listener *self, gsize size);
