# SPDX-License-Identifier: LGPL-2.1-or-later
# The tool, and the command line of programs that it is built on.

. "$TOP_SRCDIR/tests/tap.sh"

tool=$TOP_BUILDDIR/tools/procfun
worker=$TOP_BUILDDIR/tools/procfun-worker-in-tree
program=$TOP_BUILDDIR/tests/tool-program
library=$TOP_BUILDDIR/tests/.libs/tool-library.so
# Not a program's own handling of warnings.
unset G_DEBUG

# gives STATUS STDOUT STDERR COMMAND…: it ends so, prints just this (- for anything), and has this in its messages.
gives ()
{
  status=$1 output=$2 messages=$3
  shift 3
  timeout 60 "$@" >"$tmp/stdout" 2>"$tmp/stderr"
  result=$?
  cat "$tmp/stdout" "$tmp/stderr"
  test "$result" = "$status" || { echo "exit status $result"; return 1; }
  test "$output" = - || test "$(cat "$tmp/stdout")" = "$output" || { echo "stdout is not: $output"; return 1; }
  grep -qF -e "$messages" "$tmp/stderr" || test -z "$messages" || { echo "stderr has not: $messages"; return 1; }
}

# from_stdin TEXT COMMAND…
from_stdin ()
{
  printf '%s' "$1" >"$tmp/stdin"
  shift
  "$@" <"$tmp/stdin"
}

# lists FILE WORD…: the table has each.
lists ()
{
  timeout 60 "$tool" list "$1" >"$tmp/table" || return 1
  shift
  cat "$tmp/table"
  for word in "$@"
  do
    grep -qF -e "$word" "$tmp/table" || { echo "not there: $word"; return 1; }
  done
}

lists_as_json ()
{
  timeout 60 "$tool" list --json "$1" >"$tmp/list" && python3 - "$tmp/list" <<END
import json, sys
functions = {f["name"]: f for f in json.load(open(sys.argv[1]))}
add, count, read = functions["add"], functions["count_places"], functions["read_file"]
assert add["signature"] == "add(ii)i" and len(add["hash"]) == 16 and add["flags"] == []
assert add["arguments"] == [{"name": "a", "type": "i"}, {"name": "b", "type": "i"}]
assert read["flags"] == ["with-error"] and read["result"] == {"type": "s"}
assert functions["halve"]["flags"] == ["idempotent"]
fields = count["arguments"][0]["element"]["fields"]
assert fields[0] == {"name": "x", "type": "d"}
assert fields[1] == {"name": "side", "type": "i", "values": {"left": 0, "right": 1}}
END
}

# No letter has two meanings in the help of the commands.
short_options_agree ()
{
  for command in bench call engine hosts list map monitor worker
  do
    timeout 60 "$tool" "$command" --help | sed -nE 's/^  (-[A-Za-z]), (--[a-z-]+).*/\1 \2/p'
  done | sort -u >"$tmp/options"
  test "$(wc -l <"$tmp/options")" -gt 5 && cut -d ' ' -f 1 "$tmp/options" | uniq -d >"$tmp/twice" &&
    ! grep . "$tmp/twice"
}

hash_of ()
{
  "$tool" list "$program" | awk -v name="$1" '$2 == name { print $1 }' | head -n 1
}

# Calls

echo text >"$tmp/text"

