# SPDX-License-Identifier: LGPL-2.1-or-later
# The gallery is the only program that needs GTK; without GTK it is not built.

gallery_files = %D%/decode.c %D%/decode.h %D%/workers.c %D%/workers.h
gallery_widgets = \
	%D%/folder.c %D%/folder.h \
	%D%/frames.c %D%/frames.h \
	%D%/panel.c %D%/panel.h \
	%D%/picture.c %D%/picture.h \
	%D%/tile.c %D%/tile.h \
	%D%/window.c %D%/window.h

if HAVE_PIXBUF
noinst_PROGRAMS += %D%/gallery-thumbnailer
%C%_gallery_thumbnailer_SOURCES = %D%/thumbnailer.c $(gallery_files)
%C%_gallery_thumbnailer_CFLAGS = $(AM_CFLAGS) $(PIXBUF_CFLAGS)
%C%_gallery_thumbnailer_LDADD = $(example_libs) $(PIXBUF_LIBS)
endif

if HAVE_GTK
noinst_PROGRAMS += %D%/gallery
%C%_gallery_SOURCES = %D%/gallery.c $(gallery_files) $(gallery_widgets)
%C%_gallery_CFLAGS = $(AM_CFLAGS) $(GTK_CFLAGS)
%C%_gallery_LDADD = $(example_libs) $(GTK_LIBS)

# The test clicks in the window.
check_PROGRAMS += %D%/drive
%C%_drive_SOURCES = %D%/drive.c $(gallery_files) $(gallery_widgets)
%C%_drive_CFLAGS = $(AM_CFLAGS) $(GTK_CFLAGS)
%C%_drive_LDADD = $(example_libs) $(GTK_LIBS)
endif

EXTRA_DIST += %D%/gallery.thumbnailer %D%/org.example.ProcfunGallery.desktop \
	%D%/org.example.ProcfunGallery.metainfo.xml
