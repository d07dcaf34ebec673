# SPDX-License-Identifier: LGPL-2.1-or-later
# The rooms of the house, and what each may use. A file uses files of its own room or of a lower one; child/ and
# process/ meet only in wire/; what is special to Linux stays in platform/.

. "$TOP_SRCDIR/tests/tap.sh"
cd "$TOP_SRCDIR" || exit 1

# "room header…", a line each, from the lowest up: the table of docs/design.md. A public header procfun-NAME.h belongs
# to the room that has NAME.c; those of another name stand in the line of their room.
rooms=$(sed -n '/^## Rooms/,/^## What/p' docs/design.md | sed -n 's/^| `\([a-z]*\)\/` |.*|\([^|]*\)|$/\1 \2/p' | tr -d '`' | tac)

linux_headers='linux/.*|asm/.*|sys/(prctl|syscall|signalfd|eventfd|epoll|timerfd|inotify|pidfd|memfd|capability)\.h'

# rooms_of FOLDER: "path room rank" for each source below FOLDER, which holds a procfun/ folder. What has no room is
# printed with rank 0.
rooms_of ()
{
  (cd "$1" && find procfun -name '*.[ch]' -o -name '*.h.in' -o -name '*.py') | sed 's/\.in$//; s/\.py$/.c/' | sort |
    awk -v rooms="$rooms" '
      BEGIN {
        n = split (rooms, line, "\n")
        for (i = 1; i <= n; i++)
          if (split (line[i], word, " ") > 0)
            {
              rank[word[1]] = ++ranks
              for (j = 2; j in word; j++)
                {
                  pattern = word[j]
                  gsub (/\./, "\\.", pattern)
                  gsub (/\*/, ".*", pattern)
                  special["^procfun/" pattern "$"] = word[1]
                }
              delete word
            }
      }
      { path[NR] = $0 }
      split ($0, part, "/") == 3 && !($0 ~ /\.h$/) { name = part[3]; sub (/\.c$/, "", name); if (rank[part[2]] > rank[home[name]]) home[name] = part[2] }
      END {
        for (i = 1; i <= NR; i++)
          {
            room = ""
            if (split (path[i], part, "/") == 3)
              room = part[2]
            else
              {
                for (pattern in special)
                  if (path[i] ~ pattern)
                    room = special[pattern]
                name = part[2]
                sub (/^procfun-/, "", name)
                sub (/\.h$/, "", name)
                if (room == "")
                  room = home[name]
              }
            print path[i], (room in rank) ? room : "-", rank[room] + 0
          }
      }'
}

# upwards PAIRS FOLDER: of the lines "user used where", those in which a file uses one of a higher room.
upwards ()
{
  rooms_of "$2" | awk '
    FNR == NR { room[$1] = $2; rank[$1] = $3; next }
    rank[$2] == 0 || rank[$2] > rank[$1] { print $3 ": " $1 " (" room[$1] "/) uses " $2 " (" room[$2] "/)" }' - "$1"
}

# includes_of FOLDER: "user used where" for each include of ours.
includes_of ()
{
  (cd "$1" && find procfun -name '*.[ch]' -exec grep -nHE '^ *# *include [<"]procfun' {} +) |
    sed -E 's/^([^:]*):([0-9]*):.*[<"](.*)[>"].*/\1 \3 \1:\2/; s| procfun\.h | procfun/procfun.h |'
}