for file in "$program" "$library"
do
  name=$(basename "$file")
  check "$name: list" lists "$file" HASH "add (i a, i b)" "count_places (a(di) places, y times)" "s or an error"
  check "$name: list --json" lists_as_json "$file"
  check "$name: call" gives 0 5 "" "$tool" call "$file" add '[2, 3]'
  check "$name: the only argument as it is" gives 0 true "" "$tool" call "$file" take 3
  check "$name: the only argument as it is, and no JSON" \
    gives 0 '"text\n"' "" "$tool" call -R "$file" read_file "$tmp/text"
  check "$name: a raw result" gives 0 text "" "$tool" call -Rr "$file" read_file "$tmp/text"
  check "$name: a raw result that is no text" gives 0 5 "" "$tool" call -r "$file" add '[2, 3]'
  check "$name: call by hash" gives 0 5 "" "$tool" call "$file" "$(hash_of add)" '[2, 3]'
  check "$name: arguments by name" gives 0 5 "" "$tool" call "$file" add '{"b": 2, "a": 3}'
  check "$name: arguments from stdin" from_stdin '[2, 3]' gives 0 5 "" "$tool" call "$file" add -
  check "$name: structs and enumerations" \
    gives 0 '[{"x":0.0,"side":"left"},{"x":1.0,"side":"right"}]' "" \
    "$tool" call "$file" count_places '[[{"x": 1, "side": "right"}], 1]'
  check "$name: no arguments, no result" gives 0 '[]' "" "$tool" call "$file" nothing
  check "$name: a call in the call" gives 0 5 "" "$tool" call "$file" add_elsewhere '[2, 3]'
  check "$name: the function's error is 1" \
    gives 1 "" "read_file() failed (g-file-error-quark, 4): " "$tool" call "$file" read_file '["/nowhere/at/all"]'
  check "$name: a crash is 3" gives 3 "" "crash() crashed: SIGSEGV" "$tool" call "$file" crash
  check "$name: exit (0) is 3" gives 3 "" "exit (0)" "$tool" call "$file" leave '[0]'
  check "$name: items are a line each" \
    gives 0 "$(printf '1\n2\n3')" counting "$tool" call "$file" count_up '[3]'
  check "$name: items, and then a crash" \
    gives 3 "$(printf '1\n2')" "count_up() crashed: SIGSEGV" "$tool" call "$file" count_up '[-2]'
  check "$name: a call in a process of its own, by name" \
    gives 0 5 "" "$tool" call --executor spawn --codec gvariant "$file" add '[2, 3]'
  check "$name: a call in the process of the tool" \
    gives 0 5 "" "$tool" call --executor=inline "$file" add '[2, 3]'
  check "$name: the same, with arguments from stdin" \
    from_stdin '[3]' gives 0 "$(printf '1\n2\n3')" counting "$tool" call -e inline "$file" count_up -
  check "$name: the same, with an exit" gives 3 "" "exit (0)" "$tool" call -e inline "$file" leave '[0]'
  check "$name: what the function prints is not in the result" \
    gives 1 "" "said to stdout" "$tool" call "$file" chatter
done

check "a letter means the same in all commands" short_options_agree
check "constructors of the program have run" gives 0 1 "" "$tool" call "$program" get_constructed
check "list --names" gives 0 "$(printf '%s\n' add add_elsewhere block chatter count_places count_up crash exists_at_last \
  get_constructed give_up halve leave nothing read_file spin take twin twin)" "" "$tool" list --names "$program"

# Limits, times and how failures are told

check "a timeout by its letter" gives 4 "" "block() timed out after 0.1 s" "$tool" call -t 100ms "$program" block
check "a deadline by its letter" gives 4 "" "deadline" "$tool" call -d 100ms "$program" block
check "a timeout is 4" gives 4 "" "block() timed out after 0.1 s" "$tool" call --timeout 100ms "$program" block
check "a deadline is 4" gives 4 "" "block() missed its deadline of 0.25 s" "$tool" call --deadline=.25 "$program" block
check "times in time" gives 0 5 "" "$tool" call --timeout 60s --deadline 1min "$program" add '[2, 3]'
check "a CPU time is 4" gives 4 "" "limit of 0.05 s" "$tool" call --cpu-time 50ms "$program" spin
check "enough memory" gives 0 true "" "$tool" call --memory 1G "$program" take '[50]'
check "limits by name" gives 4 "" "limit of 0.05 s" "$tool" call --limits "files=64 cpu=50ms" "$program" spin
check "an option goes before limits by name" \
  gives 4 "" "limit of 0.05 s" "$tool" call --limits "cpu=1min" --cpu-time 50ms "$program" spin
check "usage" gives 0 5 " user and " "$tool" call --usage "$program" add '[2, 3]'
check "usage of a failure" gives 3 "" " user and " "$tool" call --usage "$program" crash
check "a failure in full" gives 3 "" "  signal: 11, SIGSEGV" "$tool" call --trace "$program" crash
check "an error in full" gives 1 "" "  process: " "$tool" call --trace "$program" read_file '["/nowhere"]'
check "items until nobody reads any more" \
  gives 0 "$(printf '1\n2')" "" sh -c "'$tool' call '$program' count_up '[0]' | head -n 2"
