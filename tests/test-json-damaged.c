/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Elements that are written as JSON where they stand, in memory that another process may have
 * damaged: each byte of some arrays is changed in turn, and each end is cut off. Nothing but
 * the bytes is read, which sanitizers and valgrind see, and what cannot be written is refused. */

#include "procfun/codecs/json.h"
#include "tests/fixture.h"

#include <procfun.h>
#include <string.h>

static const struct
{
  const char *type; /* of the array */
  const char *text;
} arrays[] = {
  { "ab", "[true, false]" },
  { "an", "[1, -2]" },
  { "ad", "[0.5, -1e300]" },
  { "as", "['', 'one', 'two and more']" },
  { "a(is)", "[(1, 'one'), (2, 'two')]" },
  { "aas", "[['a', 'b'], [], ['c']]" },
  { "aab", "[[true], [false, true]]" },
  { "ams", "[just 'x', nothing, just '']" },
  { "ami", "[just 3, nothing]" },
  { "ammi", "[just just 3, just nothing, nothing]" },
  { "av", "[<1>, <'text'>, <[(1, 'x')]>]" },
  { "aa{sv}", "[{'a': <1>, 'b': <'x'>}, {}]" },
  { "aa{ss}", "[{'a': 'x', 'a': 'y'}, {'b': ''}]" },
  { "aa{is}", "[{1: 'x', 2: 'y'}]" },
  { "aa{ii}", "[{1: 2}]" },
  { "a(yvas)", "[(1, <(2, 'x')>, ['a', 'b'])]" },
  { "aay", "[b'bytes', b'']" },
};

/* Another writer than the one that knows what it wrote. Returns how many elements were refused. */
static guint
write_all (ProcfunSchema *schema, const guint8 *data, gsize size)
{
  g_auto (Buffer) out = { 0 };
  SerialisedIter iter;
  guint n_refused = 0;

  if (!wire_serialised_iter_init (&iter, schema, data, size))
    return 1;
  while (iter.index < iter.n_children && n_refused == 0)
    {
      g_autoptr (GError) error = NULL;
      const gsize length = out.length;

      if (wire_json_write_next (&iter, &out, &error))
        {
          g_assert_no_error (error);
          g_assert_cmpuint (out.length, >, length);
          continue;
        }
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
      g_assert_cmpuint (out.length, ==, length);
      n_refused++;
    }
  return n_refused;
}

/* The copy ends where its memory ends. */
static guint
write_copy (ProcfunSchema *schema, const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);

  return write_all (schema, copy, size);
}

static void
test_damaged (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  static const guint8 others[] = { 0, 1, 2, 0x7f, 0xff };
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (arrays[i].type));
  g_autoptr (GVariant) value
      = g_variant_parse (G_VARIANT_TYPE (arrays[i].type), arrays[i].text, NULL, NULL, NULL);
  const gsize size = g_variant_get_size (value);
  g_autofree guint8 *bytes = g_memdup2 (g_variant_get_data (value), size);
  guint n_refused = 0;

  g_assert_cmpuint (write_copy (schema, bytes, size), ==, 0);
  for (gsize at = 0; at < size; at++)
    {
      const guint8 right = bytes[at];

      for (gsize k = 0; k < G_N_ELEMENTS (others); k++)
        {
          bytes[at] = others[k];
          n_refused += write_copy (schema, bytes, size);
        }
      bytes[at] = right;
      n_refused += write_copy (schema, bytes, at);
    }
  if (!g_variant_type_is_basic (g_variant_type_element (G_VARIANT_TYPE (arrays[i].type))))
    g_assert_cmpuint (n_refused, >, 0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (arrays); i++)
    {
      g_autofree char *path = g_strconcat ("/json-damaged/", arrays[i].type, NULL);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_damaged);
    }
  return fixture_run ();
}
