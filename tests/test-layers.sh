# SPDX-License-Identifier: LGPL-2.1-or-later
# A file includes its own layer or a lower one; child/ and backend/ meet only in wire/; what is special to
# Linux stays in platform/.

. "$TOP_SRCDIR/tests/tap.sh"
cd "$TOP_SRCDIR" || exit 1

# The first line whose pattern fits a path gives its layer.
layers='
0 procfun/procfun-version*
0 procfun/procfun-error*.*
0 procfun/procfun-limits*.*
0 procfun/procfun-usage*.*
0 procfun/platform/intl.*
1 procfun/platform/*
1 procfun/procfun-debug*.*
2 procfun/wire/*
2 procfun/procfun-schema*.*
2 procfun/procfun-codec*.*
2 procfun/procfun-json*.*
2 procfun/procfun-type-info.*
2 procfun/procfun-values.*
3 procfun/procfun-function*.*
3 procfun/procfun-registry*.*
3 procfun/procfun-failure*.*
3 procfun/procfun-call*.*
3 procfun/procfun-executor*.*
3 procfun/procfun-histogram*.*
3 procfun/procfun-monitor*.*
3 procfun/procfun-recorder*.*
3 procfun/procfun-statistics*.*
3 procfun/procfun-definition*.*
3 procfun/procfun-context*.*
3 procfun/procfun-launch-context*.*
4 procfun/child/*
5 procfun/backend/*
5 procfun/procfun-process-executor*.*
5 procfun/procfun-spawner*.*
5 procfun/procfun-fork-server*.*
5 procfun/procfun-map*.*
5 procfun/procfun-pool*.*
5 procfun/procfun-session*.*
5 procfun/procfun-inline*.*
6 procfun/procfun-define*.h
6 procfun/procfun-generator.h
6 procfun/procfun.h
'

linux_headers='linux/.*|asm/.*|sys/(prctl|syscall|signalfd|eventfd|epoll|timerfd|inotify|pidfd|memfd|capability)\.h'

# The layer of a path, or nothing.
layer_of ()
{
  echo "$layers" | while read -r layer pattern
  do
    # shellcheck disable=SC2254
    case $1 in
      $pattern) echo "$layer"; break ;;
    esac
  done
}

sources=$(find procfun -name '*.[ch]' -o -name '*.h.in' | sort)
# "file include", for each include of ours.
grep -nHE '^ *# *include [<"]procfun' $sources | sed -E 's/^([^:]*):([0-9]*):.*[<"](.*)[>"].*/\1:\2 \3/' >"$tmp/ours"

every_file_has_a_layer ()
{
  for file in $sources
  do
    test -n "$(layer_of "$file")" || echo "$file: give it a layer in tests/test-layers.sh"
  done | grep . && return 1
  return 0
}

nothing_includes_upwards ()
{
  while read -r place include
  do
    from=$(layer_of "${place%%:*}")
    to=$(layer_of "$include")
    test "${to:-9}" -le "${from:-9}" || echo "$place: layer $from includes $include of layer ${to:-unknown}"
  done <"$tmp/ours" | grep . && return 1
  return 0
}

sides_meet_in_wire ()
{
  ! grep -E '^procfun/backend/.* procfun/child/|^procfun/child/.* procfun/backend/' "$tmp/ours"
}

linux_stays_in_platform ()
{
  ! grep -nE "^ *# *include <($linux_headers)>" $(echo "$sources" | grep -v '^procfun/platform/')
}

from_the_top ()
{
  ! grep -nE '^ *# *include "' $sources | grep -v '"procfun/'
}

examples_are_programs ()
{
  ! grep -nE '^ *# *include [<"]procfun/' $(find examples -name '*.c' -o -name '*.cc') /dev/null
}

check "every file has a layer" every_file_has_a_layer
check "no file includes a higher layer" nothing_includes_upwards
check "child/ and backend/ don't include each other" sides_meet_in_wire
check "headers special to Linux are used in platform/ only" linux_stays_in_platform
check "our includes are written from the top of the tree" from_the_top
check "examples include <procfun.h> and nothing private" examples_are_programs
done_testing
