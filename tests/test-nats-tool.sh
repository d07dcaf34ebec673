# SPDX-License-Identifier: LGPL-2.1-or-later
# The tool with a NATS server of the test's own, on the loopback and with a store that goes away with the test.

. "$TOP_SRCDIR/tests/tap.sh"

tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/tool-program
library=$TOP_BUILDDIR/tests/.libs/tool-library.so
PROCFUN_ENGINES=${PROCFUN_ENGINES-$TOP_BUILDDIR/engines/nats/.libs}
# The tool has the library in itself, and the module finds another one beside it only where both are installed.
export PROCFUN_ENGINES LD_LIBRARY_PATH="$TOP_BUILDDIR/procfun/.libs:$LD_LIBRARY_PATH"
server=$(command -v nats-server || echo /usr/sbin/nats-server)
started=

if ! test -x "$server" || ! test -f "$PROCFUN_ENGINES/libprocfun-nats.so"
then
  skip "a pool is made" "nats-server or the module for it is missing"
  done_testing
  exit
fi

# end: what the test has started, by its number.
end ()
{
  for pid in $started
  do
    kill -9 "$pid"
    wait "$pid"
  done 2>/dev/null
  rm -rf "$tmp"
}
trap end EXIT

# until_true COMMAND…: at most a minute.
until_true ()
{
  for _ in $(seq 600)
  do
    "$@" && return
    sleep 0.1
  done
  return 1
}

# prints OUTPUT COMMAND…: it succeeds, and prints just this.
prints ()
{
  expected=$1
  shift
  timeout 60 "$@" >"$tmp/stdout" || return 1
  cat "$tmp/stdout"
  test "$(cat "$tmp/stdout")" = "$expected"
}

# fails WORDS COMMAND…: it fails, and says why.
fails ()
{
  words=$1
  shift
  timeout 60 "$@" >"$tmp/words" 2>&1 && return 1
  cat "$tmp/words"
  grep -qF -e "$words" "$tmp/words"
}

ports ()
{
  test -s "$(echo "$tmp"/nats-server_*.ports)" && port=$(grep -o '[0-9]*"]' "$tmp"/nats-server_*.ports | tr -d '"]')
}

# Of root it is nobody's.
as_nobody=
test "$(id -u)" = 0 && command -v setpriv >/dev/null && chown 65534:65534 "$tmp" 2>/dev/null &&
  as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
# shellcheck disable=SC2086
$as_nobody "$server" -a 127.0.0.1 -p -1 -js -sd "$tmp/store" --ports_file_dir "$tmp" -l "$tmp/log" &
started="$started $!"
until_true ports || exit 1
pool=nats://127.0.0.1:$port/tool

check "no pool is there" fails "procfun engine setup" "$tool" hosts "$pool" "$program"
check "a pool is made" prints "" "$tool" engine setup "$pool"
check "it is made again" prints "" "$tool" engine setup "$pool?lease=20"
check "there is no other word" fails "“undo”" "$tool" engine undo "$pool"
check "there is no such engine" fails "no engine is there" "$tool" engine setup nowhere://broker/pool

"$tool" worker --slots 2 "$pool" "$program" 2>"$tmp/worker" &
host=$!
started="$started $host"
up () { timeout 60 "$tool" hosts --json "$pool" "$program" >"$tmp/hosts" && cat "$tmp/hosts" && grep -q '"up" *: *true' "$tmp/hosts"; }
check "the host can be reached" up
has_all () { grep -q '"slots" *: *2' "$tmp/hosts" && grep -q '"missing" *: *\[ *\]' "$tmp/hosts"; }
check "it says what it is" has_all
check "a call" prints 5 "$tool" call --on "$pool" "$program" add '[2, 3]'
printf '[1,2]\n[3,4]\n[5,6]\n' >"$tmp/lines"
check "a map" prints "$(printf '3\n7\n11')" "$tool" map --on "$pool" --arg-file "$tmp/lines" "$program" add
check "a program that is told where to call" env PROCFUN_EXECUTOR="$pool" timeout 60 "$tool" call "$program" add '[2, 3]'

"$tool" engine setup "$pool-2" || exit 1
"$tool" worker --slots 2 "$pool-2" "$program" 2>"$tmp/worker-2" &
started="$started $!"
seq -f '[%.0f,1]' 200 >"$tmp/lines"
check "a map over two pools" prints "$(seq 2 201)" "$tool" map --on "$pool,$pool-2" --arg-file "$tmp/lines" "$program" add

ends_in_order () { kill "$host" && wait "$host"; }
check "the host ends in order" ends_in_order

"$tool" engine setup "nats://127.0.0.1:$port/library" || exit 1
"$tool" worker --slots 1 "nats://127.0.0.1:$port/library" "$library" 2>"$tmp/worker" &
started="$started $!"
check "a host of a library" prints 5 "$tool" call --on "nats://127.0.0.1:$port/library" "$library" add '[2, 3]'

done_testing