check "a timeout between items is 4" gives 4 - "timed out" "$tool" call --timeout 100ms "$program" count_up '[0]'
check "a host" gives 0 5 "" "$tool" call --executor 'local*1' "$program" add '[2, 3]'
check "a host for a library" gives 0 5 "" "$tool" call --executor 'local*1' "$library" add '[2, 3]'
check "a host that cannot be reached" gives 2 "" "/does/not/exist" \
  "$tool" call --executor exec:/does/not/exist "$program" add '[2, 3]'
check "--on" gives 0 5 "" "$tool" call --on 'local*1, local*2' "$program" add '[2, 3]'
check "--on: a crash" gives 3 "" "crash() crashed: SIGSEGV" "$tool" call --on 'local*1' "$program" crash
check "--on: a library" gives 0 5 "" "$tool" call --on 'local*1' "$library" add '[2, 3]'
check "--on: a crash in a library" gives 3 "" "crash() crashed: SIGSEGV" "$tool" call --on 'local*1' "$library" crash
check "--on: no list" gives 2 "" "--on: “nowhere” names no host" "$tool" call --on nowhere "$program" add '[2, 3]'
check "--on beside another executor" \
  gives 2 "" "--executor" "$tool" call --on 'local*1' --executor pool "$program" add '[2, 3]'
check "an unknown executor" gives 2 "" "--executor: “cloud”" "$tool" call --executor cloud "$program" add '[2, 3]'
check "an unknown codec" gives 2 "" "--codec: “xml”" "$tool" call --codec xml "$program" add '[2, 3]'
check "options that need a process" \
  gives 2 "" "--executor=inline" "$tool" call --executor inline --timeout 1s "$program" add '[2, 3]'
check "wrong options after right ones" gives 2 "" "--nothing" "$tool" call --usage --nothing "$program" add
for time in x 1x "" 0 -1 nan 0x1 1e3 1.2.3 99999999999999
do
  check "no time: “$time”" gives 2 "" "--timeout: “$time”: a time is" "$tool" call "--timeout=$time" "$program" add
done
check "no size" gives 2 "" "--memory: “1 cpu=1s”: a size is" "$tool" call --memory "1 cpu=1s" "$program" add
check "a sandbox that is none" gives 2 "" "the levels are none, no-new-privs" "$tool" call --sandbox pure "$program" add '[1,2]'
if "$tool" call --sandbox pure-compute "$program" add '[1,2]' >"$tmp/sandboxed" 2>/dev/null; then
  check "a function in a sandbox computes" test "$(cat "$tmp/sandboxed")" = 3
  check "a function in a sandbox reads nothing" \
    gives 1 "" "was refused the system call open" "$tool" call --sandbox pure-compute "$program" read_file '["/etc/passwd"]'
else
  skip "a function in a sandbox computes" "there are no sandboxes here"
  skip "a function in a sandbox reads nothing" "there are no sandboxes here"
fi
check "no limits" gives 2 "" "the limits are memory, cpu" "$tool" call --limits "mem=3" "$program" add

if test "$SANITIZERS" = no
then
  check "too little memory is 4" gives 4 "" "its limit is 50M" "$tool" call --memory 50M "$program" take '[200]'
else
  skip "too little memory is 4" "sanitizers need much"
fi

# tells_programs STATUS MEMBER=VALUE… -- COMMAND…: stdout is one JSON object with these.
tells_programs ()
{
  status=$1 members=
  shift
  while test "$1" != --
  do
    members="$members $1"
    shift
  done
  shift
  gives "$status" - "" "$@" && python3 - "$tmp/stdout" $members <<END
import json, sys
failure = json.load(open(sys.argv[1]))
for member in sys.argv[2:]:
    name, value = member.split("=")
    assert str(failure[name]) == value, (name, failure[name])
END
}

