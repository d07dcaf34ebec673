# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced after tap.sh by the tests of bindings, which find those of the tree: Python, JavaScript, Vala.

vapidir=$TOP_BUILDDIR/procfun
export GI_TYPELIB_PATH="$TOP_BUILDDIR/procfun" LD_LIBRARY_PATH="$TOP_BUILDDIR/procfun/.libs:$LD_LIBRARY_PATH"
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$TOP_SRCDIR/bindings/python" GJS_PATH="$TOP_SRCDIR/bindings/gjs"

# why_not LANGUAGE: prints what is missing to try it, if anything is.
why_not ()
{
  if test "$1" = Vala
  then
    test -f "$vapidir/procfun.vapi" || { echo "built without bindings for Vala"; return; }
    valac --version >/dev/null 2>&1 || echo "no valac"
    return
  fi
  test -f "$GI_TYPELIB_PATH/Procfun-1.0.typelib" || { echo "built without introspection"; return; }
  case $1 in
    # The Python that Debian's python3-gi is for
    Python) /usr/bin/python3 -c 'import gi; gi.require_version ("Json", "1.0")' 2>/dev/null || echo "no python3 with gi and Json" ;;
    JavaScript) gjs --version >/dev/null 2>&1 || echo "no gjs" ;;
  esac
}

# try_in LANGUAGE NAME COMMAND…: a test point, skipped where the language is not there.
try_in ()
{
  why=$(why_not "$1")
  shift
  if test -n "$why"
  then
    skip "$1" "$why"
  else
    check "$@"
  fi
}

# compile_vala FILE PACKAGE…: into $tmp/NAME, without warnings of valac; those about the C that it writes are for nobody.
compile_vala ()
{
  vala_file=$1
  vala_name=$(basename "$1" .vala)
  shift
  # shellcheck disable=SC2046,SC2086
  valac -C --fatal-warnings --vapidir "$vapidir" --pkg procfun $(printf -- '--pkg %s ' "$@") -d "$tmp" "$vala_file" &&
    $CC -w $CFLAGS $LDFLAGS $(find "$tmp" -name "$vala_name.c") -o "$tmp/$vala_name" $PROCFUN_CFLAGS $PROCFUN_LIBS
}
