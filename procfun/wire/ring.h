/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/uio.h>

/* Bytes from one process to another through memory that both have mapped. Only waking a sleeper
 * takes a system call, and bytes can be read also when their writer is dead. One side writes and
 * the other reads, each with an end of its own, and neither trusts what the other wrote. */

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

/* Size of a pair, one ring each way. */
gsize ring_get_pair_size (void);

/* Of such memory, which is all 0 at first. */
void ring_open_pair (gpointer memory, gboolean is_first, RingEnd *in, RingEnd *out);

/* For the writer. All or nothing, and at least @spare bytes stay free. */
RingStatus ring_write (RingEnd *self, const struct iovec *parts, guint n_parts, gsize spare);
gboolean ring_has_room (RingEnd *self, gsize size);

/* Whether the reader sleeps, and must be woken by other means; once. */
gboolean ring_take_sleeper (RingEnd *self);

/* Number of bytes that the reader has read; whether it has closed its end. */
guint64 ring_get_taken (RingEnd *self);
gboolean ring_is_closed (RingEnd *self);

/* For the reader. Number of bytes that are there; more than %RING_SIZE: the other side has written
 * nonsense. */
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

/* Closes this end. Bytes written before can still be read; the writer knows that all others were
 * not. */
void ring_close (RingEnd *self);
