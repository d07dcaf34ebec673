# SPDX-License-Identifier: LGPL-2.1-or-later
# procfun monitor: looks into programs that run.

. "$TOP_SRCDIR/tests/tap.sh"

tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/monitored
unset G_DEBUG
mkdir -m 700 "$tmp/runtime"
export XDG_RUNTIME_DIR="$tmp/runtime" TERM=xterm
sockets=$XDG_RUNTIME_DIR/procfun
mkfifo "$tmp/ready" "$tmp/input-3" "$tmp/input-4"

# start N [VARIABLE=VALUE]: a program that lives until descriptor N, 3 or 4, is closed. Its number is in $pid.
start ()
{
  env "${2:-PROCFUN_MONITOR=1}" "$program" <"$tmp/input-$1" >"$tmp/ready" 3>&- 4>&- &
  pid=$!
  eval "exec $1>\"\$tmp/input-\$1\""
  read -r _ <"$tmp/ready"
}

# gives STATUS OUTPUT MESSAGE ARGUMENT…: these are in stdout and stderr.
gives ()
{
  status=$1 output=$2 message=$3
  shift 3
  timeout 60 "$tool" monitor "$@" >"$tmp/stdout" 2>"$tmp/stderr" 3>&- 4>&-
  result=$?
  cat "$tmp/stdout" "$tmp/stderr"
  test "$result" = "$status" || { echo "exit status $result"; return 1; }
  grep -qE -e "$output" "$tmp/stdout" || test -z "$output" || { echo "stdout has not: $output"; return 1; }
  grep -qF -e "$message" "$tmp/stderr" || test -z "$message" || { echo "stderr has not: $message"; return 1; }
}

gives_json ()
{
  gives 0 "" "" --json "$@" && python3 - "$tmp/stdout" "$pid" <<END
import json, sys
told = json.load(open(sys.argv[1]))
assert told["pid"] == int(sys.argv[2])
executor, = told["executors"]
assert executor["executor"] == "ProcfunInline", executor
assert executor["succeeded"] == 3 and executor["failed"] == 2, executor
assert executor["causes"]["error"] == 2 and executor["latency"]["count"] == 5, executor
END
}

# lives KEYS STATUS LAST: on a terminal.
lives ()
{
  timeout 60 python3 "$TOP_SRCDIR/tests/tool-monitor.py" "$1" ProcfunInline "$pid" "$tool" monitor "$pid" \
    >"$tmp/terminal" 2>&1 3>&- 4>&-
  cat "$tmp/terminal"
  grep -qx "status $2" "$tmp/terminal" && grep -qx "terminal as before" "$tmp/terminal" && grep -qF "$3" "$tmp/terminal"
}

socket_is_there () { test -S "$sockets/$pid.sock"; }
socket_is_gone () { test ! -e "$sockets/$pid.sock"; }

check "no process" gives 2 "" "no process has opened its monitor"
start 3 PROCFUN_MONITOR=0
check "it is not opened unasked" gives 2 "" "PROCFUN_MONITOR=1" "$pid"
exec 3>&-
wait "$pid"

start 3
first=$pid
check "the socket is there" socket_is_there
check "the only process" gives 0 "ProcfunInline 1 +0:00:.. +0 +0 +3 +2 .* 2 error" ""
check "a process" gives 0 "ProcfunInline 1" "" "$pid"
check "a name that would steer the terminal" gives 0 "^monitored�\[1m \($pid\)" "" "$pid"
check "once" gives 0 "ProcfunInline 1" "" --once "$pid"
check "JSON" gives_json "$pid"
check "JSON of the only process" gives_json
check "OpenMetrics" gives 0 'procfun_calls_succeeded_total\{executor="ProcfunInline",number="1"\} 3' "" --openmetrics
check "on a terminal until q" lives q 0 "x1b[?1049l"
check "on a terminal until Ctrl-C" lives '\x03' 0 "x1b[?1049l"
check "other keys do not end it" lives 'xyq' 0 "x1b[?1049l"

start 4
check "of two processes, a list" gives 0 "^ *$pid +1 +monitored" ""
check "the list has both" gives 0 "^ *$first +1 +monitored" ""
check "of two processes, no JSON" gives 2 "" "several processes" --json
check "one of two" gives 0 "\($pid\)" "" "$pid"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
exec 4>&-
check "what was killed leaves its socket" socket_is_there
check "no answer of who was killed" gives 2 "" "process $pid has not opened its monitor" "$pid"
check "it is not in the list" gives 0 "\($first\)" ""
check "its socket is removed" socket_is_gone

pid=$first
exec 3>&-
wait "$pid"
check "at its exit a program removes the socket" socket_is_gone

start 3
check "on a terminal until the program ends" lives end 0 "the process has ended"
wait "$pid"
exec 3>&-

check "no number" gives 2 "" "x" x
check "no process has the number 0" gives 2 "" "0" 0
check "too many arguments" gives 2 "" "Usage" 1 2
chmod 755 "$sockets"
check "a folder that others can enter" gives 2 "" "others can enter it"
done_testing
