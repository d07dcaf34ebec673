/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How far a generator may run ahead of its reader: exact bounds of items and of bytes. */

#include "tests/channel-ends.h"
#include "tests/fixture.h"

#include "procfun/process/items.h"
#include <string.h>

#define WINDOW_ITEMS 256
#define WINDOW_BYTES (256 * 1024)

typedef struct
{
  Items items;
  Channel *own;
  Channel *other;
} Reader;

static void
reader_init (Reader *self)
{
  items_init (&self->items);
  channel_ends_open_both (&self->own, &self->other, 100000);
  items_give_credit (&self->items, self->own, 1);
}

static void
reader_clear (Reader *self)
{
  items_clear (&self->items);
  channel_free (self->own);
  channel_free (self->other);
}

static gboolean
push (Reader *self, gsize size)
{
  return items_push (&self->items, g_variant_ref_sink (g_variant_new_byte (7)), NULL, size);
}

static void
pop (Reader *self)
{
  GUnixFDList *fds;
  g_autoptr (GVariant) value = items_pop (&self->items, &fds);

  g_assert_nonnull (value);
  g_assert_null (fds);
}

/* FALSE: nothing new was told. */
static gboolean
receive_credit (Reader *self, FrameCredit *credit)
{
  g_auto (Frame) frame = { 0 };
  gsize size;
  gconstpointer data;

  if (channel_receive (self->other, &frame, NULL) != CHANNEL_FRAME)
    return FALSE;
  g_assert_cmpint (frame.type, ==, FRAME_CREDIT);
  data = g_bytes_get_data (frame.payload, &size);
  g_assert_cmpuint (size, ==, sizeof *credit);
  memcpy (credit, data, sizeof *credit);
  return TRUE;
}

static void
test_items (void)
{
  Reader reader;

  reader_init (&reader);
  for (guint i = 0; i < WINDOW_ITEMS; i++)
    g_assert_true (push (&reader, 1));
  g_assert_false (push (&reader, 1));
  pop (&reader); /* which the function was not told */
  g_assert_false (push (&reader, 1));
  for (guint i = 1; i < WINDOW_ITEMS; i++)
    pop (&reader);
  g_assert_true (items_is_empty (&reader.items));
  reader_clear (&reader);
}

/* The last one may go over the bound, whatever its size is. */
static void
test_bytes (void)
{
  Reader reader;

  reader_init (&reader);
  g_assert_true (push (&reader, WINDOW_BYTES - 1));
  g_assert_true (push (&reader, 10 * WINDOW_BYTES));
  g_assert_false (push (&reader, 0));
  reader_clear (&reader);

  reader_init (&reader);
  g_assert_true (push (&reader, WINDOW_BYTES));
  g_assert_false (push (&reader, 0));
  reader_clear (&reader);
}

/* It is told with each half of a window, of items or of bytes, that was taken, and not sooner. */
static void
test_credit (void)
{
  FrameCredit credit;
  Reader reader;

  reader_init (&reader);
  g_assert_true (receive_credit (&reader, &credit));
  g_assert_cmpuint (credit.n_items, ==, WINDOW_ITEMS);
  g_assert_cmpuint (credit.n_bytes, ==, WINDOW_BYTES);
  for (guint i = 1; i <= WINDOW_ITEMS / 2; i++)
    {
      g_assert_true (push (&reader, 10));
      pop (&reader);
      items_give_credit (&reader.items, reader.own, 1);
      g_assert_cmpint (receive_credit (&reader, &credit), ==, i == WINDOW_ITEMS / 2);
    }
  g_assert_cmpuint (credit.n_items, ==, WINDOW_ITEMS + WINDOW_ITEMS / 2);
  g_assert_cmpuint (credit.n_bytes, ==, WINDOW_BYTES + 10 * WINDOW_ITEMS / 2);

  g_assert_true (push (&reader, WINDOW_BYTES / 2 - 1));
  pop (&reader);
  items_give_credit (&reader.items, reader.own, 1);
  g_assert_false (receive_credit (&reader, &credit));
  g_assert_true (push (&reader, 1));
  pop (&reader);
  items_give_credit (&reader.items, reader.own, 1);
  g_assert_true (receive_credit (&reader, &credit));
  g_assert_cmpuint (credit.n_items, ==, WINDOW_ITEMS + WINDOW_ITEMS / 2 + 2);
  g_assert_cmpuint (credit.n_bytes, ==, WINDOW_BYTES + 10 * WINDOW_ITEMS / 2 + WINDOW_BYTES / 2);
  reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/items/number-has-a-bound", test_items);
  fixture_add_func ("/items/bytes-have-a-bound", test_bytes);
  fixture_add_func ("/items/credit-comes-with-each-half-of-a-window", test_credit);
  return fixture_run ();
}
