# SPDX-License-Identifier: LGPL-2.1-or-later
# A type without a mapping stops the compiler, whose message names the type.

. "$TOP_SRCDIR/tests/tap.sh"
LC_ALL=C
export LC_ALL

# A single unknown word is an incomplete type to the compiler, which names it; of anything else the message is ours.
unknown_words='FILE|time_t|GPid'
others='FILE *|FILE **|char **|const char **|char|gchar|gint8|int8_t|signed char|unsigned char *|void *|gpointer
|long double|const int|int *|GBytes **|GBytes|GVariant|const GBytes *|Point *|const Point|PointArray *|struct foo'
others=$(echo "$others" | tr -d '\n')

# The beginning of every program.
prologue='#include <stdio.h>
#include <stdint.h>
#include <procfun.h>
struct foo { int a; };
PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))'

compile ()
{
  {
    echo "$prologue"
    cat
  } >"$tmp/program.c"
  # shellcheck disable=SC2086
  $compiler $PROCFUN_CFLAGS -fsyntax-only "$tmp/program.c"
}

# A program that uses each type, by TEMPLATE with @n@ for a number and @type@; what the compiler says of it.
compile_all ()
{
  echo "$unknown_words|$others" | tr '|' '\n' | awk -v template="$1" '{
    line = template; gsub ("@n@", NR, line); gsub ("@type@", $0, line); print line }' | compile >"$tmp/messages" 2>&1
}

said ()
{
  grep -F "$1" "$tmp/messages"
}

# Compilers put quotation marks around the message, or not.
said_at_end ()
{
  sed 's/"$//' "$tmp/messages" | awk -v end="$1" 'substr ($0, length ($0) - length (end) + 1) == end' | grep .
}

# refused PROGRAM MESSAGE
refused ()
{
  echo "$1" | compile >"$tmp/messages" 2>&1 && echo "compiled: $1" && return 1
  said "$2" || { grep error "$tmp/messages"; return 1; }
}

accepted ()
{
  echo "$1" | compile
}

# check_types PLACE TEMPLATE
check_types ()
{
  compile_all "$2"
  save_IFS=$IFS
  IFS='|'
  for type in $unknown_words
  do
    check "$name: $type as $1" said "procfun_mapping_of_$type"
  done
  for type in $others
  do
    check "$name: $type as $1" said_at_end "procfun has no mapping for the type $type"
  done
  IFS=$save_IFS
}

# check_compiler NAME COMMAND
check_compiler ()
{
  name=$1
  compiler=$2
  if ! command -v "$name" >/dev/null
  then
    skip "$name" "not installed"
    return
  fi

  check_types argument 'PROCFUN_DEFINE_FUNCTION (f@n@, int, (int, a), (@type@, b)) { return 0; }'
  check_types result 'PROCFUN_DEFINE_FUNCTION (f@n@, @type@, (int, a)) { return 0; }'
  check_types field 'PROCFUN_DEFINE_STRUCT (Broken@n@, (int, a), (@type@, b))'
  check "$name: a result that nobody owns" refused \
    'PROCFUN_DEFINE_FUNCTION (f, const char *) { return ""; }' \
    'nobody could own a result of the type const char *; return char *, which the caller frees'
  check "$name: a buffer as a result" refused \
    'PROCFUN_DEFINE_FUNCTION (f, ProcfunBuffer *) { return NULL; }' \
    'a ProcfunBuffer * can only be an argument, and not of a generator'
  check "$name: a buffer as a field" refused \
    'PROCFUN_DEFINE_STRUCT (Broken, (ProcfunBuffer *, a))' \
    'a ProcfunBuffer * can only be an argument, and not of a generator'
  check "$name: a buffer as an argument of a generator" refused \
    'PROCFUN_DEFINE_GENERATOR (f, int, (ProcfunBuffer *, a)) { f_yield (1); }' \
    'a ProcfunBuffer * can only be an argument, and not of a generator'
  check "$name: 13 arguments" refused \
    'PROCFUN_DEFINE_FUNCTION (f, int, (int, a), (int, b), (int, c), (int, d), (int, e), (int, g), (int, h),
       (int, i), (int, j), (int, k), (int, l), (int, m), (int, n)) { return 0; }' \
    'f() has more than 12 arguments'
  check "$name: what it should compile" accepted \
    'PROCFUN_DEFINE_FUNCTION (f, double, (const char *, a), (Point, b)) { return a != NULL ? b.x : b.y; }'
}

check_compiler gcc "gcc -std=gnu11 -fmax-errors=0"
check_compiler g++ "g++ -x c++ -fmax-errors=0"
check_compiler clang "clang -std=gnu11 -ferror-limit=0"
check_compiler clang++ "clang++ -x c++ -ferror-limit=0"
done_testing
