# SPDX-License-Identifier: LGPL-2.1-or-later
# A contender, as bench/contender.h describes them, whose samples are bytes: what the wrappers of a definition add to
# a program at -O2. Many definitions, less the same functions without, by the text of size(1): code, constants and
# unwinding.

case ${1-} in
  pair)
    with='PROCFUN_DEFINE_FUNCTION (f@i@, int, (int, a), (int, b))'
    without='int f@i@ (int a, int b)'
    body='{ return a + b; }'
    ;;
  struct)
    with='PROCFUN_DEFINE_FUNCTION (f@i@, Point, (Point, a), (Point, b))'
    without='Point f@i@ (Point a, Point b)'
    body='{ a.x += b.x; return a; }'
    ;;
  twelve)
    with='PROCFUN_DEFINE_FUNCTION_WITH_ERROR (f@i@, char *, (const char *, a), (Point, b), (int, c), (GStrv, d),
      (double, e), (GBytes *, f), (gint64, g), (gboolean, h), (PointArray, i), (const char *, j), (ProcfunDoubles, k),
      (int, l))'
    without='char *f@i@ (const char *a, Point b, int c, GStrv d, double e, GBytes *f, gint64 g, gboolean h,
      PointArray i, const char *j, ProcfunDoubles k, int l, GError **error)'
    body='{ return NULL; }'
    ;;
  *) echo "Usage: $0 pair|struct|twelve" >&2; exit 2 ;;
esac

n=50
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# text_of HEAD: of n such, with @i@ as their number.
text_of ()
{
  {
    echo '#include <procfun.h>'
    echo 'PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))'
    for i in $(seq "$n")
    do
      echo "$1 $body" | sed "s/@i@/$i/g"
    done
  } >"$tmp/program.c"
  # shellcheck disable=SC2086
  $CC -O2 $PROCFUN_CFLAGS -c -o "$tmp/program.o" "$tmp/program.c" || exit 1
  size "$tmp/program.o" | awk 'NR == 2 { print $1 }'
}

echo ready
while read -r command _
do
  case $command in
    run) echo $((($(text_of "$with") - $(text_of "$without")) / n)) ;;
    *) echo ;;
  esac
done
