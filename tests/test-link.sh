# SPDX-License-Identifier: LGPL-2.1-or-later
# Processes enter before main(), and find all that constructors do, in whatever way a program is linked.

. "$TOP_SRCDIR/tests/tap.sh"
sources=$TOP_SRCDIR/tests/link
archive=$TOP_BUILDDIR/procfun/.libs/libprocfun-all.a

# Whether a compiler has what the options need; if not, says so.
# can COMPILER OPTION…
can ()
{
  echo 'int main (void) { return 0; }' >"$tmp/can.c"
  "$@" "$tmp/can.c" -o "$tmp/can" 2>"$tmp/why"
}

# machine COMPILER…: its processor, as in x86_64.
machine ()
{
  "$@" -dumpmachine | sed 's/-.*//'
}

# build_and_run LANGUAGE COMPILER OPTION… -- LIBRARY…
build_and_run ()
{
  language=$1 compile= link=
  shift
  while test "$1" != --
  do
    case $1 in
      -Wl,* | -fuse-ld=* | -static | -static-pie | -no-pie) link="$link $1" ;;
      *) compile="$compile $1" ;;
    esac
    shift
  done
  shift
  for file in program later
  do
    # shellcheck disable=SC2086
    $compile $PROCFUN_CFLAGS -Wall -Werror -x "$language" -c "$sources/$file.c" -o "$tmp/$file.o" || return 1
  done
  # shellcheck disable=SC2086
  $compile $link "$tmp/program.o" "$tmp/later.o" "$@" -lm -o "$tmp/program" && timeout 60 "$tmp/program"
}

# way NAME LANGUAGE COMPILER OPTION…: the shared library, as pkg-config has it.
way ()
{
  name=$1 language=$2
  shift 2
  if ! command -v "$1" >"$tmp/where"
  then
    skip "$name" "there is no $1"
  elif test "$(machine "$1")" != "$(machine $CC)"
  then
    skip "$name" "its programs are for another machine"
  elif ! can "$@"
  then
    skip "$name" "$(head -n 1 "$tmp/why")"
  else
    # shellcheck disable=SC2086
    check "$name" build_and_run "$language" "$@" -- $PROCFUN_LIBS
  fi
}

# way_static NAME OPTION…: the objects of the library, and GLib's own static libraries. The tables of mounts in GIO
# want libmount, of which Debian has no static library; nothing here reads them.
way_static ()
{
  name=$1
  shift
  glib=$($PKG_CONFIG --static --libs gio-unix-2.0 | sed 's/-lmount//; s/-lblkid//')
  # shellcheck disable=SC2086
  if can $CC "$@" -Wl,--unresolved-symbols=ignore-all $glib
  then
    check "$name" build_and_run c $CC "$@" -- "$archive" -Wl,--unresolved-symbols=ignore-all $glib
  else
    skip "$name" "$(head -n 1 "$tmp/why")"
  fi
}

reports_duplicates ()
{
  # shellcheck disable=SC2086
  $CC $CFLAGS $LDFLAGS $PROCFUN_CFLAGS -DMAIN -c "$sources/twice.c" -o "$tmp/twice-main.o" &&
    $CC $CFLAGS $LDFLAGS $PROCFUN_CFLAGS "$tmp/twice-main.o" "$sources/twice.c" $PROCFUN_LIBS -o "$tmp/twice" ||
    return 1
  env -u G_DEBUG timeout 60 "$tmp/twice" 2>"$tmp/messages"
  status=$?
  cat "$tmp/messages"
  test "$status" = 0 && grep 'twice(i)i is defined twice in the program' "$tmp/messages"
}

# shellcheck disable=SC2086
{
  way "C" c $CC $CFLAGS $LDFLAGS
  way "C++" c++ $CXX $CXXFLAGS $LDFLAGS
  check "a function that is defined twice is reported" reports_duplicates
}
if test "$SANITIZERS" = no
then
  for compiler in gcc clang
  do
    way "$compiler -O0" c $compiler -O0
    way "$compiler -O3 -flto" c $compiler -O3 -flto
    way "$compiler -fsanitize=address" c $compiler -O1 -fsanitize=address
  done
  way "clang++ -O2" c++ clang++ -O2
  way "g++ -O2 -flto" c++ g++ -O2 -flto
  way "clang++ -O2 -flto" c++ clang++ -O2 -flto
  way "-no-pie" c $CC -O2 -no-pie -fno-pie
  way "--gc-sections" c $CC -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections
  way "gold" c++ g++ -O2 -fuse-ld=gold
  way "lld, --gc-sections" c++ clang++ -O2 -fuse-ld=lld -ffunction-sections -fdata-sections -Wl,--gc-sections
  # The objects may be instrumented, and then want the runtime that LDFLAGS name.
  # shellcheck disable=SC2086
  {
    way_static "-static" -O2 $LDFLAGS -static
    way_static "-static-pie" -O2 $LDFLAGS -fPIE -static-pie
    way_static "-static -flto" -O2 $LDFLAGS -static -flto
  }
else
  skip "other ways" "the library wants the runtime of its sanitizers"
fi
done_testing