check "--json: a result is as before" gives 0 5 "" "$tool" call --json "$program" add '[2, 3]'
check "--json: a crash" tells_programs 3 cause=crashed signal=11 signal-name=SIGSEGV status=3 function=crash \
  -- "$tool" call --json "$program" crash
check "--json: an exit" tells_programs 3 cause=exited exit-code=7 status=3 -- "$tool" call --json "$program" leave '[7]'
check "--json: a timeout" tells_programs 4 cause=timed-out domain=procfun-error-quark status=4 \
  -- "$tool" call --json --timeout 50ms "$program" block
check "--json: the function's error" tells_programs 1 cause=error domain=g-file-error-quark code=4 status=1 \
  -- "$tool" call --json "$program" read_file '["/nowhere"]'
check "--json: no call" tells_programs 2 domain=procfun-error-quark status=2 -- "$tool" call --json "$program" ad

# interrupted SIGNAL STATUS STDOUT OPTION…
interrupted ()
{
  signal=$1 status=$2
  shift 2
  timeout 60 python3 "$TOP_SRCDIR/tests/tool-interrupt.py" "$signal" "$tool" call "$@" "$program" block >"$tmp/interrupted"
  result=$?
  cat "$tmp/interrupted"
  test "$result" = 0 && grep -qF "interrupted by $signal" "$tmp/interrupted" && grep -qx "status $status" "$tmp/interrupted"
}

check "Ctrl-C ends the call" interrupted SIGINT 130
check "SIGTERM ends the call" interrupted SIGTERM 143
check "SIGHUP ends the call" interrupted SIGHUP 129
check "Ctrl-C, told to programs" interrupted SIGINT 130 --json --usage

# on_terminal VARIABLE=VALUE PATTERN
on_terminal ()
{
  timeout 60 env -u NO_COLOR TERM=xterm "$1" python3 "$TOP_SRCDIR/tests/tool-terminal.py" \
    "$tool" call "$program" leave '[3]' >"$tmp/terminal"
  cat "$tmp/terminal"
  grep -qF "$2" "$tmp/terminal"
}

check "colour on a terminal" on_terminal ANY=1 "x1b[1;31mprocfun:"
check "an empty NO_COLOR is none" on_terminal NO_COLOR= "x1b[1;31mprocfun:"
check "no colour where it is not wanted" on_terminal NO_COLOR=1 "nprocfun: leave()"
check "no colour on a dumb terminal" on_terminal TERM=dumb "nprocfun: leave()"

# Measuring

# measures CALLS PARALLEL OPTION…: the JSON is complete, and all calls are in the histogram.
measures ()
{
  calls=$1 parallel=$2
  shift 2
  timeout 60 "$tool" bench --json "$@" "$program" add '[2, 3]' >"$tmp/measured" && python3 - "$tmp/measured" <<END
import json, sys
for executor in json.load(open(sys.argv[1])):
    assert executor["calls"] == $calls and executor["parallel"] == $parallel, executor
    assert 0 < executor["least"] <= executor["median"] <= executor["p99"], executor
    assert executor["per-second"] > 0 and executor["per-second-parallel"] > 0, executor
    assert sum(bucket["calls"] for bucket in executor["histogram"]) == $calls, executor
    assert executor["histogram"][0]["from"] == executor["least"], executor
END
}

check "bench" gives 0 - "" "$tool" bench --calls 10 "$program" add '[2, 3]'
check "bench: a histogram" grep -qF █ "$tmp/stdout"
check "bench: what the function prints is not in the results" \
  gives 1 "" "said to stdout" "$tool" bench "$program" chatter
check "bench --json" measures 10 3 --calls 10 --parallel 3
check "bench: one call" measures 1 4 --calls 1 --parallel 4 --executor spawn
check "bench: a library" gives 0 - "" "$tool" bench --calls 2 "$library" add '[2, 3]'
check "bench: the first failure ends it" gives 3 "" "crash() crashed: SIGSEGV" "$tool" bench "$program" crash
check "bench: the function's error is 1" \
  gives 1 "" "read_file() failed (g-file-error-quark, 4): " "$tool" bench "$program" read_file '["/nowhere/at/all"]'
check "bench --json: a failure" tells_programs 3 cause=exited exit-code=7 status=3 \
  -- "$tool" bench --json "$program" leave '[7]'
