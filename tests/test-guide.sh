# SPDX-License-Identifier: LGPL-2.1-or-later
# The README and the guide are right: their files are written, their commands are executed, and print what is there.
# The name of a file stands in its first line.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

# Files go into $tmp/files; the command of screen number n into $tmp/n.command, what it should print into
# $tmp/n.expected.
mkdir "$tmp/files" "$tmp/bin" "$tmp/pkgconfig"
cd "$tmp/files" || exit 1
chapters=$(sed -nE 's|.*href="xml/(guide-[a-z]+\.xml)".*|\1|p' "$TOP_SRCDIR/docs/procfun-docs.xml")
# The README in the form of the guide.
sed -e 's|^```c$|<programlisting language="C"><![CDATA[/* first.c */|' -e 's|^```python$|<programlisting><![CDATA[# cube.py|' \
  -e 's|^```javascript$|<programlisting><![CDATA[// cube.js|' -e 's|^```vala$|<programlisting><![CDATA[// cube.vala|' \
  -e '/^```console$/ { s/.*/<screen>/; N; s/\n// }' -e 's/^```$/]]>/' "$TOP_SRCDIR/README.md" >"$tmp/README.xml"
# shellcheck disable=SC2086
(cat "$tmp/README.xml" && cd "$TOP_SRCDIR/docs" && cat $chapters) >"$tmp/text"
awk -v tmp="$tmp" '
  { line = $0 }
  sub (/.*<programlisting[^>]*><!\[CDATA\[/, "", line) { listing = 1; file = ""; head = "" }
  sub (/.*<screen>/, "", line) { screen = 1 }
  sub (/\]\]>.*|<\/screen>.*/, "", line) { last = 1 }
  { gsub (/&gt;/, ">", line); gsub (/&lt;/, "<", line); gsub (/&amp;/, "\\&", line) }
  listing && file == "" && match (line, /[a-z-]+\.(c|h|py|js|vala)/) && line ~ /^(\/\* [^ ]* \*\/|(#|\/\/) [^ ]*)$/ {
    file = tmp "/files/" substr (line, RSTART, RLENGTH)
    printf "%s", head > file
  }
  listing && file == "" { head = head line "\n" }
  listing && file != "" && (line != "" || !last) { print line > file }
  screen && line ~ /^\$ / {
    n++
    print substr (line, 3) > (tmp "/" n ".command")
    expected = tmp "/" n ".expected"
    printf "" > expected
  }
  screen && line !~ /^\$ / && (line != "" || !last) { print line > expected }
  last { listing = screen = last = 0 }
  END { print n > (tmp "/count") }
' "$tmp/text"

# The commands are those of a user, for whom the library in the tree is installed. With INSTALLED=yes it is.
test "$INSTALLED" = yes || cat >"$tmp/pkgconfig/procfun.pc" <<END
Name: procfun
Description: in the tree
Version: 0.1
Cflags: $PROCFUN_CFLAGS
Libs: $PROCFUN_LIBS
END
# Without debug data, as who follows the guide: with them, failures say more.
printf '#!/bin/sh\nexec %s -Wall -Wextra -Wno-unused-parameter -Werror %s %s -g0 "$@"\n' "$CC" "$CFLAGS" "$LDFLAGS" \
  >"$tmp/bin/cc"
printf '#!/bin/sh\nexec /usr/bin/python3 "$@"\n' >"$tmp/bin/python3"
# The C that valac writes has warnings, but of no call to the library.
printf '#!/bin/sh\nexec /usr/bin/valac --vapidir %s --cc %s -X -w -X -Werror=incompatible-pointer-types "$@"\n' "$TOP_BUILDDIR/procfun" "${CC##* }" >"$tmp/bin/valac"
chmod +x "$tmp/bin/cc" "$tmp/bin/python3" "$tmp/bin/valac"
export PATH="$tmp/bin:$TOP_BUILDDIR/tools:$PATH" PKG_CONFIG_PATH="$tmp/pkgconfig"

prints_what_it_says ()
{
  timeout 120 sh -c "$(cat "$tmp/$1.command")" >"$tmp/printed" 2>&1
  # The frame of abort() that is named depends on the debug data and the load of the machine.
  sed -i 's/ (raised by itself) in .*/ (raised by itself)/' "$tmp/$1.expected" "$tmp/printed"
  diff -u "$tmp/$1.expected" "$tmp/printed"
}

has_files_and_commands ()
{
  ls && test -s first.c && test -s words.c && test "$(cat "$tmp/count")" -gt 20
}

# A listing in C without the name of a file would not be compiled, nor would a file that no command names.
compiles_all_listings ()
{
  grep '<programlisting language="C">' "$tmp/text" | grep -v 'CDATA\[/\* [a-z-]*\.[ch] \*/$' && return 1
  for file in *.c
  do
    cat "$tmp"/*.command | grep -qw -e "$file" || { echo "no command compiles $file"; return 1; }
  done
}

# is_short LINES FILE: besides empty lines and the file's name.
is_short ()
{
  test "$(sed 1d "$2" | grep -c .)" -le "$1" || { cat "$2"; return 1; }
}

first_programs_are_short ()
{
  is_short 6 cube.py && is_short 10 cube.js && is_short 10 cube.vala && is_short 10 square.js && is_short 10 twice.vala
}

works () { "$@" >"$tmp/works" 2>&1; }

check "the README and the guide have files and commands" has_files_and_commands
check "every listing in C is compiled" compiles_all_listings
check "the first programs in Python, JavaScript and Vala have 6, 10 and 10 lines at most" first_programs_are_short
for n in $(seq "$(cat "$tmp/count")")
do
  command=$(cat "$tmp/$n.command")
  why=
  case $command in
    python3*) why=$(why_not Python) ;;
    gjs*) why=$(why_not JavaScript) ;;
    valac* | ./twice | ./cube)
      why=$(why_not Vala)
      test "$SANITIZERS" = no || why="a sanitizer would have to be linked" ;;
    *gtk4*)
      $PKG_CONFIG --exists gtk4 || {
        skip "$command" "no GTK 4"
        continue
      } ;;
    *" gdb "*)
      works gdb -q -batch -ex run --args true || {
        skip "$command" "no gdb, or it may not trace"
        continue
      } ;;
    *" strace "*)
      works strace -o /dev/null true || {
        skip "$command" "no strace, or it may not trace"
        continue
      } ;;
    *" valgrind "*)
      test "$SANITIZERS" = no && works valgrind -q true || {
        skip "$command" "no valgrind, or a sanitizer that does not go with it"
        continue
      } ;;
    *--coverage* | ./covered | gcov*)
      test "$SANITIZERS" = no && works gcov --version && $CC --version | grep -q "Free Software" || {
        skip "$command" "no gcov of this compiler"
        continue
      } ;;
    ./where)
      test "$(nice)" -le 14 || {
        skip "$command" "these tests are as nice as can be"
        continue
      } ;;
    ./shut-in)
      case $SANITIZERS in
        *thread*)
          skip "$command" "the thread sanitizer starts threads before the sandbox can be closed"
          continue ;;
      esac ;;
    "./zeroes "*)
      case $SANITIZERS in
        *thread*)
          skip "$command" "the thread sanitizer takes minutes for a gigabyte"
          continue ;;
      esac ;;
    ./bounds)
      test "$SANITIZERS" = no || {
        skip "$command" "sanitizers need memory of their own"
        continue
      } ;;
  esac
  test -z "$why" || {
    skip "$command" "$why"
    continue
  }
  check "$command" prints_what_it_says "$n"
done
done_testing
