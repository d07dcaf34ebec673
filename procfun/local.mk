# SPDX-License-Identifier: LGPL-2.1-or-later
# One file a line, sorted. Every header directly in procfun/ is installed; every folder below is private.

procfun_headers = \
	%D%/procfun-error.h \
	%D%/procfun-version-macros.h \
	%D%/procfun.h

procfun_sources = \
	%D%/procfun-error.c

procfun_private = \
	%D%/platform/intl.c \
	%D%/platform/intl.h

# Generated, so not in the tarball.
procfun_built_headers = \
	%D%/procfun-version.h

procfunincludedir = $(includedir)/procfun-1/procfun
procfuninclude_HEADERS = $(procfun_headers)
nodist_procfuninclude_HEADERS = $(procfun_built_headers)

# Every object once: the shared library is made of it, and so are the tests, which thus are real ELF
# files (a libtool wrapper could not execute itself) and reach private symbols.
noinst_LTLIBRARIES = %D%/libprocfun-all.la
%C%_libprocfun_all_la_SOURCES = $(procfun_headers) $(procfun_sources) $(procfun_private)
%C%_libprocfun_all_la_CPPFLAGS = $(AM_CPPFLAGS) -DG_LOG_DOMAIN='"procfun"'
%C%_libprocfun_all_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
%C%_libprocfun_all_la_LIBADD = $(PROCFUN_LIBS)

lib_LTLIBRARIES = %D%/libprocfun.la
%C%_libprocfun_la_SOURCES =
%C%_libprocfun_la_LIBADD = %D%/libprocfun-all.la
%C%_libprocfun_la_LDFLAGS = -version-info $(PROCFUN_LT_VERSION) -no-undefined
