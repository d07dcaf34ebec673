/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/canceller.h"

G_BEGIN_DECLS

/* The way of a stream that has no descriptor into a pipe, while a call runs. A thread of its own
 * reads it. */
typedef struct _StreamPump StreamPump;

/* @end: (out) (transfer full): the other end of the pipe */
StreamPump *stream_pump_new (GInputStream *stream, GInputStream **end, GError **error);

/* A stream that fails ends the call by @canceller, and its reader never sees an end. */
void stream_pump_start (StreamPump *self, Canceller *canceller);

/* The reader cannot be ended: it sees an end where the stream fails. */
void stream_pump_cut_at_failure (StreamPump *self);

/* Whether the reader has seen such an end. */
gboolean stream_pump_was_cut (StreamPump *self);

/* (nullable) (transfer full): what the stream failed with. */
GError *stream_pump_get_error (StreamPump *self);

/* Ends the thread as soon as the stream lets it, and frees what is left. */
void stream_pump_end (StreamPump *self);

G_END_DECLS
