# SPDX-License-Identifier: LGPL-2.1-or-later
# Some of the points of ./dev inject: system calls that fail.

. "$TOP_SRCDIR/tests/tap.sh"

points=${PROCFUN_INJECT_POINTS:-24}

if test "$SANITIZERS" != no || ! test -x /usr/bin/python3 || ! test -f "$TOP_BUILDDIR/tests/.libs/inject-shim.so"
then
  skip "system calls that fail" "needs python3, and a build without sanitizers"
else
  check "system calls that fail do no harm" timeout 240 /usr/bin/python3 "$TOP_SRCDIR/tests/inject.py" "$TOP_BUILDDIR" --sample "$points"
fi
done_testing
