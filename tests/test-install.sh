# SPDX-License-Identifier: LGPL-2.1-or-later
# A program outside the tree builds against the installed library with pkg-config and nothing else.
# With INSTALLED=yes (make installcheck) that is the one in its prefix, else one installed into a folder first.

. "$TOP_SRCDIR/tests/tap.sh"

stage=
test "$INSTALLED" = yes || stage=$tmp/stage
export PKG_CONFIG_PATH="$stage$PKGCONFIGDIR:$PKG_CONFIG_PATH"
export LD_LIBRARY_PATH="$stage$LIBDIR:$LD_LIBRARY_PATH"

# The reference and the translations would take longer than all the rest, hence SUBDIRS. A staged procfun.pc
# speaks of the prefix, so its paths are led to the stage.
install_here ()
{
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$TOP_BUILDDIR" install SUBDIRS=. DESTDIR="$stage" &&
    sed -i -E "s|^([a-z_]+)=/|\1=$stage/|" "$stage$PKGCONFIGDIR/procfun.pc"
}

# The prefix may be another one than that of configure, as GNU's rules for "make install" have it.
install_elsewhere ()
{
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$TOP_BUILDDIR" install SUBDIRS=. DESTDIR="$tmp/other" prefix=/another
}

# build_and_run COMPILER…
build_and_run ()
{
  mkdir -p "$tmp/elsewhere" && cd "$tmp/elsewhere" || return 1
  # shellcheck disable=SC2046
  "$@" program.c -x none -Wall -Werror -o program $($PKG_CONFIG $static --cflags --libs procfun) && ./program
}

has () { ls -l "$($PKG_CONFIG --variable="$1" procfun)/$2"; }
worker_is_there () { test -x "$($PKG_CONFIG --variable=worker procfun)"; }
no_json_glib () { $PKG_CONFIG --libs procfun | grep -e -lprocfun && ! $PKG_CONFIG --libs procfun | grep json; }

static=
mkdir "$tmp/elsewhere"
cat >"$tmp/elsewhere/program.c" <<END
#include <procfun.h>

int
main (void)
{
  g_autoptr (GError) error = g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_BUSY, "busy");

  return PROCFUN_CHECK_VERSION (0, 1, 0) && g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_BUSY) ? 0 : 1;
}
END

cat >"$tmp/elsewhere/where.c" <<END
#include <procfun.h>

PROCFUN_DEFINE_FUNCTION (where, char *)
{
  return g_file_read_link ("/proc/self/exe", NULL);
}
END
cat >"$tmp/elsewhere/ask.c" <<END
#include <procfun.h>
#include <stdio.h>

PROCFUN_DECLARE_FUNCTION (where, char *)

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = where_process (&error);

  printf ("%s\\n", path != NULL ? path : error->message);
  return path == NULL;
}
END

# A function of a library runs in procfun-worker.
build_library ()
{
  cd "$tmp/elsewhere" || return 1
  # shellcheck disable=SC2046,SC2086
  {
    $CC $CFLAGS $LDFLAGS -Wall -Werror -shared -fPIC where.c -o libwhere.so $($PKG_CONFIG --cflags --libs procfun) &&
      $CC $CFLAGS $LDFLAGS -Wall -Werror ask.c -o ask -L. -lwhere "-Wl,-rpath,$tmp/elsewhere" \
        $($PKG_CONFIG --cflags --libs procfun)
  }
}

worker_is ()
{
  found=$(cd / && env -u PROCFUN_WORKER LD_LIBRARY_PATH="$2:$LD_LIBRARY_PATH" "$tmp/elsewhere/ask")
  echo "$found"
  test "$found" = "$1"
}

# A host whose loader does not find the library
host_without_library ()
{
  cd "$tmp/elsewhere" || return 1
  # shellcheck disable=SC2046,SC2086
  $CC $CFLAGS $LDFLAGS -Wall -Werror where.c ask.c -o both $($PKG_CONFIG --cflags --libs procfun) || return 1
  PROCFUN_EXECUTOR="exec:env LD_LIBRARY_PATH=$LD_LIBRARY_PATH {}" ./both || return 1
  PROCFUN_EXECUTOR="exec:env -u LD_LIBRARY_PATH {}" ./both >"$tmp/told" && return 1
  cat "$tmp/told"
  grep -q "cannot be reached.*libprocfun.so.0: cannot open shared object file" "$tmp/told"
}

# Another place, another name of the folder, and a link to the library.
moved ()
{
  mkdir -p "$tmp/moved" "$tmp/links" &&
    cp -R "$stage$LIBDIR" "$tmp/moved/library" &&
    ln -s "$tmp/moved/library/libprocfun.so.0" "$tmp/links/" &&
    worker_is "$tmp/moved/library/procfun-$PROCFUN_ABI/procfun-worker" "$tmp/moved/library" &&
    worker_is "$tmp/moved/library/procfun-$PROCFUN_ABI/procfun-worker" "$tmp/links"
}

if test -n "$stage"
then
  check "make install with another prefix" install_elsewhere
  check "make install into a folder" install_here
fi
for variable in girdir:Procfun-1.0.gir typelibdir:Procfun-1.0.typelib vapidir:procfun.vapi
do
  folder=${variable%:*} file=${variable#*:}
  if test -f "$TOP_BUILDDIR/procfun/$file"
  then
    check "$folder has $file" has "$folder" "$file"
  else
    skip "$folder has $file" "it was not built"
  fi
done
check "the variable worker names a program" worker_is_there
check "programs are not linked with json-glib" no_json_glib
# shellcheck disable=SC2086
{
  check "a C program builds and runs" build_and_run $CC $CFLAGS $LDFLAGS
  check "a C++ program builds and runs" build_and_run $CXX -x c++ $CXXFLAGS $LDFLAGS
  static=--static
  check "a C program builds with --static" build_and_run $CC $CFLAGS $LDFLAGS
}
check "a library builds" build_library
check "its functions run in the worker of the installation" worker_is \
  "$(realpath "$($PKG_CONFIG --variable=worker procfun)")" "$stage$LIBDIR"
test -z "$stage" || check "they run where the library was moved to" moved
if test -z "$stage" || ldconfig -p 2>/dev/null | grep -qF libprocfun.so.0
then
  skip "a host without the library says so" "the library is installed where each program finds it"
else
  check "a host without the library says so" host_without_library
fi
done_testing
