# SPDX-License-Identifier: LGPL-2.1-or-later
# Every test program is made with tests/fixture.h, for all its tests.

. "$TOP_SRCDIR/tests/tap.sh"
cd "$TOP_SRCDIR" || exit 1

nobody_goes_round_it ()
{
  ! grep -nE '\bg_test_(init|add|add_func|add_data_func|add_vtable|run) \(' $(find tests -name '*.c' -o -name '*.cc' | grep -v '^tests/fixture.c')
}

check "every test program uses the fixture" nobody_goes_round_it
done_testing
