/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun.h>

/* The seven arrays are one macro, so what holds for one type of each size holds for all. */
static void
test_new (void)
{
  double numbers[] = { 1, 2, 3 };
  g_auto (ProcfunDoubles) copy = procfun_doubles_new (numbers, 3);
  g_auto (ProcfunDoubles) empty = procfun_doubles_new (NULL, 0);

  numbers[0] = 5;
  g_assert_cmpuint (copy.length, ==, 3);
  g_assert_cmpfloat (copy.data[0], ==, 1);
  g_assert_nonnull (copy.owner);
  g_assert_cmpuint (empty.length, ==, 0);
}

static void
test_new_take (void)
{
  gint16 *numbers = g_memdup2 ((const gint16[]){ -1, 2 }, 2 * sizeof (gint16));
  g_auto (ProcfunInt16s) taken = procfun_int16s_new_take (numbers, 2);
  g_auto (ProcfunUint16s) taken_empty = procfun_uint16s_new_take (g_new (guint16, 4), 0);

  g_assert_true (taken.data == numbers);
  g_assert_cmpint (taken.data[0], ==, -1);
  g_assert_cmpuint (g_bytes_get_size (taken.owner), ==, 4);
  g_assert_cmpuint (taken_empty.length, ==, 0);
}

static void
test_clear (void)
{
  const guint32 numbers[] = { 1, 2 };
  ProcfunUint32s owned = procfun_uint32s_new (numbers, 2);
  ProcfunUint32s borrowed = { numbers, 2, NULL };

  procfun_uint32s_clear (&owned);
  procfun_uint32s_clear (&borrowed);
  g_assert_true (owned.data == NULL && owned.length == 0 && owned.owner == NULL);
  g_assert_true (borrowed.data == NULL && borrowed.length == 0);
  procfun_uint32s_clear (&owned);
}

static void
test_copy (void)
{
  const gint64 numbers[] = { G_MININT64, 2 };
  ProcfunInt64s borrowed = { numbers, 2, NULL };
  g_autoptr (ProcfunInt64s) copy = procfun_int64s_copy (&borrowed);
  g_autoptr (ProcfunInt64s) second = procfun_int64s_copy (copy);

  g_assert_true (copy->data != numbers);
  g_assert_true (second->data == copy->data);
  g_assert_cmpint (second->data[0], ==, G_MININT64);
}

static void
test_boxed (void)
{
  const GType types[]
      = { PROCFUN_TYPE_INT16S, PROCFUN_TYPE_UINT16S, PROCFUN_TYPE_INT32S, PROCFUN_TYPE_UINT32S,
          PROCFUN_TYPE_INT64S, PROCFUN_TYPE_UINT64S, PROCFUN_TYPE_DOUBLES };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      ProcfunDoubles nothing = { NULL, 0, NULL };
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, types[i]);
      g_value_set_boxed (&value, &nothing);
      g_assert_nonnull (g_value_get_boxed (&value));
    }
}

static void
test_misuse (void)
{
  ProcfunInt32s nothing;

  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*data != NULL*");
  nothing = procfun_int32s_new (NULL, 3);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (nothing.length, ==, 0);

  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*length <= *");
  nothing = procfun_int32s_new ((const gint32[]){ 1 }, G_MAXSIZE / 2);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (nothing.length, ==, 0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/values/new-copies-numbers", test_new);
  fixture_add_func ("/values/new-take-keeps-memory", test_new_take);
  fixture_add_func ("/values/clear-frees-owned-and-empties-both", test_clear);
  fixture_add_func ("/values/copy-shares-owned-numbers", test_copy);
  fixture_add_func ("/values/all-arrays-are-boxed", test_boxed);
  fixture_add_func ("/values/too-long-or-null-is-critical", test_misuse);

  return fixture_run ();
}
