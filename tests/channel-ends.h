/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/wire/channel.h"

G_BEGIN_DECLS

/* A channel, and the bare socket at its other end. */
Channel *channel_ends_open_half (int *other, gsize limit);

void channel_ends_open_both (Channel **a, Channel **b, gsize limit);

/* @size bytes that differ from their neighbours. */
GBytes *channel_ends_make_payload (gsize size);

/* The bytes of a frame as they go over the wire. */
GByteArray *channel_ends_make_frame (FrameType type, guint32 call_id, GBytes *payload);

/* Sends and receives until @to has a frame; neither side waits for the other. */
void channel_ends_carry (Channel *from, Channel *to, Frame *frame);

/* Carries a frame, and asserts that it is the same. */
void channel_ends_say (Channel *from, Channel *to, guint32 call_id);

/* Both ways by the ring, after a first frame each way by the socket. */
void channel_ends_open_by_ring (Channel **caller, Channel **callee, gsize limit);

G_END_DECLS
