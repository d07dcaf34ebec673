# SPDX-License-Identifier: LGPL-2.1-or-later
# Functions of libraries that a program is linked with or loads: run by procfun-worker, each its own.

. "$TOP_SRCDIR/tests/tap.sh"
sources=$TOP_SRCDIR/tests/link

# compile SOURCE OUTPUT OPTION…
compile ()
{
  source=$1 output=$2
  shift 2
  # shellcheck disable=SC2086
  $CC $CFLAGS $LDFLAGS $PROCFUN_CFLAGS -Wall -Werror "$sources/$source.c" -o "$tmp/$output" "$@" $PROCFUN_LIBS
}

# plugin OUTPUT OPTION…
plugin ()
{
  output=$1
  shift
  compile plugin "$output" -fPIC -shared "$@"
}

build_all ()
{
  plugin one.so '-DNAME="one"' &&
    plugin two.so '-DNAME="two"' &&
    plugin unnamed-one.so '-DNAME="one"' -Wl,--build-id=none &&
    plugin unnamed-two.so '-DNAME="two"' -Wl,--build-id=none &&
    plugin needy.so '-DNAME="needy"' -DNEEDS_HOST &&
    echo 'int nothing;' >"$tmp/empty.c" &&
    $CC -fPIC -shared "$tmp/empty.c" -o "$tmp/empty.so" &&
    echo garbage >"$tmp/garbage.so" &&
    compile loader loader -rdynamic &&
    compile loader loader-who -DWHO &&
    compile loader linked -Wl,--no-as-needed "-Wl,-rpath,$tmp" "$tmp/one.so" &&
    mkdir "$tmp/inner" && cp "$tmp/one.so" "$tmp/inner"
}

# prints TEXT PROGRAM STEP…: in $tmp, all of the output is TEXT, where * stands for anything.
prints ()
{
  expected=$1
  shift
  output=$(cd "$tmp" && timeout 60 "$@")
  echo "$output"
  # shellcheck disable=SC2254
  case $output in
    $expected) ;;
    *) return 1 ;;
  esac
}

# replaced LIBRARY WITH TEXT: what a call gives whose library is not what it was.
replaced ()
{
  cp "$tmp/$1" "$tmp/replaced.so"
  prints "$3" ./loader load=./replaced.so "shell=$2" call=who
}

# The zygote has loaded it before.
replaced_later ()
{
  cp "$tmp/one.so" "$tmp/replaced.so"
  prints "'one'
$2" env "PROCFUN_EXECUTOR=$1" ./loader load=./replaced.so call=who \
    "shell=cp --remove-destination two.so replaced.so" call=who
}

# Then only the file tells one from the other, as it was when the function was first looked at.
replaced_without_build_id ()
{
  cp "$tmp/unnamed-one.so" "$tmp/replaced.so"
  prints "'one'
mismatch: who()*replaced*" env PROCFUN_EXECUTOR=spawn ./loader load=./replaced.so call=who \
    "shell=cp --remove-destination unnamed-two.so replaced.so" call=who
}

check "building" build_all
check "a program that is linked with a library" prints "'one'" ./linked call=who
check "a plugin, found in the registry" prints "'one'" ./loader load=./one.so call=who
check "a plugin, by its own wrapper" prints "one" ./loader load=./one.so wrapper=who_process
check "plugins and program with the same function" prints "'the program'
'one'
'two'" ./loader-who load=./one.so load=./two.so call=who
check "plugins that have a process each that forks" prints "true
true" ./loader load=./one.so load=./two.so call=is_forked
check "a plugin that needs a symbol of its program names it" prints "not-found: *symbol_of_host*" \
  ./loader load=./needy.so call=needs_host
check "a plugin that was unloaded is forgotten" prints "'one'
no who" ./loader load=./one.so call=who unload= call=who
check "a plugin that was unloaded and loaded again" prints "'one'
'one'" ./loader load=./one.so call=who unload= load=./one.so call=who
check "a function that is kept longer than its plugin" prints "not-found: *unloaded*" \
  ./loader load=./one.so keep=who unload= kept=
check "a plugin that was loaded by a relative name" prints "'one'" ./loader cd=inner load=./one.so cd=/ call=who
check "another build" replaced one.so "cp --remove-destination two.so replaced.so" "mismatch: who()*replaced*"
check "another build, without a build-id" replaced_without_build_id
check "another build, after a call, with an executed process" replaced_later spawn "mismatch: who()*replaced*"
check "another build, after a call, with a forked process" replaced_later fork "'one'"
check "another build that was loaded again" prints "'one'
'two'" ./loader "shell=cp one.so again.so" load=./again.so call=who unload= \
  "shell=cp --remove-destination two.so again.so" load=./again.so call=who
check "another library" replaced one.so "cp --remove-destination empty.so replaced.so" "not-found: *who()*"
check "garbage" replaced one.so "cp --remove-destination garbage.so replaced.so" "not-found: who()*replaced.so*"
check "nothing" replaced one.so "rm replaced.so" "not-found: who()*replaced.so*"
check "a file of the same build" replaced one.so "cp --remove-destination one.so replaced.so" "'one'"
check "no worker" prints "spawn: who()*/nowhere*" env PROCFUN_WORKER=/nowhere ./loader load=./one.so call=who
done_testing
