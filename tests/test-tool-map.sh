# SPDX-License-Identifier: LGPL-2.1-or-later
# procfun map: a line of JSON in, a line of JSON out.

. "$TOP_SRCDIR/tests/tap.sh"

tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/tool-program
library=$TOP_BUILDDIR/tests/.libs/tool-library.so

# Sanitizers would make an exit of a crash.
for options in ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
do
  eval "export $options=\"\$$options:handle_segv=0\""
done
# GLib's thread for processes has locks that the thread sanitizer does not see.
export TSAN_OPTIONS="$TSAN_OPTIONS:ignore_noninstrumented_modules=1"
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
check "a generator" maps 2 '[1]\n' '' "count_up() is a generator" "$program" count_up
check "no limits" maps 2 '' '' "the limits are memory, cpu" --limits "mem=3" "$program" add
check "no processes" maps 2 '' '' "--jobs" --jobs -1 "$program" add

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

# In linear time: quadratic would take minutes.
long_line ()
{
  { printf '"/'; head -c 30000000 /dev/zero | tr '\0' x; printf '"\n'; } |
    timeout 60 "$tool" map "$program" read_file >"$tmp/stdout" 2>/dev/null
  test $? = 1
}

check "output to a full or closed file is not lost" loses_no_output
check "a read error is not the end of the input" reads_a_directory
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