check "bench --on" measures 10 2 --calls 10 --parallel 2 --on 'local*2'
check "bench --on: its name is the list" grep -qF '"local*2"' "$tmp/measured"
check "bench: no number" gives 2 "" "--calls: 0: it must be" "$tool" bench --calls 0 "$program" add '[2, 3]'
check "bench: no executor" gives 2 "" "“nobody”, but spawn" "$tool" bench --executor nobody "$program" add '[2, 3]'
check "bench: wrong arguments" gives 2 "" "/b" "$tool" bench "$program" add '[2, "x"]'

# Wrong input is named, and exits with 2

check "no command" gives 2 "" "Usage" "$tool"
check "an unknown command" gives 2 "" "“cal”" "$tool" cal
check "too few arguments" gives 2 "" "Usage" "$tool" call "$program"
check "too many arguments" gives 2 "" "Usage" "$tool" call "$program" add '[2, 3]' more
check "an unknown option" gives 2 "" "--nothing" "$tool" list --nothing "$program"
check "help" gives 0 - "" "$tool" --help
check "help of a command" gives 0 - "" "$tool" call --help
check "the version" gives 0 - "" "$tool" --version
check "the version, in short" gives 0 - "" "$tool" -V
for command in bench call engine hosts list map monitor worker
do
  check "the version, by $command" gives 0 "$("$tool" -V)" "" "$tool" "$command" -V
done
check "an unknown function has a similar one suggested" \
  gives 2 "" "no function “ad” in $program; did you mean “add”?" "$tool" call "$program" ad '[]'
check "a case that is wrong, too" gives 2 "" "did you mean “halve”?" "$tool" call "$program" HALF '[1]'
check "an unknown function that is like no other" gives 2 "" "no function “something_else” in $program" \
  "$tool" call "$program" something_else
check "a name that two functions have" gives 2 "" "several functions “twin”" "$tool" call "$program" twin '[1]'
check "one of the two, by hash" gives 0 1 "" "$tool" call "$program" "$(hash_of twin)" '[1]'
check "an unknown hash" gives 2 "" "0123456789abcdef" "$tool" call "$program" 0123456789abcdef
check "no string for two arguments" gives 2 "" "--raw-input: add() takes 2 arguments" "$tool" call -R "$program" add 2
check "no string at all" gives 2 "" "--raw-input: read_file() takes" "$tool" call -R "$program" read_file
check "wrong JSON" gives 2 "" "line 1, column 5" "$tool" call "$program" add '[2, x]'
check "a value out of range" gives 2 "" "/times: 300" "$tool" call "$program" count_places '[[], 300]'
check "a wrong value, deep inside" gives 2 "" "/places/1/side" \
  "$tool" call "$program" count_places '[[[1, "left"], [1, "top"]], 1]'
check "too few values" gives 2 "" "add (i a, i b)" "$tool" call "$program" add '[2]'
check "a full disk" gives 2 "" "No space" sh -c "exec '$tool' call '$program' add '[2, 3]' >/dev/full"

check "who starts the tool may ignore SIGCHLD" gives 3 "" "SIGSEGV" sh -c "trap '' CHLD; exec '$tool' call '$program' crash"

# Files: what has no note is never executed

printf '#!/bin/sh\ntouch "%s"\n' "$tmp/executed" >"$tmp/script"
printf '#include <fcntl.h>\nint main (void) { return creat ("%s", 0600) < 0; }\n' "$tmp/executed" >"$tmp/plain.c"
# shellcheck disable=SC2086
$CC $CFLAGS $LDFLAGS "$tmp/plain.c" -o "$tmp/plain"
chmod +x "$tmp/script"
mkfifo "$tmp/pipe"
: >"$tmp/empty"
head -c 3000 "$program" >"$tmp/truncated"
cp "$program" "$tmp/other-words"
words=$(od -An -tu1 -j4 -N1 "$program")
printf "\\00$((3 - words))" | dd of="$tmp/other-words" bs=1 seek=4 conv=notrunc 2>/dev/null
chmod +x "$tmp/truncated" "$tmp/other-words"

