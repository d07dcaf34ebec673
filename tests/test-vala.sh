# SPDX-License-Identifier: LGPL-2.1-or-later
# A program in Vala registers functions, and calls them in processes of their own.

. "$TOP_SRCDIR/tests/tap.sh"

vapidir=$TOP_BUILDDIR/procfun

translates ()
{
  valac -C --vapidir "$vapidir" --pkg procfun --pkg gio-2.0 --pkg posix -d "$tmp" "$TOP_SRCDIR/tests/vala-calls.vala"
}

# Without warnings: those about the C that valac writes are for nobody.
compiles ()
{
  # shellcheck disable=SC2086
  $CC -w $CFLAGS $LDFLAGS $(find "$tmp" -name vala-calls.c) -o "$tmp/vala-calls" $PROCFUN_CFLAGS $PROCFUN_LIBS
}

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
if ! test -f "$vapidir/procfun.vapi"
then
  skip "functions in Vala" "built without bindings for Vala"
elif ! valac --version >/dev/null 2>&1
then
  skip "functions in Vala" "no valac"
else
  check "the program translates" translates
  check "the program compiles" compiles
  check "functions run, without arguments" timeout 60 "$tmp/vala-calls"
  check "functions run, with arguments" timeout 60 "$tmp/vala-calls" --option file
fi
done_testing
