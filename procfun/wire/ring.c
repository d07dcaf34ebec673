/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/ring.h"

#include <sched.h>
#include <string.h>

/* In "written": the reader's mark in the writer's counter. Since both change that word alone, they
 * agree about what came before the end. */
#define CLOSED ((guint64)1 << 63)

/* Fields that one side writes have cache lines of their own. Atomic operations are those of gcc and
 * clang, sequentially consistent: of two sides that write and then look, one sees what the other
 * wrote. */
struct _RingMemory
{
  guint64 written; /* bytes in all, by the writer */
  gint32 cpu;      /* where the writer was then, and 1 more */
  guint32 reserved_1[13];
  guint64 taken; /* by the reader */
  guint64 reserved_2[7];
  guint32 sleeps; /* the reader sleeps, or is about to */
  guint32 reserved_3[15];
  guint8 data[RING_SIZE];
};

G_STATIC_ASSERT ((RING_SIZE & (RING_SIZE - 1)) == 0);

gsize
ring_get_pair_size (void)
{
  return 2 * sizeof (RingMemory);
}

void
ring_open_pair (gpointer memory, gboolean is_first, RingEnd *in, RingEnd *out)
{
  RingMemory *pair = memory;

  *in = (RingEnd){ .memory = &pair[is_first ? 1 : 0] };
  *out = (RingEnd){ .memory = &pair[is_first ? 0 : 1] };
}

/* Writing */

gboolean
ring_has_room (RingEnd *self, gsize size)
{
  guint64 under_way = self->position - __atomic_load_n (&self->memory->taken, __ATOMIC_ACQUIRE);

  return under_way <= RING_SIZE && size <= RING_SIZE - under_way;
}

static void
put (RingMemory *memory, guint64 position, const struct iovec *part)
{
  const gsize at = position & (RING_SIZE - 1);
  const gsize first = MIN (part->iov_len, RING_SIZE - at);

  memcpy (memory->data + at, part->iov_base, first);
  if (first < part->iov_len)
    memcpy (memory->data, (const guint8 *)part->iov_base + first, part->iov_len - first);
}

RingStatus
ring_write (RingEnd *self, const struct iovec *parts, guint n_parts, gsize spare)
{
  guint64 position = self->position;
  gsize size = 0;

  for (guint i = 0; i < n_parts; i++)
    size += parts[i].iov_len;
  if (!ring_has_room (self, size + spare))
    return RING_FULL;
  size = 0;
  for (guint i = 0; i < n_parts; size += parts[i++].iov_len)
    if (parts[i].iov_len > 0)
      put (self->memory, self->position + size, &parts[i]);
  __atomic_store_n (&self->memory->cpu, sched_getcpu () + 1, __ATOMIC_RELAXED);
  if (!__atomic_compare_exchange_n (&self->memory->written, &position, position + size, FALSE,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return RING_CLOSED;
  self->position += size;
  return RING_WRITTEN;
}

gboolean
ring_take_sleeper (RingEnd *self)
{
  return __atomic_load_n (&self->memory->sleeps, __ATOMIC_SEQ_CST) != 0
         && __atomic_exchange_n (&self->memory->sleeps, 0, __ATOMIC_SEQ_CST) != 0;
}

guint64
ring_get_taken (RingEnd *self)
{
  return __atomic_load_n (&self->memory->taken, __ATOMIC_ACQUIRE);
}

gboolean
ring_is_closed (RingEnd *self)
{
  return (__atomic_load_n (&self->memory->written, __ATOMIC_SEQ_CST) & CLOSED) != 0;
}

/* Reading */

gsize
ring_get_filled (RingEnd *self)
{
  guint64 written = __atomic_load_n (&self->memory->written, __ATOMIC_SEQ_CST);

  guint64 filled = (written & ~CLOSED) - self->position;

  return filled <= RING_SIZE ? (gsize)filled : G_MAXSIZE; /* which 32 bits could not tell */
}

void
ring_peek (RingEnd *self, gsize offset, gpointer data, gsize size)
{
  const gsize at = (self->position + offset) & (RING_SIZE - 1);
  const gsize first = MIN (size, RING_SIZE - at);

  if (size == 0)
    return;
  memcpy (data, self->memory->data + at, first);
  if (first < size)
    memcpy ((guint8 *)data + first, self->memory->data, size - first);
}

void
ring_take (RingEnd *self, gsize size)
{
  self->position += size;
  __atomic_store_n (&self->memory->taken, self->position, __ATOMIC_RELEASE);
}

void
ring_read (RingEnd *self, gpointer data, gsize size)
{
  if (size == 0)
    return;
  ring_peek (self, 0, data, size);
  ring_take (self, size);
}

int
ring_get_cpu (RingEnd *self)
{
  return (int)((guint32)__atomic_load_n (&self->memory->cpu, __ATOMIC_RELAXED) - 1U);
}

void
ring_fall_asleep (RingEnd *self)
{
  __atomic_store_n (&self->memory->sleeps, 1, __ATOMIC_SEQ_CST);
}

void
ring_close (RingEnd *self)
{
  __atomic_fetch_or (&self->memory->written, CLOSED, __ATOMIC_SEQ_CST);
}
