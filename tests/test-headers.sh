# SPDX-License-Identifier: LGPL-2.1-or-later
# Each installed header compiles alone, as C and as C++, and <procfun.h> brings them all.

. "$TOP_SRCDIR/tests/tap.sh"
LC_ALL=C
export LC_ALL

c="$CC -std=gnu11 -x c -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Werror"
cxx="$CXX -std=c++11 -x c++ -fsyntax-only -Wall -Wextra -Wno-unused-parameter -Werror"

# compiles HEADER COMPILER…
compiles ()
{
  echo "#include <$1>" >"$tmp/includes.c"
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

printf '%s\n' $PROCFUN_HEADERS | sort >"$tmp/installed"
(cd "$TOP_SRCDIR" && ls procfun/*.h; cd "$TOP_BUILDDIR" && ls procfun/*.h) |
  grep -v -e '-private\.h$' | sort -u >"$tmp/in-the-tree"
sed -nE 's/^#include <(procfun\/.*)>/\1/p' "$TOP_SRCDIR/procfun/procfun.h" | sort >"$tmp/included"
grep -v '^procfun/procfun\.h$' "$tmp/installed" >"$tmp/to-include"

check "every header in procfun/ is installed" same "$tmp/in-the-tree" "$tmp/installed"
check "procfun.h includes every other" same "$tmp/included" "$tmp/to-include"
# shellcheck disable=SC2086
{
  check "<procfun.h> compiles as C" compiles procfun.h $c $PROCFUN_CFLAGS
  check "<procfun.h> compiles as C++" compiles procfun.h $cxx $PROCFUN_CFLAGS
  for header in $(cat "$tmp/to-include")
  do
    check "$header compiles alone as C" compiles "$header" $c $PROCFUN_CFLAGS -DPROCFUN_COMPILATION
    check "$header compiles alone as C++" compiles "$header" $cxx $PROCFUN_CFLAGS -DPROCFUN_COMPILATION
    check "$header is not for direct use" guarded "$header"
  done
}
done_testing
