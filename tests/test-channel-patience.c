/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Channels that look for a while before they sleep. */

#include "tests/channel-ends.h"
#include "tests/fixture.h"

#include "procfun/wire/channel.h"
#include <sched.h>

#define LIMIT ((gsize)1024)

typedef struct
{
  Channel *caller;
  Channel *callee;
} Pair;

static void
close_pair (Pair *self)
{
  channel_free (self->caller);
  channel_free (self->callee);
}

/* Where all threads are; nothing else of this program asks for it. */
static gint processor;

int
sched_getcpu (void)
{
  return g_atomic_int_get (&processor);
}

static gpointer
say_late (gpointer channel)
{
  channel_send (channel, FRAME_CALL, 4, "word", 4, NULL, NULL);
  channel_out_flush (&((Channel *)channel)->out);
  return NULL;
}

/* Each side has a processor of its own. */
static void
open_pair_apart (Pair *self)
{
  g_atomic_int_set (&processor, 1);
  channel_ends_open_by_ring (&self->caller, &self->callee, LIMIT);
  g_atomic_int_set (&processor, 2);
}

/* A word that comes in time is seen, however many there were that did not. */
static void
test_patience (void)
{
  g_auto (Frame) frame = { 0 };
  GThread *thread;
  Pair pair;

  open_pair_apart (&pair);
  channel_set_patience (1);
  g_assert_true (channel_is_patient ());
  g_assert_false (channel_yield (pair.callee));
  channel_set_patience (G_MAXINT);
  for (guint i = pair.callee->patience_pause; i > 0; i--)
    g_assert_false (channel_yield (pair.callee));
  thread = g_thread_new ("late", say_late, pair.caller);
  g_assert_true (channel_yield (pair.callee));
  g_thread_join (thread);
  g_assert_cmpuint (pair.callee->n_vain, ==, 0);
  g_assert_cmpuint (pair.callee->patience_pause, ==, 0);
  g_assert_cmpint (channel_receive (pair.callee, &frame, NULL), ==, CHANNEL_FRAME);
  channel_set_patience (0);
  g_assert_false (channel_is_patient ());
  close_pair (&pair);
}

/* On one processor, who looks keeps the other from what it looks for. */
static void
test_no_patience (void)
{
  Pair pair;

  channel_ends_open_by_ring (&pair.caller, &pair.callee, LIMIT);
  channel_set_patience (G_MAXINT);
  g_assert_false (channel_yield (pair.callee));
  g_assert_cmpuint (pair.callee->n_vain, ==, 0);
  channel_set_patience (0);
  close_pair (&pair);
}

/* Each time in vain doubles the pause before the next, to a bound. */
static void
test_vain_patience (void)
{
  guint before = 1;
  Pair pair;

  open_pair_apart (&pair);
  channel_set_patience (1);
  for (guint i = 0; i < 10; i++)
    {
      g_assert_false (channel_yield (pair.callee));
      g_assert_cmpuint (pair.callee->patience_pause, ==, MIN (2 * before, 32));
      before = pair.callee->patience_pause;
      for (guint k = before; k > 0; k--)
        g_assert_false (channel_yield (pair.callee));
      g_assert_cmpuint (pair.callee->patience_pause, ==, 0);
    }
  channel_set_patience (0);
  close_pair (&pair);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/channel-patience/sees-what-comes-in-time", test_patience);
  fixture_add_func ("/channel-patience/needs-two-processors", test_no_patience);
  fixture_add_func ("/channel-patience/in-vain-makes-pauses", test_vain_patience);
  return fixture_run ();
}
