# SPDX-License-Identifier: LGPL-2.1-or-later
# One test a line, sorted. A program test-foo is made of test-foo.c, unless it says otherwise below.

test_programs = \
	%D%/test-error

test_scripts =

check_PROGRAMS += $(test_programs)
LDADD = procfun/libprocfun-all.la $(PROCFUN_LIBS)

# Plain TAP; GLib's tests print it by default.
TESTS = $(test_programs) $(test_scripts)
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	G_TEST_SRCDIR='$(abs_top_srcdir)/%D%' \
	G_TEST_BUILDDIR='$(abs_top_builddir)/%D%' \
	G_DEBUG=fatal-warnings \
	; export G_TEST_SRCDIR G_TEST_BUILDDIR G_DEBUG;

EXTRA_DIST += $(test_scripts)
