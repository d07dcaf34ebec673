# SPDX-License-Identifier: LGPL-2.1-or-later
# Two hosts, each in a network namespace of its own and behind an sshd: links that are cut, hosts, callers and an ssh that
# are killed or frozen, how long it takes until that is told, and the example with images, during which one host is killed.
# It is skipped where such rooms, or an sshd in them, cannot be had.

if test "$1" != inside
then
  for rights in '' -Ur
  do
    # shellcheck disable=SC2086
    unshare $rights -m -n -p -f --kill-child --mount-proc true 2>/dev/null &&
      exec unshare $rights -m -n -p -f --kill-child --mount-proc sh "$0" inside
  done
fi

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/sshd.sh"

example=$TOP_BUILDDIR/examples/image-info
tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/tool-program
caller=$TOP_BUILDDIR/tests/room-caller
n_images=400

# One bridge, with this machine at its end, and a room behind each other end.
make_rooms ()
{
  test "$1" = inside && make_sshd_room && mkdir /run/netns || return 1
  ip link set lo up && ip link add br0 type bridge && ip link set br0 up && ip addr add 10.77.0.1/24 dev br0 || return 1
  for n in 2 3
  do
    ip netns add "room$n" && ip link add "end$n" type veth peer name eth0 netns "room$n" &&
      ip link set "end$n" master br0 && ip link set "end$n" up && ip -n "room$n" addr add "10.77.0.$n/24" dev eth0 &&
      ip -n "room$n" link set eth0 up && ip -n "room$n" link set lo up || return 1
  done
}

start_servers ()
{
  make_sshd_keys || return 1
  for n in 2 3
  do
    # shellcheck disable=SC2046
    start_sshd "10.77.0.$n" 2222 ip netns exec "room$n" && timeout 60 $(ssh_command "10.77.0.$n" 2222 "$tmp/known") true ||
      return 1
  done
}

# host N [SLOTS]: its words in a list. The example of a build finds its library by the environment.
host () { echo "exec:$(ssh_command "10.77.0.$1" 2222 "$tmp/known") env LD_LIBRARY_PATH=$TOP_BUILDDIR/procfun/.libs {}*${2-1}"; }

make_images ()
{
  mkdir "$tmp/images" && { printf 'P6 600 600 255 ' && head -c 1080000 /dev/zero; } >"$tmp/images/1.ppm" || return 1
  for n in $(seq 2 $n_images)
  do
    ln "$tmp/images/1.ppm" "$tmp/images/$n.ppm" || return 1
  done
}

# until_true COMMAND…: at most a minute.
until_true ()
{
  for _ in $(seq 1200)
  do
    "$@" && return 0
    sleep 0.05
  done
  return 1
}

count_processes () { ip netns pids "$1" | wc -l; }

count_hosts () { ps -o args= -p "$(ip netns pids "$1" | paste -sd, -)" | grep -c -e --procfun-host; }

has_no_host () { test "$(count_hosts "$1")" = 0; }

# loses COMMAND…: what it does to a host in the third room fails a call there, and ends what it had started.
loses ()
{
  rm -f "$tmp/stderr"
  timeout 100 "$tool" call --on "$(host 3)" "$program" block >"$tmp/stdout" 2>"$tmp/stderr" &
  call=$!
  until_true grep -q '^blocked in' "$tmp/stderr" && "$@" || return 1
  wait $call
  cat "$tmp/stdout" "$tmp/stderr"
  grep -qF "block() lost its host" "$tmp/stderr" && until_true has_no_host room3
}

# The hosts in the third room, as a command.
make_signal_host ()
{
  cat >"$tmp/signal-host" <<'END'
#!/bin/sh
pids=$(ps -o pid=,args= -p "$(ip netns pids room3 | paste -sd, -)" | sed -n '/--procfun-host/s/^ *\([0-9]*\) .*/\1/p')
test -n "$pids" && kill "-$1" $pids
END
  chmod +x "$tmp/signal-host"
}

# With heartbeats that an end of file need not wait for; and with short ones.
never=3600000
short=500

# is_told HEARTBEAT COMMAND…: what it does to a host in the third room fails both calls in its slots, while others wait.
is_told ()
{
  heartbeat=$1
  shift
  timeout 100 "$caller" "$(host 3 2)" "$heartbeat" 2 "$@" >"$tmp/told"
  cat "$tmp/told"
  grep -q '^all lost after' "$tmp/told"
}

milliseconds () { echo $(($(date +%s%N) / 1000000)); }

# empties COMMAND…: after that no host is left in the third room.
empties ()
{
  "$@" || return 1
  begin=$(milliseconds)
  for _ in $(seq 6000)
  do
    has_no_host room3 && echo "empty after $(($(milliseconds) - begin)) ms" >>"$tmp/told" && return 0
    sleep 0.01
  done
  return 1
}

