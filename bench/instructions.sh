# SPDX-License-Identifier: LGPL-2.1-or-later
# instructions.sh BUILD [CONTENDER…]: how many instructions the caller executes for one call by these contenders of
# bench-calls. They are run under callgrind with two counts of calls, and the difference is divided, so that the start
# and the end of the program do not count; nor do other processes.

set -eu
build=$1
shift
test $# -gt 0 || set -- spawner fork-server pool pool-async
few=${FEW:-20}
many=${MANY:-220}

valgrind --version >/dev/null 2>&1 || { echo "valgrind is not installed"; exit 0; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# count CONTENDER CALLS
count ()
{
  echo "warm $2" | valgrind --tool=callgrind --trace-children=no --callgrind-out-file="$tmp/out.%p" \
    --log-file="$tmp/log.%p" "$build/bench-calls" "$1" >/dev/null
  # The program's own, and not that of a process that it forked.
  sed -nE 's/^.*Collected *: *([0-9]+).*/\1/p' "$tmp"/log.* | sort -n | tail -n 1
  rm -f "$tmp"/*
}

for contender in "$@"
do
  fewer=$(count "$contender" "$few")
  more=$(count "$contender" "$many")
  printf '%-24s %10d instructions a call\n' "$contender" $(((more - fewer) / (many - few)))
done
