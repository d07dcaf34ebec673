# SPDX-License-Identifier: LGPL-2.1-or-later
# procfun map: a line of JSON in, a line of JSON out.

. "$TOP_SRCDIR/tests/tap.sh"

tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/tool-program
library=$TOP_BUILDDIR/tests/.libs/tool-library.so
# Not a program's own handling of warnings.
unset G_DEBUG

# maps STATUS INPUT OUTPUT MESSAGES OPTION… FUNCTION: it ends so, prints just this, and has this in its messages.
maps ()
{
  status=$1 input=$2 output=$3 messages=$4
  shift 4
  printf "$input" >"$tmp/input"
  printf "$output" >"$tmp/expected"
  timeout 60 "$tool" map "$@" <"$tmp/input" >"$tmp/stdout" 2>"$tmp/stderr"
  result=$?
  cat "$tmp/stdout" "$tmp/stderr"
  test "$result" = "$status" || { echo "exit status $result"; return 1; }
  test "$output" = - || cmp "$tmp/expected" "$tmp/stdout" || return 1
  grep -qF -e "$messages" "$tmp/stderr" || test -z "$messages" || { echo "stderr has not: $messages"; return 1; }
}

many ()
{
  seq 1 20000 | sed 's/.*/[&, 1]/' | timeout 60 "$tool" map "$@" "$program" add >"$tmp/stdout" || return 1
  seq 2 20001 >"$tmp/expected"
  sort -n "$tmp/stdout" | cmp - "$tmp/expected"
}

many_in_order ()
{
  many "$@" && cmp "$tmp/stdout" "$tmp/expected"
}

