/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun.h>

#include "procfun/wire/error-frame.h"
#include "procfun/wire/frame.h"
#include <string.h>

/* Any GError must be the same on the other side. */
static void
assert_round_trip (GQuark domain, gint code, const char *message, const char *expected)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, message);
  g_autoptr (GBytes) bytes = error_to_bytes (error);
  g_autoptr (GError) back = error_from_bytes (bytes);

  g_assert_true (back->domain == domain);
  g_assert_cmpint (back->code, ==, code);
  g_assert_cmpstr (back->message, ==, expected);
}

static void
test_round_trip (void)
{
  static const gint codes[] = { 0, 1, -1, G_MAXINT, G_MININT };
  static const char *const messages[]
      = { "", "plain", "two\nlines\t%s %d", "Grüße, 世界 \U0001F600", "\x01\x7f" };
  const GQuark domains[]
      = { PROCFUN_ERROR, G_IO_ERROR, G_FILE_ERROR, g_quark_from_static_string ("spaces & “ü”") };
  g_autofree char *long_message = g_strnfill (1000000, 'x');

  for (gsize d = 0; d < G_N_ELEMENTS (domains); d++)
    for (gsize c = 0; c < G_N_ELEMENTS (codes); c++)
      for (gsize m = 0; m < G_N_ELEMENTS (messages); m++)
        assert_round_trip (domains[d], codes[c], messages[m], messages[m]);
  assert_round_trip (G_IO_ERROR, 1, long_message, long_message);
}

/* A message in another encoding is no reason to lose the error. */
static void
test_not_utf8 (void)
{
  assert_round_trip (G_IO_ERROR, 1, "caf\xe9", "caf\xef\xbf\xbd");
}

/* Domains that this process does not know yet. */
static void
test_new_domain (void)
{
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new ("(sis)", "never-seen-quark", 5, "it"));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);
  g_autoptr (GError) error = error_from_bytes (bytes);

  g_assert_cmpstr (g_quark_to_string (error->domain), ==, "never-seen-quark");
  g_assert_cmpint (error->code, ==, 5);
}

static GError *
read_error (const char *domain, const char *message)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new ("(sis)", domain, 5, message));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);

  return error_from_bytes (bytes);
}

/* Domains that no program has would be kept for ever. */
static void
test_strange_domains (void)
{
  g_autofree char *long_name = g_strnfill (129, 'a');
  const char *const domains[] = { long_name, "two\nlines", "Grüße-quark" };

  for (gsize i = 0; i < G_N_ELEMENTS (domains); i++)
    {
      g_autoptr (GError) error = read_error (domains[i], "it");

      g_assert_cmpstr (g_quark_to_string (error->domain), ==, ERROR_UNKNOWN_DOMAIN);
      g_assert_cmpint (error->code, ==, 5);
      g_assert_cmpstr (error->message, ==, "it");
      g_assert_cmpuint (g_quark_try_string (domains[i]), ==, 0);
    }
}

static void
test_many_domains (void)
{
  guint n_known = 0;

  for (guint i = 0; i < 10000; i++)
    {
      g_autofree char *domain = g_strdup_printf ("number-%u-quark", i);
      G_GNUC_UNUSED g_autoptr (GError) error = read_error (domain, "it");

      n_known += g_quark_try_string (domain) != 0 ? 1 : 0;
    }
  g_assert_cmpuint (n_known, >, 0);
  g_assert_cmpuint (n_known, <, 1000);
}

/* The end is cut off, and that is marked. */
static void
test_too_long (void)
{
  g_autofree char *message = g_strnfill (3 * 1024 * 1024, 'x');
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, 1, message);
  g_autoptr (GBytes) bytes = error_to_bytes (error);
  g_autoptr (GError) back = error_from_bytes (bytes);

  g_assert_cmpuint (g_bytes_get_size (bytes), <, 2 * 1024 * 1024);
  g_assert_true (g_str_has_suffix (back->message, "xxx…"));
}

/* GLib warns of an error without a domain, but there it is. */
static void
test_no_domain (void)
{
  const GError none = { 0, 5, (char *)"it" };
  g_autoptr (GBytes) bytes = error_to_bytes (&none);
  g_autoptr (GError) back = error_from_bytes (bytes);

  g_assert_cmpuint (back->domain, !=, 0);
  g_assert_cmpint (back->code, ==, 5);
  g_assert_cmpstr (back->message, ==, "it");
}