check "a file that is not there" gives 2 "" "No such file" "$tool" list "$tmp/nowhere"
check "a folder" gives 2 "" "Is a directory" "$tool" list "$tmp"
check "a named pipe" gives 2 "" "no regular file" "$tool" list "$tmp/pipe"
check "an empty file" gives 2 "" "no program" "$tool" list "$tmp/empty"
check "a script" gives 2 "" "no ELF file" "$tool" list "$tmp/script"
check "a program without functions" gives 2 "" "$tmp/plain defines no procfun functions" "$tool" call "$tmp/plain" add
check "a truncated program" gives 2 "" "damaged" "$tool" list "$tmp/truncated"
check "a program of another word size" gives 2 "" "-bit file" "$tool" list "$tmp/other-words"
check "none of them was executed" test ! -e "$tmp/executed"

# By hand

by_hand="env PROCFUN_COMMAND_LINE=1"

check "by hand: a list in one line" gives 0 - "" $by_hand "$program" --procfun-list
check "by hand: a call" gives 0 5 "" $by_hand "$program" --procfun-call=add '[2, 3]'
check "by hand: a call by hash" gives 0 5 "" $by_hand "$program" "--procfun-call=$(hash_of add)" '[2, 3]'
check "by hand: arguments from stdin" from_stdin '[2, 3]' gives 0 5 "" $by_hand "$program" --procfun-call=add -
check "by hand: a call in the call" gives 0 5 "" $by_hand "$program" --procfun-call=add_elsewhere '[2, 3]'
check "by hand: what starts later was not asked, and stdout has the result alone" \
  gives 1 "" "said to stdout" $by_hand "$program" --procfun-call=chatter
check "by hand: the function's error" gives 1 "" "No such file" $by_hand "$program" --procfun-call=read_file '["/nowhere"]'
check "by hand: an unknown function" gives 2 "" "“ad”" $by_hand "$program" --procfun-call=ad
check "by hand: a name that two functions have" gives 2 "" "several" $by_hand "$program" --procfun-call=twin '[1]'
check "by hand: wrong arguments" gives 2 "" "/b" $by_hand "$program" --procfun-call=add '[2, "x"]'
check "by hand: exit" gives 3 "" "exit (0)" $by_hand "$program" --procfun-call=leave '[0]'
check "by hand: a library" gives 0 5 "" $by_hand "$worker" --procfun-call=add "$library" '[2, 3]'
check "by hand: a library that is none" gives 2 "" "$tmp/script" $by_hand "$worker" --procfun-list "$tmp/script"
check "by hand: no library" gives 2 "" "name of a library" $by_hand "$worker" --procfun-list

# Nothing happens but as the first argument, with the variable, in programs that are not setuid

runs_main ()
{
  timeout 60 "$@" >"$tmp/stdout"
  result=$?
  cat "$tmp/stdout"
  test "$result" = 7 && tail -n 1 "$tmp/stdout" | grep '^main with '
}

check "without the variable main runs" runs_main "$program" --procfun-list
check "with another value main runs" runs_main env PROCFUN_COMMAND_LINE=yes "$program" --procfun-list
check "as the second argument nothing happens" runs_main env PROCFUN_COMMAND_LINE=1 "$program" file --procfun-list
check "longer options are the program's" runs_main env PROCFUN_COMMAND_LINE=1 "$program" --procfun-lists
check "the variable alone does nothing" runs_main env PROCFUN_COMMAND_LINE=1 "$program"

nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
chmod 755 "$tmp"
cp "$program" "$tmp/setuid" && chmod 4755 "$tmp/setuid"
if test "$(id -u)" = 0 && $nobody "$program" >/dev/null 2>&1 || test $? = 7
then
  check "a setuid program runs its main" runs_main $nobody env PROCFUN_COMMAND_LINE=1 "$tmp/setuid" --procfun-list
else
  skip "a setuid program runs its main" "needs root, and a build folder that others can read"
fi
check "the tool refuses a setuid program" gives 2 "" "setuid" "$tool" list "$tmp/setuid"

# Hosts

