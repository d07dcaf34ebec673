/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include <procfun.h>

/* The domain string travels between processes, so it is part of the protocol. */
static void
test_error_domain (void)
{
  g_assert_cmpstr (g_quark_to_string (PROCFUN_ERROR), ==, "procfun-error-quark");
}

static void
test_error_codes (void)
{
  g_autoptr (GEnumClass) codes = g_type_class_ref (PROCFUN_TYPE_ERROR);

  g_assert_cmpuint (codes->n_values, ==, 20);
  g_assert_cmpint (codes->minimum, ==, PROCFUN_ERROR_SPAWN);
  g_assert_cmpint (codes->maximum, ==, PROCFUN_ERROR_ENGINE);
  g_assert_cmpstr (g_enum_get_value (codes, PROCFUN_ERROR_WORKER_LOST)->value_nick, ==,
                   "worker-lost");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/error/the-domain-is-part-of-the-protocol", test_error_domain);
  fixture_add_func ("/error/codes-keep-their-numbers", test_error_codes);

  return fixture_run ();
}
