# SPDX-License-Identifier: LGPL-2.1-or-later
# One program a line, sorted: examples use the shared library as any program does.

example_programs = \
	%D%/async \
	%D%/errors \
	%D%/first \
	%D%/generator \
	%D%/map \
	%D%/plugin-failure \
	%D%/pool \
	%D%/progress \
	%D%/structs \
	%D%/watchdog

example_libs = procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_async_LDADD = $(example_libs)
%C%_errors_LDADD = $(example_libs)
%C%_first_LDADD = $(example_libs)
%C%_generator_LDADD = $(example_libs)
%C%_map_LDADD = $(example_libs)
%C%_plugin_failure_LDADD = $(example_libs)
%C%_pool_LDADD = $(example_libs)
%C%_progress_LDADD = $(example_libs)
%C%_structs_LDADD = $(example_libs)
%C%_watchdog_LDADD = $(example_libs)

if HAVE_PIXBUF
example_programs += %D%/image-info
%C%_image_info_CFLAGS = $(AM_CFLAGS) $(PIXBUF_CFLAGS)
%C%_image_info_LDADD = $(example_libs) $(PIXBUF_LIBS)
example_programs += %D%/photo-filter
%C%_photo_filter_CFLAGS = $(AM_CFLAGS) $(PIXBUF_CFLAGS)
%C%_photo_filter_LDADD = $(example_libs) $(PIXBUF_LIBS)
endif

noinst_PROGRAMS += $(example_programs)
include examples/gallery/local.mk
EXTRA_DIST += %D%/demo.sh %D%/tour.js %D%/tour.py %D%/tour.vala
