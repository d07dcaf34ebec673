# SPDX-License-Identifier: LGPL-2.1-or-later
# The example program of each language: a function of that language in a process of its own, in a pool, with progress,
# and an exception, a crash and a timeout that are caught.

. "$TOP_SRCDIR/tests/tap.sh"

examples=$TOP_SRCDIR/examples
export GI_TYPELIB_PATH="$TOP_BUILDDIR/procfun" LD_LIBRARY_PATH="$TOP_BUILDDIR/procfun/.libs:$LD_LIBRARY_PATH"
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$TOP_SRCDIR/bindings/python"
typelib=$GI_TYPELIB_PATH/Procfun-1.0.typelib
vapi=$TOP_BUILDDIR/procfun/procfun.vapi

cat >"$tmp/expected" <<END
in a process: 49
in a pool: 0 1 4 9
progress: 100%
an exception: there is no page 5
a crash
a timeout
END

# prints_all COMMAND…: and nothing on standard error.
prints_all ()
{
  timeout 100 "$@" >"$tmp/output" 2>"$tmp/messages"
  result=$?
  cat "$tmp/messages"
  diff -u "$tmp/expected" "$tmp/output" && test "$result" = 0 && test ! -s "$tmp/messages"
}

# Without warnings: those about the C that valac writes are for nobody.
compiles_vala ()
{
  valac -C --fatal-warnings --vapidir "$TOP_BUILDDIR/procfun" --pkg procfun --pkg gio-2.0 -d "$tmp" "$examples/tour.vala" &&
    $CC -w $CFLAGS $LDFLAGS $(find "$tmp" -name tour.c) -o "$tmp/tour" $PROCFUN_CFLAGS $PROCFUN_LIBS
}

if ! test -f "$typelib"
then
  skip "Python" "built without introspection"
  skip "JavaScript" "built without introspection"
else
  if /usr/bin/python3 -c 'import gi; gi.require_version ("Json", "1.0")' 2>/dev/null
  then
    check "Python" prints_all /usr/bin/python3 "$examples/tour.py"
  else
    skip "Python" "no python3 with gi and Json"
  fi
  if gjs --version >/dev/null 2>&1
  then
    check "JavaScript" prints_all gjs -m "$examples/tour.js"
  else
    skip "JavaScript" "no gjs"
  fi
fi
if ! test -f "$vapi"
then
  skip "Vala" "built without bindings for Vala"
elif ! valac --version >/dev/null 2>&1
then
  skip "Vala" "no valac"
else
  check "Vala, without a warning" compiles_vala
  check "Vala" prints_all "$tmp/tour"
fi
done_testing