# Each line is answered before the next one is written.
line_by_line ()
{
  timeout 60 python3 - "$tool" "$program" <<END
import subprocess, sys
tool = subprocess.Popen([sys.argv[1], "map", "-j", "2", sys.argv[2], "add"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, text=True, bufsize=1)
for i in range(100):
    tool.stdin.write(f"[{i}, 1]\n")
    answer = tool.stdout.readline()
    assert answer == f"{i + 1}\n", answer
tool.stdin.close()
assert tool.wait() == 0
END
}

# For people, and gone in the end.
has_bar ()
{
  seq 1 20000 | sed 's/.*/[&, 1]/' >"$tmp/input"
  echo block >>"$tmp/input"
  timeout 60 env TERM=xterm python3 "$TOP_SRCDIR/tests/tool-terminal.py" \
    sh -c "'$tool' map '$program' add <'$tmp/input'" >"$tmp/terminal"
  cut -c 1-2000 "$tmp/terminal"
  grep -qF ' lines, ' "$tmp/terminal" && grep -qF '##] 100 %' "$tmp/terminal"
}

for file in "$program" "$library"
do
  name=$(basename "$file")
  check "$name: arguments in order" maps 0 '[1, 2]\n[3, 4]\n[5, 6]\n' '3\n7\n11\n' "" "$file" add
  check "$name: by name, and without a last end" maps 0 '{"b": 1, "a": 2}\n[3, 4]' '3\n7\n' "" "$file" add
  check "$name: one argument as it is" maps 0 '1\n[1]\n' 'true\ntrue\n' "" -j2 "$file" take
done

check "on hosts" maps 0 '[1, 2]\n[3, 4]\n' '3\n7\n' "" --on 'local*1, local*2' "$program" add
check "on hosts, a crash is of its line" maps 1 '[]\n[]\n' - "crash() crashed: SIGSEGV" --on 'local*1' "$program" crash
check "on hosts that are out of reach" maps 2 '[1, 2]\n' '' "/does/not/exist" --on 'exec:/does/not/exist {}' "$program" add
check "hosts and jobs" maps 2 '' '' "--jobs" --on local --jobs 2 "$program" add
check "a log names hosts" maps 0 '[1, 2]\n' '3\n' "" --on 'local*1' --joblog "$tmp/log-of-hosts" "$program" add
check "by their names in the list" grep -qF "$(printf '1\tlocal*1\t')" "$tmp/log-of-hosts"
check "no lines" maps 0 '' '' "" "$program" add
check "empty lines" maps 0 '\n \n[1, 2]\n\n' '3\n' "" "$program" add
check "no arguments" maps 0 '[]\n[]\n' '[]\n[]\n' "" "$program" nothing
check "what the function prints is not in the results" maps 0 '[1, 2]\n' '3\n' "{ constructed }" "$program" add
check "many, in order" many_in_order
check "many, in order, by three" many_in_order -j 3
check "many, unordered" many --unordered
check "line by line" line_by_line
check "lines that fail" \
  maps 1 '["/nowhere"]\nx\n"/"\n' - "procfun: 3 of 3 lines failed" "$program" read_file
check "with their numbers" maps 1 '\n"/nowhere"\n' - "procfun: line 2: Failed to open" "$program" read_file
check "crashes" maps 1 '[]\n[]\n' - "crash() crashed: SIGSEGV" "$program" crash
check "the first error" maps 1 '[1, 2]\nx\n[3, 4]\n' - "procfun: line 2: " --stop-on-error "$program" add
check "a timeout" maps 1 '[]\n' - "block() timed out" --timeout 100ms "$program" block
check "a wrong function" maps 2 '' '' "ad" "$program" ad
check "a generator gives a line for each item, in the order of its lines" \
  maps 0 '[3]\n[2]\n' '1\n2\n3\n1\n2\n' "" "$program" count_up
check "a generator that fails keeps the items before it" \
  maps 1 '[-2]\n[1]\n' - "count_up() crashed" "$program" count_up
check "no limits" maps 2 '' '' "the limits are memory, cpu" --limits "mem=3" "$program" add
for jobs in x "" 50%% 1.5 +50% -
do
  check "no number of processes: “$jobs”" maps 2 '' '' "--jobs: “$jobs”: it is a number" --jobs "$jobs" "$program" add
done
for jobs in 0 50% 200% +1 -1 -99
do
  check "processes by CPUs: “$jobs”" maps 0 '[1, 2]\n' '3\n' "" --jobs "$jobs" "$program" add
  check "the same, in short and in one word" maps 0 '[1, 2]\n' '3\n' "" "-j$jobs" "$program" add
done

# What a failed line is told by begins with “!”, which JSON never does.
check "a line that no result can be" \
  maps 1 'x\n[1, 2]\n' '!{"error":"line 1, column 1: expected a JSON array or object, found “x”","line":1}\n3\n' \
  "" "$program" add

# Input

printf 'text\n' >"$tmp/a text"
printf '%s\n' '[1, 2]' '[3, 4]' >"$tmp/lines"

check "raw lines" maps 1 "$tmp/a text\n/nowhere\n" - "procfun: line 2: Failed to open" -R "$program" read_file
check "raw lines are strings" grep -qxF '"text\n"' "$tmp/stdout"
check "a raw line is JSON where the argument is no string" maps 0 '1\n2\n' '0.5\n1.0\n' "" -R "$program" halve
check "a raw line that is not UTF-8" maps 1 '/\377\n' - "path: this is not UTF-8" -R "$program" read_file
check "raw lines for two arguments" maps 2 '1\n' '' "add() takes 2 arguments: say how they are" -R "$program" add
check "NULs between lines" maps 0 "[1, 2]\\000[3,\n4]" '3\n7\n' "" -0 "$program" add
check "raw lines with NULs, and raw results" maps 0 "$tmp/a text\\000" 'text\n\000' "" -0 -R -r "$program" read_file
check "raw results" maps 0 "$tmp/a text\n" 'text\n\n' "" -R -r "$program" read_file
check "raw results that are no strings" maps 0 '1\n' '0.5\n' "" -r "$program" halve
check "nothing for a line that fails, when results are raw" maps 1 '"/nowhere"\n' '' "line 1" -r "$program" read_file
check "arguments" maps 0 '' '3\n7\n' "" "$program" add ::: '[1, 2]' '[3, 4]'
check "raw arguments" maps 0 '' '"text\\n"\n' "" -R "$program" read_file ::: "$tmp/a text"
check "no arguments after :::" maps 0 '[1, 2]\n' '' "" "$program" add :::
check "a file" maps 0 '' '3\n7\n' "" -a "$tmp/lines" "$program" add
check "a file that is not there" maps 2 '' '' "$tmp/nowhere cannot be read" -a "$tmp/nowhere" "$program" add
check "a file and arguments" maps 2 '' '' "--arg-file" -a "$tmp/lines" "$program" add ::: 1
check "columns" maps 0 '1 ; 2\n3 ; 4\n' '3\n7\n' "" --colsep ' ; ' "$program" add
check "columns between tabs" maps 0 '1\t2\n3\t4\r\n' '3\n7\n' "" --tsv "$program" add
check "CSV" maps 0 '1,"2"\r\n"3",4\n' '3\n7\n' "" --csv "$program" add
check "CSV with what separates in quotes" maps 1 '"/,""\n"\n' - 'Failed to open file “/,"' --csv "$program" read_file
check "columns by name" maps 1 'b,c,a\n"{,}",x,1\n2,x,3\n' - "line 2: b: " --csv --header "$program" add
check "the others of these columns" grep -qx 5 "$tmp/stdout"
check "no such column" maps 2 'a,c\n1,2\n' '' "no column is named “b”" --csv --header "$program" add
check "too few columns" maps 1 '1\n' - "line 1: the number of fields is 1, not 2" --csv "$program" add
check "a quote that is not closed" maps 1 '1,"2\n' - "line 1: a quote is not closed" --csv "$program" add
check "a NUL byte in a field" maps 1 '1\t\0002\n' - "line 1: a NUL byte cannot be in a field" --tsv "$program" add
check "something after a quote" maps 1 '1,"2"3\n' - "after a closing quote" --csv "$program" add
check "columns of two kinds" maps 2 '' '' "only one of them" --csv --tsv "$program" add
check "columns with nothing between them" maps 2 '' '' "--colsep" --colsep '' "$program" add
check "a header without columns" maps 2 '' '' "--header" --header "$program" add

# Output

check "tags" maps 1 '1\nx\n' '1\t0.5\nx\t!{"error":"line 1, column 1: expected a double, found “x”","line":2}\n' \
  "" --tag "$program" halve
check "a dry run" maps 0 '[1, 2]\n{"b": 1, "a": 2}\n' 'add [1,2]\nadd [2,1]\n' "" --dry-run "$program" add
check "a dry run of lines that cannot be read" maps 1 'x\n' - "line 1" --dry-run "$program" add
check "a last line that stays" maps 1 '[1, 2]\nx\n' - "procfun: 2 lines done, 1 failed, in " --eta "$program" add

# Ends before that of the input

# fives STATUS INPUT OUTPUT MESSAGES OPTION…
fives ()
{
  maps "$@" -j 1 "$program" leave ::: '[1]' '[2]' '[3]' '[4]' '[5]'
}

lines_are ()
{
  test "$(wc -l <"$tmp/stdout")" -eq "$1"
}

check "the first failure" fives 1 '' - "leave()" --halt now,fail=1
check "is the last" lines_are 1
check "lines that were not called are not counted" fives 1 '' - "procfun: 1 of 1 lines failed" --halt now,fail=1
check "the second failure" fives 1 '' - "leave()" --halt now,fail=2
check "is the last, too" lines_are 2
check "all that was read has failed" fives 1 '' - "leave()" --halt now,fail=100%
check "and at least three" lines_are 3
check "a failure that ends it soon" fives 1 '' - "leave()" --halt soon,fail=1
check "nothing is taken after it" maps 1 'x\n[1, 2]\n' - "1 of 1" --halt soon,fail=1 "$program" add
check "a success that ends it" maps 0 '[1, 2]\n[3, 4]\n' '3\n' "" --halt now,success=1 "$program" add
check "two that are done" maps 0 '[1, 2]\n[3, 4]\n[5, 6]\n' '3\n7\n' "" --halt now,done=2 "$program" add
check "never" maps 1 'x\n[1, 2]\n' - "1 of 2" --halt never "$program" add
for when in x now now,fail now,fail=0 soon,fail=x% now,fail=101% later,fail=1
do
  check "no end: “$when”" maps 2 '' '' "--halt: “$when”: it is never, or" --halt "$when" "$program" add
done

# Single calls

check "a second try" maps 1 'x\n1\n' - "1 of 2 lines failed" --retries 2 "$program" halve
check "no second try of what may do harm" maps 2 '' '' "add() is not idempotent" --retries 2 "$program" add
check "a negative number of tries" maps 2 '' '' "--retries" --retries -1 "$program" halve
check "no try more" maps 0 '[1, 2]\n' '3\n' "" --retries 0 "$program" add
check "a delay" maps 0 '[1, 2]\n[3, 4]\n' '3\n7\n' "" --delay 100ms "$program" add
check "enough memory" maps 0 '[1, 2]\n' '3\n' "" --memfree 1M "$program" add
check "no time" maps 2 '' '' "--delay: “x”: a time" --delay x "$program" add
check "no size" maps 2 '' '' "--memfree: “x”: a size" --memfree x "$program" add

tries_again ()
{
  rm -f "$tmp/tried"
  maps 0 "$tmp/tried\n" 'true\n' "" -R --retries 1 "$program" exists_at_last
}

needs_memory ()
{
  echo '[1, 2]' | timeout 1 "$tool" map --memfree 1000000G "$program" add >"$tmp/stdout"
  test $? = 124 && test ! -s "$tmp/stdout"
}

logs ()
{
  maps 1 '[1, 2]\n\nx\n[3, 4]\n' - "1 of 3" --joblog "$tmp/log" "$program" add || return 1
  cat "$tmp/log"
  head -n 1 "$tmp/log" | grep -q "^Seq	Host	Starttime	JobRuntime	Send	Receive	Exitval	Signal	Command$" || return 1
  test "$(cut -f 1,7,8,9 "$tmp/log" | tail -n +2 | tr '\t' ' ')" = "1 0 0 add [1, 2]
3 2 0 add x
4 0 0 add [3, 4]" || return 1
  maps 0 '[1, 2]\n\nx\n[3, 4]\n[5, 6]\n' '11\n' "" --joblog "$tmp/log" --resume "$program" add || return 1
  maps 0 '[1, 2]\n\n[7, 8]\n[3, 4]\n[5, 6]\n' '15\n' "" --joblog "$tmp/log" --resume-failed "$program" add || return 1
  maps 0 '[1, 2]\n\n[7, 8]\n[3, 4]\n[5, 6]\n' '' "" --joblog "$tmp/log" --resume-failed "$program" add || return 1
  maps 0 '[1, 2]\n' '3\n' "" --joblog "$tmp/log" "$program" add && test "$(wc -l <"$tmp/log")" = 2
}

logs_crashes ()
{
  maps 1 '[]\n' - "SIGSEGV" --joblog "$tmp/log" "$program" crash && cut -f 7,8 "$tmp/log" | grep -qx "3	11"
}

keeps_results ()
{
  maps 1 '[1, 2]\nx\n' - "1 of 2" --results "$tmp/results/of add" "$program" add || return 1
  cd "$tmp/results/of add" || return 1
  test "$(cat 1/stdout)" = 3 && test ! -s 1/stderr && test ! -s 2/stdout && grep -q "expected a" 2/stderr
}

check "a call that succeeds at the second try" tries_again
check "no call starts without memory" needs_memory
check "a log, and what is left of it" logs
check "a log of crashes" logs_crashes
check "a log that is none" maps 2 '' '' "is no log of --joblog" --joblog "$tmp/lines" --resume "$program" add
check "a log that cannot be written" maps 2 '' '' "/nowhere/log cannot be written" --joblog /nowhere/log "$program" add
check "to go on without a log" maps 2 '' '' "--resume" --resume "$program" add
check "results in files" keeps_results
check "results in files where none can be" maps 2 '[1, 2]\n' - "procfun: " --results /proc/nowhere "$program" add

# Output that nobody can have is an error.
loses_no_output ()
{
  for input in '[1, 2]\n' "$(seq 1 5000 | sed 's/.*/[&, 1]\\n/' | tr -d '\n')"
  do
    printf "$input" | timeout 60 "$tool" map "$program" add >/dev/full 2>"$tmp/stderr"
    test $? = 2 && grep -q "stdout cannot be written" "$tmp/stderr" || { cat "$tmp/stderr"; return 1; }
    printf "$input" | timeout 60 "$tool" map "$program" add >&- 2>"$tmp/stderr"
    test $? = 2 && grep -q "stdout cannot be written" "$tmp/stderr" || { cat "$tmp/stderr"; return 1; }
  done
}

reads_a_directory ()
{
  timeout 60 "$tool" map "$program" add </ >"$tmp/stdout" 2>"$tmp/stderr"
  test $? = 2 && grep -q "stdin cannot be read" "$tmp/stderr"
}

reads_closed_stdin ()
{
  timeout 60 "$tool" map "$program" add <&- >"$tmp/stdout" 2>"$tmp/stderr"
  test $? = 2 && grep -q "stdin cannot be read" "$tmp/stderr" || return 1
  timeout 60 "$tool" call "$program" add - <&- >"$tmp/stdout" 2>"$tmp/stderr"
  test $? = 2 && grep -q "stdin cannot be read" "$tmp/stderr"
}

# interrupted SIGNAL STATUS OPTION…
interrupted ()
{
  signal=$1 status=$2
  shift 2
  timeout 60 python3 "$TOP_SRCDIR/tests/tool-interrupt.py" "$signal" "$tool" map "$@" "$program" block ::: '[]' \
    >"$tmp/interrupted"
  result=$?
  cat "$tmp/interrupted"
  test "$result" = 0 && grep -qx "status $status" "$tmp/interrupted"
}

loses_no_output_of_calls ()
{
  timeout 60 "$tool" map "$program" count_up ::: '[3]' >/dev/full 2>"$tmp/stderr"
  test $? = 2 && grep -q "stdout cannot be written" "$tmp/stderr"
}

# In linear time: quadratic would take minutes.
long_line ()
{
  { printf '"/'; head -c 30000000 /dev/zero | tr '\0' x; printf '"\n'; } |
    timeout 60 "$tool" map "$program" read_file >"$tmp/stdout" 2>/dev/null
  test $? = 1
}

check "output to a full or closed file is not lost" loses_no_output
check "nor are the items of generators" loses_no_output_of_calls
check "Ctrl-C ends it" interrupted SIGINT 130
check "SIGTERM ends single calls" interrupted SIGTERM 143 --retries 0 --joblog "$tmp/log"
check "a read error is not the end of the input" reads_a_directory
check "nor is a closed stdin empty" reads_closed_stdin
check "a long line" long_line
check "why the only argument cannot be read" maps 1 'x\n' - 'procfun: line 1: ' "$program" take
check "a progress bar on a terminal" has_bar

if test "$SANITIZERS" = no
then
  check "too little memory" maps 1 '[1]\n[200]\n[1]\n' - "procfun: 1 of 3 lines failed" --memory 50M "$program" take
else
  skip "too little memory" "sanitizers need much"
fi

done_testing