/* Every beginning of an error, and every error with a bit that is another, is an error. */
static void
test_damaged (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, 77, "message");
  g_autoptr (GBytes) bytes = error_to_bytes (error);
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  for (gsize cut = 0; cut < size; cut++)
    {
      g_autoptr (GBytes) part = g_bytes_new (data, cut);
      g_autoptr (GError) back = error_from_bytes (part);

      g_assert_error (back, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
    }
  for (gsize i = 0; i < size; i++)
    for (guint bit = 0; bit < 8; bit++)
      {
        guint8 *copy = g_memdup2 (data, size);
        g_autoptr (GBytes) changed = NULL;
        g_autoptr (GError) back = NULL;

        copy[i] ^= (guint8)(1 << bit);
        changed = g_bytes_new_take (copy, size);
        back = error_from_bytes (changed);
        g_assert_nonnull (back);
        g_assert_cmpuint (back->domain, !=, 0);
        g_assert_true (g_utf8_validate (back->message, -1, NULL));
      }
}

/* Text that fits is not cut, and no character is cut within. */
static void
test_cut (void)
{
  static const struct
  {
    const char *text;
    gsize max_size;
    const char *expected;
  } cases[] = { { "abcde", 5, "abcde" }, { "abcdef", 5, "ab…" }, { "ääää", 8, "ääää" },
                { "äääää", 8, "ää…" },   { "äääää", 9, "äää…" }, { "", 3, "" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *cut = frame_cut_text (cases[i].text, cases[i].max_size);

      g_assert_cmpstr (cut, ==, cases[i].expected);
      g_assert_cmpuint (strlen (cut), <=, cases[i].max_size);
    }
}

/* Sizes that each type may have, and one more or less. */

typedef struct
{
  FrameType type;
  guint64 min_size, max_size;
  guint max_fds;
} Row;

static const Row rows[] = {
#define FRAME_ROW(type, name, sender, min_size, max_size, max_fds)                                 \
  { FRAME_##type, min_size, max_size, max_fds },
  FRAME_ROWS (FRAME_ROW)
#undef FRAME_ROW
};

#define CHANNEL_LIMIT ((gsize)1 << 20)

static int
check (FrameType type, guint64 size, guint n_fds)
{
  g_autoptr (GError) error = NULL;
  FrameHeader header;

  frame_header_init (&header, type, 0, n_fds, size);
  if (frame_header_check (&header, CHANNEL_LIMIT, FRAME_FROM_ALL, &error))
    return -1;
  g_assert_true (error->domain == PROCFUN_ERROR);
  return error->code;
}

static void
test_type_bounds (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Row *row = &rows[i];
      const guint64 max_size = row->max_size == FRAME_ANY_SIZE ? CHANNEL_LIMIT : row->max_size;

      g_assert_cmpint (check (row->type, row->min_size, row->max_fds), ==, -1);
      g_assert_cmpint (check (row->type, max_size, 0), ==, -1);
      g_assert_cmpint (check (row->type, max_size + 1, 0), ==, PROCFUN_ERROR_LIMIT);
      if (row->min_size > 0)
        g_assert_cmpint (check (row->type, row->min_size - 1, 0), ==, PROCFUN_ERROR_PROTOCOL);
      g_assert_cmpint (check (row->type, row->min_size, row->max_fds + 1), ==,
                       PROCFUN_ERROR_PROTOCOL);
    }
  g_assert_cmpint (check (FRAME_NONE, 0, 0), ==, PROCFUN_ERROR_PROTOCOL);
  g_assert_cmpint (check (FRAME_LAST + 1, 0, 0), ==, PROCFUN_ERROR_PROTOCOL);
}

/* One descriptor more than the type may have. */
static void
test_too_many_descriptors (void)
{
  for (guint n = 0; n <= 1; n++)
    {
      g_autoptr (GError) error = NULL;
      FrameHeader header;

      frame_header_init (&header, FRAME_CANCEL, 0, n, 0);
      g_assert_cmpint (frame_header_check (&header, 100, FRAME_FROM_ALL, &error), ==, n == 0);
      if (n > 0)
        g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/wire-error/error-survives-the-wire", test_round_trip);
  fixture_add_func ("/wire-error/message-in-other-encoding-arrives", test_not_utf8);
  fixture_add_func ("/wire-error/new-domain-becomes-known", test_new_domain);
  fixture_add_func ("/wire-error/strange-domain-is-replaced", test_strange_domains);
  fixture_add_func ("/wire-error/number-of-new-domains-is-bounded", test_many_domains);
  fixture_add_func ("/wire-error/long-message-is-cut-and-marked", test_too_long);
  fixture_add_func ("/wire-error/text-is-cut-between-characters", test_cut);
  fixture_add_func ("/wire-error/bounds-of-each-type-are-exact", test_type_bounds);
  fixture_add_func ("/wire-error/a-descriptor-too-many-is-an-error", test_too_many_descriptors);
  fixture_add_func ("/wire-error/error-without-domain-arrives", test_no_domain);
  fixture_add_func ("/wire-error/damaged-error-is-an-error", test_damaged);
  return fixture_run ();
}