# start_caller HEARTBEAT: with calls in the third room.
start_caller ()
{
  rm -f "$tmp/told"
  "$caller" "$(host 3 2)" "$1" 2 >"$tmp/told" &
  lone=$!
  until_true grep -q '^busy' "$tmp/told"
}

kill_caller () { kill -9 $lone; }

cut_and_kill_caller () { ip -n room3 link set eth0 down && kill_caller; }

survives_its_caller ()
{
  start_caller "$1" && empties "$2"
  result=$?
  cat "$tmp/told"
  wait $lone 2>/dev/null
  return $result
}

# How long the last check took, for who reads it: a busy machine may take any time.
say_times () { sed 's/^/# /' "$tmp/told"; }

mend_link () { ip -n room3 link set eth0 up; }

is_empty_after_thaw () { is_told $short "$tmp/signal-host" STOP && empties "$tmp/signal-host" CONT; }

is_empty_after_cut () { is_told $short ip -n room3 link set eth0 down && empties true; }

# keeps_deadlines SECONDS: on a host whose clock is so much ahead of the caller's, or behind it.
keeps_deadlines ()
{
  list="exec:unshare -T --monotonic $1 -f {}"
  timeout 100 "$tool" call -d 60s --on "$list" "$program" add '[2, 3]' >"$tmp/stdout" 2>"$tmp/stderr"
  cat "$tmp/stdout" "$tmp/stderr"
  test "$(cat "$tmp/stdout")" = 5 || return 1
  timeout 100 "$tool" call -d 500ms --on "$list" "$program" block >"$tmp/stdout" 2>"$tmp/stderr"
  cat "$tmp/stderr"
  grep -q deadline "$tmp/stderr"
}

kill_ssh () { kill -9 "$(pgrep -x ssh)"; }

answers_again ()
{
  ip -n room3 link set eth0 up && test "$(timeout 60 "$tool" call --on "$(host 3)" "$program" add '[2, 3]')" = 5
}

# The table is written by some thousand bytes. The host that is killed has more than its sshd.
survives_a_host ()
{
  make_images || return 1
  seq -f "$tmp/images/%.0f.ppm" $n_images >"$tmp/paths"
  PROCFUN_EXECUTOR="$(host 2), $(host 3)" timeout 120 xargs -n $n_images "$example" <"$tmp/paths" >"$tmp/table" 2>"$tmp/messages" &
  until_true test -s "$tmp/table" && test "$(count_processes room2)" -gt 2 || return 1
  test "$(wc -l <"$tmp/table")" -lt $n_images || return 1
  # shellcheck disable=SC2046
  kill -9 $(ip netns pids room2)
  wait $!
  result=$?
  tail -n 3 "$tmp/table"
  cat "$tmp/messages"
  sed -n 's/^ *600 × 600 *#000000  //p' "$tmp/table" >"$tmp/answered"
  test "$result" = 0 && cmp "$tmp/paths" "$tmp/answered"
}

if command -v ip >/dev/null && command -v sshd >/dev/null && command -v ssh >/dev/null && command -v ssh-keygen >/dev/null &&
  make_rooms "$1" >/dev/null 2>&1 && start_servers >/dev/null 2>&1
then
  if unshare -T --monotonic 3600 -f true 2>/dev/null
  then
    check "deadlines hold where clocks differ by an hour" keeps_deadlines 3600
    # No clock is before the start of the machine.
    if unshare -T --monotonic -3600 -f true 2>/dev/null
    then
      check "deadlines hold where the clock of a host is behind" keeps_deadlines -3600
    else
      skip "deadlines hold where the clock of a host is behind" "the machine was started less than an hour ago"
    fi
  else
    skip "deadlines hold where clocks differ by an hour" "there are no time namespaces"
  fi
  check "a killed ssh loses its host" loses kill_ssh
  check "a link that is cut loses its host" loses ip -n room3 link set eth0 down
  check "a link that is there again is used" answers_again
  make_signal_host
  check "a killed host is told without a heartbeat, though all slots are busy" is_told $never "$tmp/signal-host" KILL
  say_times
  check "a killed ssh is told without a heartbeat" is_told $never sh -c 'kill -9 $(pgrep -x ssh)'
  say_times
  check "a frozen host is told, and ends its calls when it is thawed" is_empty_after_thaw
  say_times
  check "a host whose link is cut is told, and ends its calls by itself" is_empty_after_cut
  say_times
  mend_link
  check "hosts of a killed caller end without a heartbeat" survives_its_caller $never kill_caller
  say_times
  check "hosts of a killed caller end though the link is cut" survives_its_caller $short cut_and_kill_caller
  say_times
  mend_link
  if test -x "$example"
  then
    check "each image is answered once though a host is killed" survives_a_host
  else
    skip "each image is answered once though a host is killed" "gdk-pixbuf-2.0 is not installed"
  fi
  check "nothing is left on the other host" until_true has_no_host room3
else
  skip "hosts in rooms of their own" "there are no network namespaces, or no sshd that can be logged in to"
fi
done_testing
