/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/channel.h"

/* Readers of the channel of a child. As a rule the one reader is the thread that serves. While a
 * function runs that has asked for its cancellable, another thread reads; and so does a thread in
 * which a generator waits until it may yield more. Each reader keeps frames that are not its own
 * for the others. */
typedef struct
{
  Channel *channel;
  GMutex lock;
  GCond heard;
  GQueue frames; /* (element-type Frame): for listener_next() */
  gboolean is_reading;
  guint n_waiting;
  gboolean has_ended;
  gboolean has_thread;
  gint64 looked_at;

  /* Of the call that runs */
  guint32 call_id;
  GCancellable *cancellable; /* (nullable) */
  FrameCredit credit;
  FrameCredit used;
} Listener;

void listener_init (Listener *self, Channel *channel);

void listener_begin_call (Listener *self, guint32 call_id, GCancellable *cancellable);
void listener_end_call (Listener *self);

/* The next frame that is no word to a call which runs; CHANNEL_AGAIN when none came within @ms
 * milliseconds; -1: any time. */
ChannelStatus listener_next (Listener *self, Frame *frame, int ms);

/* Hears in a thread that the call is to be cancelled. It stays as long as the process. FALSE: there
 * can be none. */
gboolean listener_start (Listener *self);

/* Waits until an item of @size bytes may be sent. FALSE: nobody wants it. */
gboolean listener_take_credit (Listener *self, gsize size);

/* Whether nobody wants it because the channel has ended, and nobody has said so. */
gboolean listener_is_cut_off (Listener *self);
