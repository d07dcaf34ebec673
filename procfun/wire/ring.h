/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/uio.h>

/* Bytes from one process to another through memory that both have mapped: no system call but to
 * wake who sleeps, and what was written can be read also when the writer is dead. One side writes
 * and the other one reads, each with an end of its own, and neither trusts what the other one
 * wrote. */

#define RING_SIZE ((gsize)32 * 1024) /* bytes that are under way at most */

typedef struct _RingMemory RingMemory;

typedef struct
{
  RingMemory *memory; /* (nullable) shared */
  guint64 position;   /* bytes that this end has written, or read */
} RingEnd;

typedef enum
{
  RING_WRITTEN,
  RING_FULL,
  RING_CLOSED /* nobody reads it any more, nor will read this */
} RingStatus;

/* What a pair of them takes, one each way. */
gsize ring_get_pair_size (void);

/* Of such memory, which is all 0 at first. */
void ring_open_pair (gpointer memory, gboolean is_first, RingEnd *in, RingEnd *out);

/* Who writes. All or nothing, and at least @spare bytes stay free. */
RingStatus ring_write (RingEnd *self, const struct iovec *parts, guint n_parts, gsize spare);
gboolean ring_has_room (RingEnd *self, gsize size);

/* Whether the reader sleeps, and must be woken by other means; once. */
gboolean ring_take_sleeper (RingEnd *self);

/* How much the reader has read, and whether it has closed its end. */
guint64 ring_get_taken (RingEnd *self);
gboolean ring_is_closed (RingEnd *self);

/* Who reads. How much there is; more than %RING_SIZE: the other side has written nonsense. */
gsize ring_get_filled (RingEnd *self);
void ring_read (RingEnd *self, gpointer data, gsize size);

/* The same in two steps: reads what is @offset bytes further on and leaves it there, and takes so
 * much. */
void ring_peek (RingEnd *self, gsize offset, gpointer data, gsize size);
void ring_take (RingEnd *self, gsize size);

/* The processor that the writer was on when it last wrote; -1: unknown. */
int ring_get_cpu (RingEnd *self);

/* The writer is to wake this end from now on. */
void ring_fall_asleep (RingEnd *self);

/* What was written before this can still be read; the writer knows of all else that it was not
 * taken. */
void ring_close (RingEnd *self);
