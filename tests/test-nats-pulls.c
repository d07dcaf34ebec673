/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A host never asks a broker for more than it can take, and never forgets that it did. */

#include "engines/nats/pulls.h"
#include "tests/fixture.h"

static void
test_all_at_once (void)
{
  Pulls pulls = { 0 };
  guint n = 0;

  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 0);
  pulls_add_free (&pulls, 3);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 1);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 0);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_TAKEN);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_TAKEN);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_TAKEN_LAST);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_REFUSED);
}

/* A third one would be more than the broker keeps for a host; what is free meanwhile is asked for
 * as soon as one of them has ended. */
static void
test_two (void)
{
  Pulls pulls = { 0 };
  guint n = 0, place;

  pulls_add_free (&pulls, 1);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 1);
  pulls_add_free (&pulls, 1);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 2);
  pulls_add_free (&pulls, 5);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 0);
  g_assert_cmpuint (pulls_get_place (&pulls, 1), !=, pulls_get_place (&pulls, 2));
  place = pulls_get_place (&pulls, 2);
  g_assert_cmpint (pulls_take (&pulls, 2), ==, PULLS_TAKEN_LAST);
  g_assert_cmpuint (pulls_ask (&pulls, 1, &n), ==, 3);
  g_assert_cmpuint (pulls_get_place (&pulls, 3), ==, place);
  g_assert_cmpuint (n, ==, 5);
}

/* After the last number comes the first one. */
static void
test_numbers_begin_anew (void)
{
  Pulls pulls = { .last_number = G_MAXUINT - 2 };

  for (guint i = 0; i < 3; i++)
    {
      guint n = 0, number;

      pulls_add_free (&pulls, 1);
      number = pulls_ask (&pulls, 1, &n);
      g_assert_cmpuint (number, ==, i == 0 ? G_MAXUINT - 1 : i);
      g_assert_cmpuint (n, ==, 1);
      g_assert_cmpuint (pulls_find_due (&pulls, 1), ==, number);
      g_assert_cmpint (pulls_take (&pulls, number), ==, PULLS_TAKEN_LAST);
    }
  g_assert_cmpint (pulls_take (&pulls, G_MAXUINT), ==, PULLS_REFUSED);
}

/* The rest of a request that the broker has ended is asked for again, once. */
static void
test_ended (void)
{
  Pulls pulls = { 0 };
  guint n = 0;

  pulls_add_free (&pulls, 4);
  pulls_ask (&pulls, 10, &n);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_TAKEN);
  g_assert_true (pulls_end (&pulls, 1));
  g_assert_false (pulls_end (&pulls, 1));
  g_assert_cmpuint (pulls_ask (&pulls, 20, &n), ==, 2);
  g_assert_cmpuint (n, ==, 3);
}

/* A call that was on its way when its request ended has a slot, as long as there is one. */
static void
test_late (void)
{
  Pulls pulls = { 0 };
  guint n = 0;

  pulls_add_free (&pulls, 2);
  pulls_ask (&pulls, 10, &n);
  pulls_end (&pulls, 1);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_TAKEN);
  g_assert_cmpuint (pulls_ask (&pulls, 20, &n), ==, 2);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (pulls_take (&pulls, 1), ==, PULLS_REFUSED);
  g_assert_cmpint (pulls_take (&pulls, 2), ==, PULLS_TAKEN_LAST);
}

static void
test_due (void)
{
  Pulls pulls = { 0 };
  guint n = 0;

  g_assert_cmpuint (pulls_find_due (&pulls, G_MAXINT64), ==, 0);
  pulls_add_free (&pulls, 1);
  pulls_ask (&pulls, 10, &n);
  pulls_add_free (&pulls, 1);
  pulls_ask (&pulls, 20, &n);
  g_assert_cmpuint (pulls_find_due (&pulls, 9), ==, 0);
  g_assert_cmpuint (pulls_find_due (&pulls, 10), ==, 1);
  pulls_end (&pulls, 1);
  g_assert_cmpuint (pulls_find_due (&pulls, 19), ==, 0);
  g_assert_cmpuint (pulls_find_due (&pulls, 20), ==, 2);
  g_assert_cmpuint (pulls_find_due (&pulls, G_MAXINT64), ==, 2);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/nats/pulls/ask-for-all-that-is-free", test_all_at_once);
  fixture_add_func ("/nats/pulls/are-two-at-most", test_two);
  fixture_add_func ("/nats/pulls/that-ended-free-the-rest", test_ended);
  fixture_add_func ("/nats/pulls/have-numbers-for-ever", test_numbers_begin_anew);
  fixture_add_func ("/nats/pulls/take-what-comes-late-into-free-slots", test_late);
  fixture_add_func ("/nats/pulls/that-are-forgotten-are-due", test_due);

  return fixture_run ();
}