# finds_hosts STATUS HOSTS PROGRAM ASSERTION: of the array that is printed.
finds_hosts ()
{
  timeout 60 "$tool" hosts --json "$2" ${3:+"$3"} >"$tmp/hosts"
  result=$?
  cat "$tmp/hosts"
  test "$result" = "$1" || { echo "exit status $result"; return 1; }
  python3 -c "import json, sys; a = json.load (open (sys.argv[1])); assert $4" "$tmp/hosts"
}

check "hosts" gives 0 - "" "$tool" hosts 'local*2, local*3' "$program"
check "hosts: a line for each" grep -qE '^local\*3 +up +3 ' "$tmp/stdout"
check "hosts: one has all functions" finds_hosts 0 'local*2' "$program" \
  "a[0]['up'] and a[0]['slots'] == 2 and a[0]['round-trip'] > 0 and a[0]['functions'] > 5 and a[0]['missing'] == []"
check "hosts: another program has others" finds_hosts 1 "local=$TOP_BUILDDIR/tests/monitored" "$program" \
  "a[0]['up'] and 'halve' in a[0]['missing']"
check "hosts: without a program they run the tool" finds_hosts 0 'local*1' "" "a[0]['up'] and 'functions' not in a[0]"
check "hosts: one is down" finds_hosts 1 'local*1, exec:/does/not/exist {}' "$program" \
  "a[0]['up'] and not a[1]['up'] and '/does/not/exist' in a[1]['error']"
check "hosts: one does not answer" \
  gives 1 - "" "$tool" hosts --timeout 200ms "exec:sh -c 'sleep 100' {}" "$program"
check "hosts: the reason stands below" grep -qF "did not answer within 0.2 s" "$tmp/stdout"
check "hosts: a library has all functions" finds_hosts 0 'local*1' "$library" \
  "len (a) == 1 and a[0]['up'] and a[0]['functions'] > 5 and a[0]['missing'] == []"
for file in "$program" "$library"
do
  check "worker: $(basename "$file") by a launcher" \
    gives 0 5 "" "$tool" call --on "exec:sh -c '$tool worker --slots 2 stdio: $file' {}" "$file" add '[2, 3]'
done
check "worker: one whose hosts are its own" gives 0 5 "" \
  "$tool" call --on "exec:sh -c '$tool worker --on local*1,local*1 stdio: $program' {}" "$program" add '[2, 3]'
check "worker: no caller by that way" gives 2 "" "no engine is there for “nowhere:”" \
  "$tool" worker nowhere://broker/render "$program"
check "worker: no URL" gives 2 "" "“here” is no URL" "$tool" worker here "$program"
check "worker: no number of calls" gives 2 "" "--slots" "$tool" worker --slots -1 stdio: "$program"
check "worker: no hosts" gives 2 "" "--on" "$tool" worker --on nowhere stdio: "$program"
check "worker: no program" gives 2 "" "/nowhere/at/all" "$tool" worker stdio: /nowhere/at/all
check "hosts: no list" gives 2 "" "names no host" "$tool" hosts nowhere

# Manual and completion

manual_is_clean ()
{
  for page in procfun-environment.7 procfun-worker.1 procfun.1
  do
    LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$TOP_SRCDIR/tools/$page" 2>&1 >"$tmp/manual" | grep . && return 1
  done
  for word in bench list call hosts --on --calls --parallel --executor --names --json --timeout --deadline --memory --cpu-time --limits --codec --usage --trace
  do
    grep -q -e "$word" "$tmp/manual" || { echo "not there: $word"; return 1; }
  done
}

