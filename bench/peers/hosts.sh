# SPDX-License-Identifier: LGPL-2.1-or-later
# Calls of a millisecond on two hosts over ssh, a map of them, and one of sums: procfun, GNU parallel and
# dask.distributed side by side. Both hosts are this machine, behind an sshd of this script's own; each has 16 slots.
# hosts.sh BENCH_PEERS [CALLS]

if test "$(id -u)" = 0 && test "${INSIDE-}" = "" && unshare -m true 2>/dev/null
then
  exec env INSIDE=yes unshare -m sh "$0" "$@"
fi

bench=$1
calls=${2-10000}
source=$(cd "$(dirname "$0")/../.." && pwd)
slots=16
# Each job of parallel is a login: a small part of them tells.
few=$((calls / 500))
. "$source/tests/tap.sh"
. "$source/tests/sshd.sh"

test "${INSIDE-}" = "" || make_sshd_room || exit 1
SSHD_OPTIONS="-o MaxStartups=1000" # or parallel would be refused
make_sshd_keys || exit 1
for port in $(shuf -i 20000-30000 -n 5)
do
  start_sshd 127.0.0.1 "$port" && break
done
test -n "$server" || exit 1
trap 'kill "$server"; rm -rf "$tmp"' EXIT
login=$(ssh_command 127.0.0.1 "$port" "$tmp/known")

# say NAME CALLS: what it printed, as calls in a second.
say ()
{
  while read -r what seconds
  do
    case $what in sums | arrays) factor=100 ;; *) factor=1 ;; esac
    awk -v name="$1" -v what="$what" -v n=$(($2 * factor)) -v s="$seconds" \
      'BEGIN { printf "%-20s %-6s %7d in %8.2f s: %9.0f a second\n", name, what, n, s, n / s }'
  done
}

libraries=$(dirname "$bench")/../procfun/.libs
host="exec:$login env LD_LIBRARY_PATH=$libraries {}*$slots"
"$bench" "$host, $host" "$calls" | say procfun "$calls"

if command -v parallel >/dev/null
then
  seq "$few" >"$tmp/few"
  begin=$(date +%s%N)
  parallel --will-cite --sshloginfile - -j "$slots" "sleep 0.001; echo {}" :::: "$tmp/few" <<END >"$tmp/answers" 2>"$tmp/words"
$login
1:$login
END
  end=$(date +%s%N)
  test "$(wc -l <"$tmp/answers")" = "$few" || cat "$tmp/words"
  echo "calls $(awk -v t=$((end - begin)) 'BEGIN { print t / 1e9 }')" | say "GNU parallel" "$few"
else
  echo "GNU parallel is not installed (parallel)"
fi

if /usr/bin/python3 -c 'import distributed' 2>/dev/null
then
  /usr/bin/python3 -B "$source/bench/peers/dask_hosts.py" "$calls" "$slots" "$login" "$login" 2>"$tmp/words" | say dask.distributed "$calls"
else
  echo "dask.distributed is not installed (python3-distributed)"
fi

command -v Rscript >/dev/null && Rscript --vanilla -e 'library (mirai)' >/dev/null 2>&1 || echo "mirai is not installed; Debian has no package of it"
