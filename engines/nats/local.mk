# SPDX-License-Identifier: LGPL-2.1-or-later
# A module for GIO, beside procfun-worker: calls over a NATS server.

if HAVE_NATS
enginesdir = $(workerdir)/engines
engines_LTLIBRARIES = %D%/libprocfun-nats.la
%C%_libprocfun_nats_la_SOURCES = \
	%D%/address.c \
	%D%/address.h \
	%D%/caller-call.c \
	%D%/caller-call.h \
	%D%/caller-queue.c \
	%D%/caller-queue.h \
	%D%/caller.c \
	%D%/caller.h \
	%D%/connection-class.h \
	%D%/connection.c \
	%D%/connection.h \
	%D%/doubts.c \
	%D%/doubts.h \
	%D%/host-words.c \
	%D%/host-words.h \
	%D%/host-work.c \
	%D%/host-work.h \
	%D%/host.c \
	%D%/host.h \
	%D%/intl.h \
	%D%/jet-reply.c \
	%D%/jet-reply.h \
	%D%/line.c \
	%D%/line.h \
	%D%/login.c \
	%D%/login.h \
	%D%/losses.c \
	%D%/losses.h \
	%D%/mailbox.c \
	%D%/mailbox.h \
	%D%/module.c \
	%D%/nats-engine.c \
	%D%/nats-engine.h \
	%D%/neighbours.c \
	%D%/neighbours.h \
	%D%/packet.c \
	%D%/packet.h \
	%D%/polled-connection.c \
	%D%/pull-requests.c \
	%D%/pull-requests.h \
	%D%/pulls.c \
	%D%/pulls.h \
	%D%/setup.c \
	%D%/setup.h \
	%D%/subjects.c \
	%D%/subjects.h \
	%D%/talk.c \
	%D%/talk.h \
	%D%/threaded-connection.c \
	%D%/timer.c \
	%D%/timer.h
%C%_libprocfun_nats_la_CFLAGS = $(AM_CFLAGS) $(NATS_CFLAGS)
# If libtool knew of the library it would link again when it installs, and refuse any prefix but that of configure.
# The path leads from the module to the library, for programs that have its objects and load no library.
%C%_libprocfun_nats_la_LIBADD = $(PROCFUN_LIBS) $(NATS_LIBS)
%C%_libprocfun_nats_la_DEPENDENCIES = procfun/libprocfun.la
%C%_libprocfun_nats_la_LDFLAGS = -module -avoid-version -no-undefined -export-symbols-regex '^g_io_' \
	-Wl,procfun/.libs/libprocfun.so -Wl,-rpath,'$$ORIGIN/../..'
endif