# Those that the code reads, by the names in its strings.
environment_is_documented ()
{
  for variable in $(cat "$TOP_SRCDIR"/procfun/*/*.[ch] | sed -nE 's/.*(environment_get|define COMMAND_LINE_VARIABLE) *\(?"(PROCFUN_[A-Z_]+)".*/\2/p' | sort -u)
  do
    grep -q "^\.B $variable$" "$TOP_SRCDIR/tools/procfun-environment.7" || { echo "not there: $variable"; return 1; }
  done
  test -n "$variable"
}

check "the manual has every variable that programs read" environment_is_documented
if man --version >/dev/null 2>&1
then
  check "the manual renders without warnings" manual_is_clean
else
  skip "the manual renders without warnings" "man is not installed"
fi

# completes EXPECTED WORD…: what bash would offer for the last word.
completes ()
{
  expected=$1
  shift
  PATH="$TOP_BUILDDIR/tools:$PATH" bash -c '
    set -e
    . "$TOP_SRCDIR/tools/bash-completion/procfun"
    compopt () { :; } # only bash itself may call it
    COMP_WORDS=(procfun "$@")
    COMP_CWORD=$#
    _procfun
    echo "${COMPREPLY[*]}"' completes "$@" >"$tmp/completion" || return 1
  cat "$tmp/completion"
  test "$(cat "$tmp/completion")" = "$expected"
}

# Only sockets are processes that can be monitored.
completes_pids ()
{
  mkdir -p "$tmp/runtime/procfun" && : >"$tmp/runtime/procfun/78.sock" &&
    python3 -c 'import socket, sys; socket.socket (socket.AF_UNIX).bind (sys.argv[1])' "$tmp/runtime/procfun/77.sock" &&
    XDG_RUNTIME_DIR=$tmp/runtime completes 77 monitor ""
}

# The options of each command, as its help has them.
options_of ()
{
  timeout 60 "$tool" "$1" --help | sed -nE 's/^  (-., )?--([a-z0-9-]+).*/\2/p'
}

# names_all_options FILE PATTERN: each option stands there; %s is its name.
names_all_options ()
{
  for command in bench call engine hosts list map monitor worker
  do
    for option in $(options_of "$command")
    do
      # shellcheck disable=SC2059
      printf "$2\n" "$option" >"$tmp/pattern"
      grep -qF -e "$(cat "$tmp/pattern")" "$1" || { echo "not there: $command: $option"; return 1; }
    done
  done
}

check "completion for bash has all options" names_all_options "$TOP_SRCDIR/tools/bash-completion/procfun" "--%s"
check "completion for zsh has all options" names_all_options "$TOP_SRCDIR/tools/zsh-completion/_procfun" "--%s"
check "completion for fish has all options" names_all_options "$TOP_SRCDIR/tools/fish-completion/procfun.fish" "-l %s"
check "the manual has all options" names_all_options "$tmp/manual" "--%s"

if bash --version >/dev/null 2>&1
then
  check "completion of commands" completes call ca
  check "completion of options" completes "--json --names --help --version" list --
  check "completion of options of a call" completes "--timeout --trace" call --t
  check "completion after options" completes "add add_elsewhere" call --usage --timeout 2 "$program" ad
  check "no completion of values" completes "" call --limits ""
  check "completion of options of bench" completes "--calls" bench --c
  check "completion of executors of bench" completes "spawn" bench --executor sp
  check "completion of functions for bench" completes "add add_elsewhere" bench -n 5 "$program" ad
  check "completion of options of monitor" completes "--once --openmetrics" monitor --o
  check "completion of hosts" completes "ssh: srun systemd" hosts s
  check "completion of hosts of a call" completes "local" call --on lo
  check "completion of files for hosts" completes "$program" hosts local "$TOP_BUILDDIR/tests/tool-prog"
  check "completion of executors" completes "spawn fork pool inline" call --executor ""
  check "completion of codecs" completes "gvariant" call --codec g
  check "completion of files" completes "$program" call "$TOP_BUILDDIR/tests/tool-prog"
  check "completion of functions" completes "add add_elsewhere" call "$program" ad
  check "completion of functions of no program" completes "" call "$tmp/script" ad
  check "no completion of what follows" completes "" call "$program" add ''
  check "completion of options of map" completes "--raw-input --raw-output" map --raw
  check "completion of words of --halt" completes "never" map --halt ne
  check "completion of files for map" completes "$tmp/script" map --joblog "$tmp/scr"
  check "completion of functions for map" completes "add add_elsewhere" map -j 50% --tag "$program" ad
  check "completion of arguments of map" completes "$tmp/script" map "$program" add ::: "$tmp/scr"
  check "completion of processes" completes_pids
  check "completion executed nothing" test ! -e "$tmp/executed"
else
  skip "completion" "bash is not installed"
fi
done_testing
