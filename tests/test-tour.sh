# SPDX-License-Identifier: LGPL-2.1-or-later
# The example program of each language: a function of that language in a process of its own, in a pool, with progress,
# and an exception, a crash and a timeout that are caught.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

examples=$TOP_SRCDIR/examples

cat >"$tmp/expected" <<END
in a process: 49
in a pool: 0 1 4 9
progress: 100%
an exception: there is no page 5
a crash
a timeout
END

# prints_all COMMAND…: and nothing on standard error.
prints_all ()
{
  timeout 100 "$@" >"$tmp/output" 2>"$tmp/messages"
  result=$?
  cat "$tmp/messages"
  diff -u "$tmp/expected" "$tmp/output" && test "$result" = 0 && test ! -s "$tmp/messages"
}

try_in Python "Python" prints_all /usr/bin/python3 "$examples/tour.py"
try_in JavaScript "JavaScript" prints_all gjs -m "$examples/tour.js"
try_in Vala "Vala, without a warning" compile_vala "$examples/tour.vala" gio-2.0
try_in Vala "Vala" prints_all "$tmp/tour"
done_testing
