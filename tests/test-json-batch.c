/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/codecs/json-batch.h"
#include "procfun/codecs/json.h"
#include "procfun/map/map-queue.h"
#include "procfun/procfun-error.h"

#include <string.h>

/* Values that are read one by one */

static void
add (JsonBatch *batch, ProcfunSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (wire_json_batch_add (batch, schema, text, strlen (text), &error));
  g_assert_no_error (error);
}

static void
refuse (JsonBatch *batch, ProcfunSchema *schema, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (wire_json_batch_add (batch, schema, text, strlen (text), &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
}

/* @expected: as g_variant_parse() reads it. What was taken is in normal form. */
static void
assert_taken (JsonBatch *batch, const char *expected)
{
  g_autoptr (GVariant) array = wire_json_batch_steal (batch);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (array);
  g_autoptr (GVariant) untrusted
      = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (array), bytes, FALSE));
  g_autoptr (GVariant) other
      = g_variant_parse (g_variant_get_type (array), expected, NULL, NULL, NULL);

  g_assert_true (g_variant_is_normal_form (untrusted));
  g_assert_true (g_variant_equal (array, other));
  g_assert_cmpuint (wire_json_batch_get_n (batch), ==, 0);
}

static void
test_fixed (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(yi)"));
  g_autoptr (JsonBatch) batch = wire_json_batch_new (schema);

  assert_taken (batch, "[]");
  add (batch, schema, "[1, 2]");
  refuse (batch, schema, "[3, x]");
  wire_json_batch_add_value (batch, g_variant_new ("(yi)", 5, 6));
  g_assert_cmpuint (wire_json_batch_get_n (batch), ==, 2);
  g_assert_cmpuint (wire_json_batch_get_size (batch), ==, 16);
  assert_taken (batch, "[(1, 2), (5, 6)]");
}

static void
test_varying (void)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(saxs)"));
  g_autoptr (JsonBatch) batch = wire_json_batch_new (schema);

  add (batch, schema, "[\"a\", [1], \"bc\"]");
  refuse (batch, schema, "[\"much that is refused at last\", [1, 2, 3], 4]");
  refuse (batch, schema, "[\"a\", [1], \"bc\"], [\"a\", [1], \"bc\"]");
  wire_json_batch_add_value (batch, g_variant_new_parsed ("('', [int64 1, 2], 'd')"));
  add (batch, schema, " [\"\", [], \"\"] ");
  assert_taken (batch, "[('a', [1], 'bc'), ('', [1, 2], 'd'), ('', [], '')]");
  add (batch, schema, "[\"e\", [], \"f\"]");
  assert_taken (batch, "[('e', [], 'f')]");
}

static void
test_only (void)
{
  g_autoptr (ProcfunSchema) only = procfun_schema_new (G_VARIANT_TYPE ("as"));
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(as)"));
  g_autoptr (JsonBatch) batch = wire_json_batch_new (schema);

  add (batch, only, "[\"a\", \"b\"]");
  add (batch, schema, "[[\"c\"]]");
  add (batch, only, "[]");
  assert_taken (batch, "[(['a', 'b'],), (['c'],), ([],)]");
}

/* Elements that are pushed */

static void
push (MapInput *input, const char *array)
{
  g_autoptr (GVariant) variant = g_variant_parse (G_VARIANT_TYPE ("a(s)"), array, NULL, NULL, NULL);

  map_input_push (input, variant);
}

/* At most @n elements; @expected: (nullable): there are none. */
static void
assert_chunk (MapInput *input, gsize n, guint64 first, const char *expected)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE ("(s)"));
  g_auto (MapChunk) chunk = { 0 };
  g_autofree char *text = NULL;

  g_assert_true (map_input_take (input, schema, n, 1000, &chunk, NULL));
  if (expected == NULL)
    {
      g_assert_cmpuint (chunk.n, ==, 0);
      return;
    }
  text = g_variant_print (chunk.args, FALSE);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (chunk.n, ==, g_variant_n_children (chunk.args));
  g_assert_cmpuint (chunk.first, ==, first);
}

static void
test_pushed (void)
{
  MapInput *input = map_input_new_open ();

  g_assert_true (map_input_is_waiting (input));
  push (input, "[('a',), ('b',), ('c',)]");
  push (input, "[('d',)]");
  g_assert_false (map_input_is_waiting (input));
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 4);
  assert_chunk (input, 2, 0, "[('a',), ('b',)]");
  assert_chunk (input, 2, 2, "[('c',)]");
  assert_chunk (input, 2, 3, "[('d',)]");
  g_assert_true (map_input_is_waiting (input));
  g_assert_false (map_input_has_ended (input));
  assert_chunk (input, 2, 0, NULL);
  push (input, "[('e',)]");
  map_input_close (input);
  g_assert_false (map_input_has_ended (input));
  assert_chunk (input, 2, 4, "[('e',)]");
  g_assert_true (map_input_has_ended (input));
  map_input_free (input);
}

static void
test_cut (void)
{
  MapInput *input = map_input_new_open ();

  push (input, "[('a',), ('b',), ('c',)]");
  assert_chunk (input, 1, 0, "[('a',)]");
  map_input_cut (input);
  g_assert_true (map_input_has_ended (input));
  g_assert_cmpuint (map_input_get_n_pushed (input), ==, 0);
  push (input, "[('d',)]");
  g_assert_true (map_input_has_ended (input));
  map_input_free (input);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/json-batch/values-of-fixed-size-make-an-array", test_fixed);
  fixture_add_func ("/json-batch/values-of-any-size-make-an-array", test_varying);
  fixture_add_func ("/json-batch/the-only-argument-makes-a-tuple", test_only);
  fixture_add_func ("/json-batch/a-map-takes-what-is-pushed-in-order", test_pushed);
  fixture_add_func ("/json-batch/a-map-that-is-cut-takes-nothing-more", test_cut);

  return fixture_run ();
}
