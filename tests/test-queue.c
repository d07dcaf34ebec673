/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The order in which calls wait, whatever their priorities. */

#include "procfun/schedule/queue.h"
#include "tests/fixture.h"

#define N_ENTRIES 500

typedef struct
{
  QueueEntry entry;
  gint priority;
  guint number;
} Call;

/* The first of all calls: that of the least rank, and of several the one that came first. */
static Call *
find_first (Call *calls)
{
  Call *first = NULL;

  for (guint i = 0; i < N_ENTRIES; i++)
    if (queue_has (&calls[i].entry) && (first == NULL || calls[i].entry.rank < first->entry.rank))
      first = &calls[i];
  return first;
}

static void
push_all (Queue *queue, Call *calls, gint n_priorities)
{
  for (guint i = 0; i < N_ENTRIES; i++)
    {
      calls[i] = (Call){ .priority = g_test_rand_int_range (0, n_priorities) - 2, .number = i };
      queue_push (queue, &calls[i].entry, calls[i].priority, i);
    }
}

static void
test_order (gconstpointer n_priorities)
{
  Call calls[N_ENTRIES];
  Queue queue;

  queue_init (&queue);
  push_all (&queue, calls, GPOINTER_TO_INT (n_priorities));
  for (guint i = 0; i < N_ENTRIES / 4; i++)
    queue_remove (&queue, &calls[g_test_rand_int_range (0, N_ENTRIES)].entry);
  while (queue.length > 0)
    {
      const Call *first = find_first (calls);
      Call *call = (Call *)queue_peek (&queue);

      g_assert_cmpint (call->entry.rank, ==, first->entry.rank);
      if (call->priority == first->priority)
        g_assert_cmpuint (call->number, ==, first->number);
      g_assert_true (queue_remove (&queue, &call->entry));
      g_assert_false (queue_remove (&queue, &call->entry));
    }
  g_assert_null (queue_peek (&queue));
  g_assert_cmpuint (queue.n_bytes, ==, 0);
  queue_clear (&queue);
}

static void
test_return (void)
{
  Call calls[N_ENTRIES];
  Queue queue;

  queue_init (&queue);
  push_all (&queue, calls, 5);
  for (guint i = 0; i < N_ENTRIES; i++)
    {
      Call *call = &calls[g_test_rand_int_range (0, N_ENTRIES)];
      Call *first = (Call *)queue_peek (&queue);

      queue_remove (&queue, &call->entry);
      queue_return (&queue, &call->entry, call->priority);
      g_assert_true (queue_peek (&queue) == &first->entry
                     || queue_peek (&queue)->rank == first->entry.rank);
    }
  g_assert_cmpuint (queue.length, ==, N_ENTRIES);
  while (queue.length > 0)
    queue_remove (&queue, queue_peek (&queue));
  queue_clear (&queue);
}

/* A step of priority is worth 10 ms. */
static void
test_step (void)
{
  Call first = { 0 }, second = { 0 };
  Queue queue;

  queue_init (&queue);
  queue_push (&queue, &first.entry, 0, 0);
  queue_push (&queue, &second.entry, 100, 0);
  g_assert_cmpint (second.entry.rank - first.entry.rank, >=, G_USEC_PER_SEC);
  queue_remove (&queue, &first.entry);
  queue_remove (&queue, &second.entry);
  queue_clear (&queue);
}

/* Those of one instant keep the order in which they were put back. */
static void
test_same_rank (void)
{
  Call calls[10] = { 0 };
  Queue queue;

  queue_init (&queue);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i].entry.rank = 7;
      calls[i].entry.n_bytes = 1;
      queue_return (&queue, &calls[i].entry, 3);
    }
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_assert_cmpuint (queue.n_bytes, ==, G_N_ELEMENTS (calls) - i);
      g_assert_true (queue_peek (&queue) == &calls[i].entry);
      queue_remove (&queue, &calls[i].entry);
    }
  queue_clear (&queue);
}

/* Priorities whose calls take turns: each that leaves lets another priority come first. */
static void
test_turns (void)
{
  Call calls[100] = { 0 };
  Queue queue;

  queue_init (&queue);
  for (guint i = G_N_ELEMENTS (calls); i-- > 0;)
    {
      calls[i].entry.rank = i;
      queue_return (&queue, &calls[i].entry, (gint)(i % 3));
    }
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_assert_true (queue_peek (&queue) == &calls[i].entry);
      queue_remove (&queue, &calls[i].entry);
    }
  queue_clear (&queue);
}

static gboolean
is_odd (QueueEntry *entry, gpointer user_data)
{
  return entry->rank % 2 != 0;
}

/* Of all that fit, the first one. */
static void
test_find (void)
{
  Call calls[30] = { 0 };
  Queue queue;

  queue_init (&queue);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i].entry.rank = i;
      queue_return (&queue, &calls[i].entry, (gint)(i % 4));
    }
  for (guint i = 1; i < G_N_ELEMENTS (calls); i += 2)
    {
      g_assert_true (queue_find (&queue, is_odd, NULL) == &calls[i].entry);
      queue_remove (&queue, &calls[i].entry);
    }
  g_assert_null (queue_find (&queue, is_odd, NULL));
  while (queue.length > 0)
    queue_remove (&queue, queue_peek (&queue));
  queue_clear (&queue);
}

static void
count (QueueEntry *entry, gpointer n)
{
  g_assert_true (queue_has (entry));
  ++*(guint *)n;
}

static void
test_foreach (void)
{
  Call calls[N_ENTRIES];
  guint n = 0;
  Queue queue;

  queue_init (&queue);
  push_all (&queue, calls, 50);
  queue_foreach (&queue, count, &n);
  g_assert_cmpuint (n, ==, N_ENTRIES);
  while (queue.length > 0)
    queue_remove (&queue, queue_peek (&queue));
  queue_clear (&queue);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_data_func ("/queue/calls of one priority come in order", GINT_TO_POINTER (1),
                         test_order);
  fixture_add_data_func ("/queue/calls of some priorities come in order", GINT_TO_POINTER (5),
                         test_order);
  fixture_add_data_func ("/queue/calls of a priority each come in order", GINT_TO_POINTER (1000000),
                         test_order);
  fixture_add_func ("/queue/a call that is put back has its place", test_return);
  fixture_add_func ("/queue/calls of one instant that are put back keep their order",
                    test_same_rank);
  fixture_add_func ("/queue/a step of priority is worth its time", test_step);
  fixture_add_func ("/queue/priorities take turns", test_turns);
  fixture_add_func ("/queue/the first call that fits is found", test_find);
  fixture_add_func ("/queue/all calls can be seen", test_foreach);
  return fixture_run ();
}
