/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/wire/ring.h"
#include <sched.h>
#include <string.h>

/* Both ends in one process: out of one side, and into the other. */
typedef struct
{
  RingMemory *memory; /* (owned) */
  RingEnd out;
  RingEnd in;
} Ring;

static void
ring_init (Ring *self)
{
  RingEnd unused;

  self->memory = g_malloc0 (ring_get_pair_size ());
  ring_open_pair (self->memory, TRUE, &unused, &self->out);
  ring_open_pair (self->memory, FALSE, &self->in, &unused);
}

static void
ring_clear (Ring *self)
{
  g_free (self->memory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ring, ring_clear)

static guint8 bytes[RING_SIZE + 1];

static RingStatus
write_bytes (Ring *self, gsize from, gsize size, gsize spare)
{
  const struct iovec part = { .iov_base = bytes + from, .iov_len = size };

  return ring_write (&self->out, &part, 1, spare);
}

static void
test_room (void)
{
  g_auto (Ring) ring = { 0 };

  ring_init (&ring);
  g_assert_false (ring_has_room (&ring.out, RING_SIZE + 1));
  g_assert_cmpint (write_bytes (&ring, 0, RING_SIZE + 1, 0), ==, RING_FULL);
  g_assert_cmpint (write_bytes (&ring, 0, RING_SIZE, 0), ==, RING_WRITTEN);
  g_assert_cmpuint (ring_get_filled (&ring.in), ==, RING_SIZE);
  g_assert_cmpint (write_bytes (&ring, 0, 1, 0), ==, RING_FULL);
  ring_take (&ring.in, 1);
  g_assert_cmpint (write_bytes (&ring, 0, 1, 0), ==, RING_WRITTEN);
}

static void
test_spare (void)
{
  g_auto (Ring) ring = { 0 };

  ring_init (&ring);
  g_assert_cmpint (write_bytes (&ring, 0, RING_SIZE - 8, 9), ==, RING_FULL);
  g_assert_cmpint (write_bytes (&ring, 0, RING_SIZE - 8, 8), ==, RING_WRITTEN);
  g_assert_cmpint (write_bytes (&ring, 0, 1, 8), ==, RING_FULL);
}

/* In the middle, and up to, at and past the end of the memory. */
static void
test_end (void)
{
  g_auto (Ring) ring = { 0 };
  gsize position = 0;

  ring_init (&ring);
  while (position < 4 * RING_SIZE)
    for (gsize size = 1; size < 300; size += 7)
      {
        guint8 peeked[300], read[300];

        g_assert_cmpint (write_bytes (&ring, size, size, 0), ==, RING_WRITTEN);
        ring_peek (&ring.in, size / 2, peeked, size - size / 2);
        g_assert_cmpmem (peeked, size - size / 2, bytes + size + size / 2, size - size / 2);
        ring_read (&ring.in, read, size);
        g_assert_cmpmem (read, size, bytes + size, size);
        position += size;
      }
}

/* A single byte is on each side of the end, in turn. */
static void
test_last_byte (void)
{
  for (gsize before = 1; before < 4; before++)
    {
      g_auto (Ring) ring = { 0 };
      guint8 read[4];

      ring_init (&ring);
      g_assert_cmpint (write_bytes (&ring, 0, RING_SIZE - before, 0), ==, RING_WRITTEN);
      ring_take (&ring.in, RING_SIZE - before);
      g_assert_cmpint (write_bytes (&ring, 10, 4, 0), ==, RING_WRITTEN);
      ring_peek (&ring.in, 0, read, 4);
      g_assert_cmpmem (read, 4, bytes + 10, 4);
      memset (read, 0, sizeof read);
      ring_peek (&ring.in, 0, read, before + 1);
      g_assert_cmpmem (read, before + 1, bytes + 10, before + 1);
    }
}

/* A reader that claims more than there was would make room for everything. */
static void
test_false_reader (void)
{
  g_auto (Ring) ring = { 0 };

  ring_init (&ring);
  g_assert_cmpint (write_bytes (&ring, 0, 100, 0), ==, RING_WRITTEN);
  ring_take (&ring.in, 101);
  g_assert_false (ring_has_room (&ring.out, 0));
  g_assert_false (ring_has_room (&ring.out, 1));
  g_assert_cmpint (write_bytes (&ring, 0, 1, 0), ==, RING_FULL);
}

static void
test_closed (void)
{
  g_auto (Ring) ring = { 0 };

  ring_init (&ring);
  g_assert_cmpint (write_bytes (&ring, 0, 3, 0), ==, RING_WRITTEN);
  ring_close (&ring.in);
  g_assert_true (ring_is_closed (&ring.out));
  g_assert_cmpint (write_bytes (&ring, 0, 1, 0), ==, RING_CLOSED);
  g_assert_cmpuint (ring_get_filled (&ring.in), ==, 3);
}

/* A reader that sleeps is found once. */
static void
test_sleeper (void)
{
  g_auto (Ring) ring = { 0 };

  ring_init (&ring);
  g_assert_false (ring_take_sleeper (&ring.out));
  ring_fall_asleep (&ring.in);
  g_assert_true (ring_take_sleeper (&ring.out));
  g_assert_false (ring_take_sleeper (&ring.out));
}

/* The processor of the writer, which the scheduler may change at any time. */
static void
test_cpu (void)
{
  g_auto (Ring) ring = { 0 };
  int before, after;

  ring_init (&ring);
  g_assert_cmpint (ring_get_cpu (&ring.in), ==, -1);
  do
    {
      before = sched_getcpu ();
      g_assert_cmpint (write_bytes (&ring, 0, 1, 0), ==, RING_WRITTEN);
      ring_take (&ring.in, 1);
      after = sched_getcpu ();
    }
  while (before != after);
  g_assert_cmpint (ring_get_cpu (&ring.in), ==, before);
}

int
main (int argc, char **argv)
{
  for (gsize i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8)(i % 251 + 1);
  fixture_init (&argc, &argv);
  fixture_add_func ("/ring/takes-exactly-its-size", test_room);
  fixture_add_func ("/ring/spare-room-stays-free", test_spare);
  fixture_add_func ("/ring/bytes-go-over-the-end", test_end);
  fixture_add_func ("/ring/a-single-byte-goes-over-the-end", test_last_byte);
  fixture_add_func ("/ring/a-reader-that-lies-makes-no-room", test_false_reader);
  fixture_add_func ("/ring/what-was-written-before-the-end-is-read", test_closed);
  fixture_add_func ("/ring/sleeper-is-found-once", test_sleeper);
  fixture_add_func ("/ring/processor-of-the-writer-is-known", test_cpu);
  return fixture_run ();
}
