# SPDX-License-Identifier: LGPL-2.1-or-later
# One program a line, sorted, and its LDADD below: examples use the shared library as any program does.

example_programs =

if HAVE_PIXBUF
# example_programs += image-info, which needs $(PIXBUF_CFLAGS) and $(PIXBUF_LIBS)
endif

noinst_PROGRAMS += $(example_programs)

example_libs = procfun/libprocfun.la $(PROCFUN_LIBS)
