/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/platform/pages.h"
#include <string.h>

#define LARGE ((gsize)8 * 1024 * 1024)

/* First byte of pages that are made after others were written and freed: new ones are zero. */
static guint8
write_and_free (gsize size, gsize next_size)
{
  guint8 *data = pages_new (size);
  guint8 found;

  g_assert_nonnull (data);
  memset (data, 7, size);
  pages_free (data, size);
  data = pages_new (next_size);
  g_assert_nonnull (data);
  found = data[0];
  pages_free (data, next_size);
  return found;
}

static void
test_spare (void)
{
  g_assert_cmpuint (write_and_free (LARGE, LARGE), ==, 0);
  g_assert_false (pages_have_spare ());

  pages_keep_spare ();
  g_assert_cmpuint (write_and_free (LARGE, LARGE), ==, 7);
  g_assert_true (pages_have_spare ());
  pages_drop_spare ();
  g_assert_false (pages_have_spare ());
  g_assert_cmpuint (write_and_free (LARGE, 2 * LARGE), ==, 0);
  pages_drop_spare ();
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/pages/freed-last-are-used-again-if-asked-for", test_spare);
  return fixture_run ();
}
