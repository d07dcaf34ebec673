# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by test scripts that start an sshd of their own: with its own keys, and ended by its number.

PATH=$PATH:/usr/sbin

# make_sshd_room: what root's sshd wants, a user and a folder of its own, in this mount namespace.
make_sshd_room ()
{
  { cat /etc/passwd && echo 'sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin'; } >"$tmp/passwd" &&
    mount --bind "$tmp/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd
}

make_sshd_keys ()
{
  ssh-keygen -q -t ed25519 -N '' -f "$tmp/host" && ssh-keygen -q -t ed25519 -N '' -f "$tmp/key" &&
    cp "$tmp/key.pub" "$tmp/authorized"
}

# start_sshd ADDRESS PORT [COMMAND…]: by COMMAND, if there is one; its number is $server. What it starts has the options of
# sanitizers that this test has.
start_sshd ()
{
  address=$1
  port=$2
  shift 2
  "$@" "$(command -v sshd)" -D -f /dev/null -h "$tmp/host" -o ListenAddress="$address" -o Port="$port" -o PidFile=none \
    -o StrictModes=no -o UsePAM=no -o AuthorizedKeysFile="$tmp/authorized" -o PermitRootLogin=yes ${SSHD_OPTIONS-} \
    -o SetEnv="\"ASAN_OPTIONS=${ASAN_OPTIONS-}\" \"UBSAN_OPTIONS=${UBSAN_OPTIONS-}\" \"TSAN_OPTIONS=${TSAN_OPTIONS-}\"" -E "$tmp/log-$address" &
  server=$!
  echo "[$address]:$port $(cat "$tmp/host.pub")" >>"$tmp/known"
  for _ in $(seq 100)
  do
    grep -q 'Server listening' "$tmp/log-$address" 2>/dev/null && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  kill "$server" 2>/dev/null
  server=
  return 1
}

# ssh_command ADDRESS PORT KNOWN: the words that log in there, with the hosts that are known.
ssh_command ()
{
  echo "ssh -F /dev/null -T -o BatchMode=yes -S none -o UserKnownHostsFile=$3 -o IdentitiesOnly=yes -i $tmp/key -p $2 $(id -un)@$1"
}
