# SPDX-License-Identifier: LGPL-2.1-or-later
# Hosts behind an sshd of this test's own: with its own key and port, on the loopback alone, and ended by its number.
# It is skipped where sshd is missing, or cannot be started by this user.

# Root's sshd wants a user and a folder of its own, which it gets in a mount namespace.
if test "$(id -u)" = 0 && test "$1" != inside && unshare -m true 2>/dev/null
then
  exec unshare -m sh "$0" inside
fi

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/sshd.sh"

tool=$TOP_BUILDDIR/tools/procfun
program=$TOP_BUILDDIR/tests/tool-program
server=

make_room () { test "$1" != inside || make_sshd_room; }

# Tries some ports: others may have taken one.
start_server ()
{
  make_sshd_keys || return 1
  for port in $(shuf -i 20000-30000 -n 5)
  do
    start_sshd 127.0.0.1 "$port" && return 0
  done
  return 1
}

# host KNOWN [WORDS]: its words in a list, with WORDS before the command of the program.
host () { printf '%s\n' "exec:$(ssh_command 127.0.0.1 "$port" "$1") ${2-} {}"; }

can_log_in ()
{
  # shellcheck disable=SC2046
  timeout 60 $(ssh_command 127.0.0.1 "$port" "$tmp/known") true
}

prints ()
{
  expected=$1
  shift
  timeout 60 "$@" >"$tmp/stdout" 2>"$tmp/stderr"
  cat "$tmp/stdout" "$tmp/stderr"
  test "$(cat "$tmp/stdout")" = "$expected"
}

fails_with ()
{
  expected=$1
  shift
  timeout 60 "$@" >"$tmp/stdout" 2>"$tmp/stderr" && return 1
  cat "$tmp/stdout" "$tmp/stderr"
  grep -qF -e "$expected" "$tmp/stdout" "$tmp/stderr"
}

maps () { printf '[1, 2]\n[3, 4]\n' | prints "$(printf '3\n7')" "$tool" map --on "$(host "$tmp/known")*2" "$program" add; }

is_up () { timeout 60 "$tool" hosts --json --timeout 50 "$(host "$tmp/known")*2" "$program" | grep -qF '"up" : true'; }

# Hosts end when their connection does.
leaves_nothing ()
{
  for _ in $(seq 100)
  do
    pgrep -f -- "$program --procfun-host" >/dev/null || return 0
    sleep 0.1
  done
  return 1
}

if command -v sshd >/dev/null && command -v ssh >/dev/null && command -v ssh-keygen >/dev/null &&
  make_room "$1" 2>/dev/null && start_server && can_log_in >/dev/null 2>&1
then
  check "a call over ssh" prints 5 "$tool" call --on "$(host "$tmp/known")*2" "$program" add '[2, 3]'
  check "a map over ssh" maps
  check "a crash over ssh is reported whole" \
    fails_with "crash() crashed: SIGSEGV" "$tool" call --on "$(host "$tmp/known")*1" "$program" crash
  check "a host that is up" is_up
  check "a host whose key is not known" \
    fails_with "Host key verification failed" "$tool" hosts "$(host "$tmp/nowhere")" "$program"
  ssh-keygen -q -t ed25519 -N '' -f "$tmp/other"
  check "a login that is refused" \
    fails_with "Permission denied" "$tool" call --on "$(host "$tmp/known" | sed "s#$tmp/key#$tmp/other#")" "$program" add '[2, 3]'
  check "a program that is not there" \
    fails_with "/nowhere/program" "$tool" call --on "$(host "$tmp/known" /nowhere/program)" "$program" add '[2, 3]'
  check "a shell that talks" prints 5 "$tool" call --on "$(host "$tmp/known" 'echo Welcome\;')" "$program" add '[2, 3]'
  check "nothing is left on the host" leaves_nothing
else
  skip "calls over ssh" "there is no sshd, or it cannot be started or logged in to here"
fi
test -z "$server" || kill "$server"
done_testing
