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

# build_and_run COMPILER…
build_and_run ()
{
  mkdir -p "$tmp/elsewhere" && cd "$tmp/elsewhere" || return 1
  # shellcheck disable=SC2046
  "$@" program.c -x none -Wall -Werror -o program $($PKG_CONFIG --cflags --libs procfun) && ./program
}

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

test -z "$stage" || check "make install into a folder" install_here
# shellcheck disable=SC2086
{
  check "a C program builds and runs" build_and_run $CC $CFLAGS $LDFLAGS
  check "a C++ program builds and runs" build_and_run $CXX -x c++ $CXXFLAGS $LDFLAGS
}
done_testing
