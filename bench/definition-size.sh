# SPDX-License-Identifier: LGPL-2.1-or-later
# What the wrappers of a definition add to a program at -O2: many definitions, less the same functions without, by
# the text of size(1): code, constants and unwinding. The bar is 2048 bytes.

n=50
bar=2048
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# text_of DEFINITION: of n such, with @i@ as their number.
text_of ()
{
  {
    echo '#include <procfun.h>'
    echo 'PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))'
    for i in $(seq "$n")
    do
      echo "$1" | sed "s/@i@/$i/g"
    done
  } >"$tmp/program.c"
  # shellcheck disable=SC2086
  $CC -O2 $PROCFUN_CFLAGS -c -o "$tmp/program.o" "$tmp/program.c" || exit 1
  size "$tmp/program.o" | awk 'NR == 2 { print $1 }'
}

# measure TITLE DEFINITION HEAD BODY
measure ()
{
  with=$(text_of "$2 $4")
  without=$(text_of "$3 $4")
  each=$(((with - without) / n))
  printf '%-44s %6d bytes\n' "$1" "$each"
  test "$each" -le "$bar" || status=1
}

status=0
echo "text of one definition (bar: $bar)"
measure 'int f (int, int)' \
  'PROCFUN_DEFINE_FUNCTION (f@i@, int, (int, a), (int, b))' 'int f@i@ (int a, int b)' '{ return a + b; }'
measure 'Point f (Point, Point)' \
  'PROCFUN_DEFINE_FUNCTION (f@i@, Point, (Point, a), (Point, b))' 'Point f@i@ (Point a, Point b)' \
  '{ a.x += b.x; return a; }'
measure 'char *f (12 arguments, GError **)' \
  'PROCFUN_DEFINE_FUNCTION_WITH_ERROR (f@i@, char *, (const char *, a), (Point, b), (int, c), (GStrv, d), (double, e),
     (GBytes *, f), (gint64, g), (gboolean, h), (PointArray, i), (const char *, j), (ProcfunDoubles, k), (int, l))' \
  'char *f@i@ (const char *a, Point b, int c, GStrv d, double e, GBytes *f, gint64 g, gboolean h, PointArray i,
     const char *j, ProcfunDoubles k, int l, GError **error)' '{ return NULL; }'
exit $status
