# SPDX-License-Identifier: LGPL-2.1-or-later
# Each example does what its comment says, and stays short.

. "$TOP_SRCDIR/tests/tap.sh"
examples=$TOP_BUILDDIR/examples

# prints EXPECTED COMMAND…
prints ()
{
  expected=$1
  shift
  timeout 60 "$@" >"$tmp/output" || return 1
  cat "$tmp/output"
  test "$(cat "$tmp/output")" = "$expected"
}

async_prints ()
{
  timeout 60 "$examples/async" >"$tmp/output" || return 1
  cat "$tmp/output"
  printf '%s\n' "below 1000: 168 primes" "below 100000: 9592 primes" "below 2147483647: cancelled" |
    sort >"$tmp/expected"
  sort "$tmp/output" | cmp "$tmp/expected" -
}

short ()
{
  for file in "$TOP_SRCDIR"/examples/*.c
  do
    test "$(wc -l <"$file")" -lt 80 || echo "$file has 80 lines or more"
    sed -n 3p "$file" | grep -q '^/\* ' || echo "$file: no comment on top"
  done | grep . && return 1
  return 0
}

all_tried ()
{
  for file in "$TOP_SRCDIR"/examples/*.c
  do
    grep -q "examples/$(basename "$file" .c)\"" "$TOP_SRCDIR/tests/test-examples.sh" || echo "$file is not run here"
  done | grep . && return 1
  return 0
}

check "first" prints "1 + 2 = 3" "$examples/first"
check "structs" prints "around 3 points, in metres: (-1.2192, 0.0000) to (1.0668, 3.0480)" "$examples/structs"
# How exactly a crash is described is not the same everywhere.
errors_are_told ()
{
  timeout 60 "$examples/errors" >"$tmp/errors" && prints "$1" sed 's/: SIGFPE (.*/: SIGFPE/' "$tmp/errors"
}

check "errors" errors_are_told "42 / 7 carefully: 6
42 / 0 carefully: error of the function: cannot divide by zero
42 / 0 carelessly: crash: divide() crashed: SIGFPE
42 / 0 desperately: exit: divide() ended its process by exit (3)"
check "async" async_prints
# The sanitizer of undefined behaviour ends a process before its crash.
unless_seen_first ()
{
  case $SANITIZERS in
    *undefined*) skip "$1" "the sanitizer sees the fault before the processor does" ;;
    *) check "$@" ;;
  esac
}

unless_seen_first "map" prints "999 = 3 * 3 * 3 * 37
998 = 2 * 499
997 = 997
element 998: crashed
998 numbers were factorised" "$examples/map"
check "pool" prints "the index has 3 words
found: 2
found: 0
the worker crashed
the index has 3 words
found: 1" "$examples/pool"
check "generator" prints "1000037 1000039
1000211 1000213
1000289 1000291
1000427 1000429
1000577 1000579
and 100 that are smaller" "$examples/generator"

progress_draws ()
{
  prints "41538 primes" "$examples/progress" 2>"$tmp/bar" || return 1
  tr '\r' '\n' <"$tmp/bar" | tail -n 1
  grep -qF '[########################################] 100 % done' "$tmp/bar" && grep -qF '[........' "$tmp/bar"
}

watchdog_tries_again ()
{
  timeout 100 "$examples/watchdog" >"$tmp/output" 2>"$tmp/messages"
  result=$?
  cat "$tmp/output" "$tmp/messages"
  test "$result" = 0 && grep -qx "8 MiB: too little" "$tmp/output" &&
    tail -n 1 "$tmp/output" | grep -q "MiB: 1857859 primes"
}

check "progress" progress_draws
if test "$SANITIZERS" = no
then
  check "watchdog" watchdog_tries_again
else
  skip "watchdog" "sanitizers need much memory"
fi

plugin=$TOP_BUILDDIR/tests/.libs/tool-library.so

# fails_in_full FUNCTION TEXT…: the plugin's function fails, and each text is in what is said of it.
fails_in_full ()
{
  function=$1
  shift
  timeout 60 "$examples/plugin-failure" "$plugin" "$function" >"$tmp/output"
  result=$?
  cat "$tmp/output"
  test "$result" = 1 || return 1
  for text in "$@"
  do
    grep -qF -e "$text" "$tmp/output" || { echo "not there: $text"; return 1; }
  done
}

plugin_succeeds ()
{
  prints "()" "$examples/plugin-failure" "$plugin" nothing
}

check "plugin-failure: a crash" fails_in_full crash "crash() crashed: SIGSEGV" "  process: " "  signal: 11" "  backtrace:"
check "plugin-failure: last words" fails_in_full give_up "nothing left to try" "  backtrace:" "  end of stderr:"
check "plugin-failure: no failure" plugin_succeeds

# A red image in the simplest format there is, and what is none.
mkdir "$tmp/images"
printf 'P6 2 1 255 \377\000\000\377\000\000' >"$tmp/images/red.ppm"
head -c 14 "$tmp/images/red.ppm" >"$tmp/images/truncated.ppm"
cp "$tmp/images/red.ppm" "$tmp/images/crash.png"
echo "This is no image." >"$tmp/images/text.png"

image_info_prints ()
{
  cd "$tmp/images" || return 1
  timeout 60 "$examples/image-info" ./red.ppm ./crash.png ./text.png ./truncated.ppm ./nowhere.png ./red.ppm >../table
  result=$?
  cat ../table
  test "$result" = 1 && test "$(wc -l <../table)" = 7 &&
    test "$(grep -c '^    2 × 1     #ff0000  ./red.ppm$' ../table)" = 2 &&
    grep -q '^failed *./crash.png: image_info() crashed: SIGSEGV' ../table &&
    grep -q '^failed *./text.png: ' ../table &&
    grep -q '^failed *./truncated.ppm: ' ../table &&
    grep -q '^failed *./nowhere.png: ' ../table
}

if test -x "$examples/image-info"
then
  unless_seen_first "image-info" image_info_prints
else
  skip "image-info" "gdk-pixbuf-2.0 is not installed"
fi

# The colours are those of image-info.
photo_filter_writes ()
{
  mkdir -p "$tmp/photos" && cd "$tmp/photos" || return 1
  timeout 60 "$examples/photo-filter" ../images/red.ppm . || return 1
  timeout 60 "$examples/image-info" ./before.png ./after.png >table
  cat table
  grep -q '^    2 × 1     #ff0000  ./before.png$' table && grep -q '^    2 × 1     #514635  ./after.png$' table
}

photo_filter_fails ()
{
  ! timeout 60 "$examples/photo-filter" "$tmp/images/text.png" "$tmp" 2>"$tmp/messages" || return 1
  cat "$tmp/messages"
  test -s "$tmp/messages" && ! test -e "$tmp/after.png"
}

# The guide shows a part of it.
photo_filter_is_in_guide ()
{
  sed -n '/photo-filter.c, in part/,/]]>/p' "$TOP_SRCDIR/docs/guide-large.xml" | sed '1d; $d' >"$tmp/part"
  test -s "$tmp/part" && ! grep -vxF -f "$TOP_SRCDIR/examples/photo-filter.c" "$tmp/part"
}

if test -x "$examples/photo-filter"
then
  check "photo-filter" photo_filter_writes
  check "photo-filter: no photo" photo_filter_fails
else
  skip "photo-filter" "gdk-pixbuf-2.0 is not installed"
  skip "photo-filter: no photo" "gdk-pixbuf-2.0 is not installed"
fi
check "photo-filter: its part in the guide is as it is" photo_filter_is_in_guide

check "every example is short, with a comment on top" short
check "every example is run" all_tried
done_testing
