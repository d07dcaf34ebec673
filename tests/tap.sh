# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the test scripts: TAP, and a folder that goes away with the test.

tap_count=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# Sanitizers would make an exit of a crash; and the thread sanitizer sees no lock of GLib in programs that do not tell it of
# them, as those of tests/*.c do.
ASAN_OPTIONS=${ASAN_OPTIONS-}:handle_segv=0:handle_sigfpe=0
UBSAN_OPTIONS=${UBSAN_OPTIONS-}:handle_segv=0:handle_sigfpe=0
TSAN_OPTIONS=${TSAN_OPTIONS-}:handle_segv=0:handle_sigfpe=0:report_bugs=0
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS

# check NAME COMMAND…: one test point; what a failing command printed becomes the diagnostics.
check ()
{
  tap_name=$1
  shift
  tap_count=$((tap_count + 1))
  if "$@" >"$tmp/tap-output" 2>&1 </dev/null
  then
    printf 'ok %d - %s\n' "$tap_count" "$tap_name"
  else
    sed 's/^/# /' "$tmp/tap-output"
    printf 'not ok %d - %s\n' "$tap_count" "$tap_name"
  fi
}

# skip NAME WHY: a test point that can't run here.
skip ()
{
  tap_count=$((tap_count + 1))
  printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# same A B: two sorted lists, one word a line, are equal; if not, says what only one of them has.
same ()
{
  comm -23 "$1" "$2" | sed "s|^|only in $(basename "$1"): |" >"$tmp/difference"
  comm -13 "$1" "$2" | sed "s|^|only in $(basename "$2"): |" >>"$tmp/difference"
  cat "$tmp/difference"
  test ! -s "$tmp/difference"
}

done_testing ()
{
  echo "1..$tap_count"
}
