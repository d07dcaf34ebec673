# SPDX-License-Identifier: LGPL-2.1-or-later
# Each installed header compiles alone, as C and as C++, and <procfun.h> brings them all. Programs may be of any standard
# from C11 and C++11 on, and may ask for warnings about what is deprecated or too new.

. "$TOP_SRCDIR/tests/tap.sh"
LC_ALL=C
export LC_ALL

warnings="-fsyntax-only -Wall -Wextra -Werror -pedantic"
c="$CC -std=c11 -x c $warnings"
cxx="$CXX -std=c++11 -x c++ $warnings"

# compiles HEADER COMPILER… A header may have macros alone, and an empty file is not pedantic.
compiles ()
{
  printf '#include <%s>\ntypedef int Something;\n' "$1" >"$tmp/includes.c"
  shift
  "$@" "$tmp/includes.c"
}

guarded ()
{
  echo "#include <$1>" >"$tmp/includes.c"
  # shellcheck disable=SC2086
  if $c $PROCFUN_CFLAGS "$tmp/includes.c" 2>"$tmp/messages"
  then
    echo "$1 can be included alone by programs"
    return 1
  fi
  grep 'Only <procfun.h> can be included directly' "$tmp/messages"
}

# compiles_source SOURCE COMPILER…
compiles_source ()
{
  source=$1
  shift
  "$@" "$source"
}

# warns WORDS COMPILER…: the program of $tmp/versions.c gets a warning with these words, and no other.
warns ()
{
  words=$1
  shift
  "$@" -Wno-error=deprecated-declarations "$tmp/versions.c" 2>"$tmp/messages" || return 1
  cat "$tmp/messages"
  test "$(grep -c 'warning:' "$tmp/messages")" -eq 1 && grep -q "$words" "$tmp/messages"
}

cat >"$tmp/definitions.c" <<'END'
#include <procfun.h>

PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
PROCFUN_DEFINE_ENUM (Shape, SHAPE_OPEN, SHAPE_CLOSED)
PROCFUN_DEFINE_FUNCTION (middle, Point, (Point, a), (Point, b))
{
  return (Point){ (a.x + b.x) / 2, (a.y + b.y) / 2 };
}
PROCFUN_DEFINE_FUNCTION_WITH_ERROR (greet, char *, (const char *, name), (Shape, shape))
{
  return shape == SHAPE_OPEN || error == NULL ? g_strdup (name) : NULL;
}
PROCFUN_DEFINE_GENERATOR (count, int, (int, n))
{
  for (int i = 0; i < n; i++)
    if (!count_yield (i))
      return;
}
END
cat >"$tmp/definitions.cc" <<'END'
#include <procfun.h>

PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
PROCFUN_DEFINE_FUNCTION (middle, Point, (Point, a), (Point, b))
{
  return Point{ (a.x + b.x) / 2, (a.y + b.y) / 2 };
}
END
cat >"$tmp/versions.c" <<'END'
#include <procfun.h>

PROCFUN_DEPRECATED_IN_0_1_FOR (newer) void older (void);

int
main (void)
{
#ifdef USE_OLDER
  older ();
#else
  return procfun_error_quark () == 0;
#endif
}
END
old="-DPROCFUN_VERSION_MIN_REQUIRED=G_ENCODE_VERSION(0,0)"
too_old="$old -DPROCFUN_VERSION_MAX_ALLOWED=G_ENCODE_VERSION(0,0)"

printf '%s\n' $PROCFUN_HEADERS | sort >"$tmp/installed"
(cd "$TOP_SRCDIR" && ls procfun/*.h; cd "$TOP_BUILDDIR" && ls procfun/*.h) |
  sort -u >"$tmp/in-the-tree"
sed -nE 's/^#include <(procfun\/.*)>/\1/p' "$TOP_SRCDIR/procfun/procfun.h" | sort >"$tmp/included"
grep -v '^procfun/procfun\.h$' "$tmp/installed" >"$tmp/to-include"

check "every header in procfun/ is installed" same "$tmp/in-the-tree" "$tmp/installed"
check "procfun.h includes every other" same "$tmp/included" "$tmp/to-include"
# shellcheck disable=SC2086
{
  check "<procfun.h> compiles as C" compiles procfun.h $c $PROCFUN_CFLAGS
  check "<procfun.h> compiles as C++" compiles procfun.h $cxx $PROCFUN_CFLAGS
  for standard in c11 gnu11 c17 c2x
  do
    check "definitions are pedantic $standard" compiles_source "$tmp/definitions.c" \
      $CC -std=$standard $warnings $PROCFUN_CFLAGS
  done
  for standard in c++11 c++17 c++20
  do
    check "definitions are pedantic $standard" compiles_source "$tmp/definitions.cc" \
      $CXX -std=$standard $warnings $PROCFUN_CFLAGS
  done
  check "a function of this version is no surprise" compiles_source "$tmp/versions.c" $c $PROCFUN_CFLAGS \
    -DPROCFUN_VERSION_MAX_ALLOWED=PROCFUN_VERSION_0_1
  check "a function that is too new is warned about" warns "0.1" $c $PROCFUN_CFLAGS $too_old
  check "a deprecated function is warned about" warns "newer" $c $PROCFUN_CFLAGS -DUSE_OLDER
  check "a program for older versions may use it" compiles_source "$tmp/versions.c" $c $PROCFUN_CFLAGS -DUSE_OLDER $old
  for header in $(cat "$tmp/to-include")
  do
    check "$header compiles alone as C" compiles "$header" $c $PROCFUN_CFLAGS -DPROCFUN_COMPILATION
    check "$header compiles alone as C++" compiles "$header" $cxx $PROCFUN_CFLAGS -DPROCFUN_COMPILATION
    check "$header is not for direct use" guarded "$header"
  done
}
done_testing