# symbols_of FOLDER: the same for each function or variable of another file, read from the objects below FOLDER.
# Public headers hide in whose file a function is; the objects know. Those of files that are gone lie about until
# the next "make clean".
symbols_of ()
{
  (cd "$1" && find procfun -name '*.o' -exec "${NM:-nm}" -A {} + 2>/dev/null | awk -v source="$TOP_SRCDIR" '
    function is_there(file,    line) {
      if (!(file in known))
        known[file] = (getline line <file) >= 0 || (getline line <(source "/" file)) >= 0
      return known[file]
    }
    { file = $1; sub (/:.*/, "", file); sub (/\.libs\//, "", file); sub (/libprocfun_all_la-/, "", file); sub (/\.o$/, ".c", file) }
    !is_there(file) { next }
    $(NF - 1) ~ /^[TDBRVW]$/ { print "has", $NF, file }
    $(NF - 1) == "U" { print "uses", $NF, file }') | sort | awk '
    $1 == "has" { home[$2] = $3; next }
    home[$2] != "" && home[$2] != $3 { print $3, home[$2], $2 "()" }' | sort -u
}

# circles PAIRS FOLDER: the circles of files that have files of two rooms, a line each.
circles ()
{
  rooms_of "$2" | awk '
    FNR == NR { room[$1] = $2; next }
    { a = $1; b = $2; sub (/\.[ch]$/, "", a); sub (/\.[ch]$/, "", b); if (a != b && !((a, b) in seen)) { seen[a, b]; to[a] = to[a] " " b; node[a]; node[b] } }
    function reach (start, found,    queue, head, tail, next_, n, i) {
      queue[tail = 1] = start
      for (head = 1; head <= tail; head++)
        {
          n = split (to[queue[head]], next_, " ")
          for (i = 1; i <= n; i++)
            if (!(next_[i] in found)) { found[next_[i]]; queue[++tail] = next_[i] }
        }
    }
    function room_of (x) { return (x ".c") in room ? room[x ".c"] : room[x ".h"] }
    END {
      for (x in node)
        {
          delete found
          reach (x, found)
          for (y in found) reached[x, y]
        }
      for (x in node)
        {
          if (!((x, x) in reached) || x in done) continue
          members = x; across = 0
          for (y in node)
            if (y != x && (x, y) in reached && (y, x) in reached)
              { members = members " " y; done[y]; if (room_of(y) != room_of(x)) across = 1 }
          if (across) print "a circle: " members
        }
    }' - "$1"
}

silent ()
{
  "$@" | grep . && return 1
  return 0
}

every_file_has_a_room ()
{
  silent eval "rooms_of . | awk '\$3 == 0 { print \$1 \": in no room of docs/design.md\" }'"
}

every_room_has_files ()
{
  silent eval "ls -d procfun/*/ | sed 's|procfun/||; s|/||' | while read -r room; do echo \"\$rooms\" | grep -q \"^\$room\" || echo \"\$room/: in no line\"; done"
}

sides_meet_in_wire ()
{
  ! grep -E '^procfun/process/.* procfun/child/|^procfun/child/.* procfun/process/' "$tmp/includes"
}

linux_stays_in_platform ()
{
  ! find procfun -name '*.[ch]' ! -path 'procfun/platform/*' -exec grep -nE "^ *# *include <($linux_headers)>" {} +
}

# The fields of a call, wherever they are named after a pointer to one.
calls_keep_their_fields ()
{
  fields=$(sed -n '/parent_instance/d; /^struct _ProcfunCall$/,/^};/s/^[^;]*[ *]\([a-z_]*\);.*/\1/p' procfun/core/call.h | paste -sd'|')
  test -n "$fields" && ! grep -rnE "\<call->($fields)\>|CALL \([a-z_]*\)->" procfun --include='*.[ch]' | grep -v '^procfun/core/call[-.]'
}

from_the_top ()
{
  ! find procfun -name '*.[ch]' -exec grep -nE '^ *# *include "' {} + | grep -v '"procfun/'
}

examples_are_programs ()
{
  ! grep -nE '^ *# *include [<"]procfun/' $(find examples -name '*.c' -o -name '*.cc') /dev/null
}

# A little house with an include, a call and a circle that must not be.
plant ()
{
  mkdir -p "$tmp/planted/procfun/base" "$tmp/planted/procfun/core" "$tmp/planted/procfun/run"
  cd "$tmp/planted" || return 1
  echo 'int error (void);' >procfun/base/error.h
  printf '%s\n' '#include "procfun/core/call.h"' 'int error (void) { return call (); }' >procfun/base/error.c
  echo 'int call (void);' >procfun/core/call.h
  printf '%s\n' '#include "procfun/base/error.h"' 'int call (void) { return error (); }' >procfun/core/call.c
  printf '%s\n' '#include "procfun/core/call.h"' 'int run (void) { return call (); }' >procfun/run/run.c
  for source in procfun/*/*.c
  do
    ${CC:-cc} -I. -c "$source" -o "${source%.c}.o" || return 1
  done
}

finds_planted_include ()
{
  includes_of "$tmp/planted" >"$tmp/planted-includes"
  upwards "$tmp/planted-includes" "$tmp/planted" >"$tmp/found"
  cat "$tmp/found"
  test "$(cat "$tmp/found")" = "procfun/base/error.c:1: procfun/base/error.c (base/) uses procfun/core/call.h (core/)"
}

finds_planted_call ()
{
  symbols_of "$tmp/planted" >"$tmp/planted-symbols"
  upwards "$tmp/planted-symbols" "$tmp/planted" >"$tmp/found"
  cat "$tmp/found"
  test "$(cat "$tmp/found")" = "call(): procfun/base/error.c (base/) uses procfun/core/call.c (core/)"
}

finds_planted_circle ()
{
  circles "$tmp/planted-symbols" "$tmp/planted" >"$tmp/found"
  cat "$tmp/found"
  test "$(wc -l <"$tmp/found")" -eq 1 && grep -q 'procfun/core/call' "$tmp/found" && grep -q 'procfun/base/error' "$tmp/found"
}

includes_of . >"$tmp/includes"
symbols_of "$TOP_BUILDDIR" >"$tmp/symbols"
cat "$tmp/includes" "$tmp/symbols" >"$tmp/both"

check "every file is in a room" every_file_has_a_room
check "every folder of procfun/ is a room" every_room_has_files
check "no file includes one of a higher room" silent upwards "$tmp/includes" .
check "the objects of the library were found" test -s "$tmp/symbols"
check "no file calls one of a higher room" silent upwards "$tmp/symbols" .
check "no circle of files crosses two rooms" silent circles "$tmp/both" .
check "child/ and process/ do not include each other" sides_meet_in_wire
check "headers special to Linux are used in platform/ only" linux_stays_in_platform
check "the fields of a call are used in core/call*.c only" calls_keep_their_fields
check "our includes are written from the top of the tree" from_the_top
check "examples include <procfun.h> and nothing private" examples_are_programs
check "a planted house is built" plant
check "an include that goes up is found" finds_planted_include
check "a call that goes up is found" finds_planted_call
check "a circle of files that crosses two rooms is found" finds_planted_circle
done_testing
