# SPDX-License-Identifier: LGPL-2.1-or-later
# A program in Vala registers functions, and calls them in processes of their own.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

hides_what_is_private ()
{
  ! grep -E 'virtual-method name="(begin_anew|close_progress|end_calls|get_default_codec|prepare|run_plain|run_then|start)' \
    "$vapidir/Procfun-1.0.gir" && ! grep '<constant name="[A-Z_]*_"' "$vapidir/Procfun-1.0.gir"
}

if test -f "$vapidir/Procfun-1.0.gir"
then
  check "functions of classes and constants that are private are not introspected" hides_what_is_private
else
  skip "functions of classes and constants that are private are not introspected" "built without introspection"
fi
try_in Vala "the program compiles" compile_vala "$TOP_SRCDIR/tests/vala-calls.vala" gio-2.0 posix
try_in Vala "functions run, without arguments" timeout 60 "$tmp/vala-calls"
try_in Vala "functions run, with arguments" timeout 60 "$tmp/vala-calls" --option file
done_testing
