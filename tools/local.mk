# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs here are installed, so each has an empty %C%_NAME_LDFLAGS instead of AM_LDFLAGS.

# It calls functions of other programs by means that are not public: it has the library's objects.
bin_PROGRAMS += %D%/procfun
%C%_procfun_SOURCES = \
	%D%/cmd-bench.c \
	%D%/cmd-call.c \
	%D%/cmd-engine.c \
	%D%/cmd-hosts.c \
	%D%/cmd-list.c \
	%D%/cmd-map.c \
	%D%/cmd-monitor.c \
	%D%/cmd-worker.c \
	%D%/commands.c \
	%D%/commands.h \
	%D%/elf.c \
	%D%/elf.h \
	%D%/fields.c \
	%D%/fields.h \
	%D%/halt.c \
	%D%/halt.h \
	%D%/host-check.c \
	%D%/host-check.h \
	%D%/joblog.c \
	%D%/joblog.h \
	%D%/latencies.c \
	%D%/latencies.h \
	%D%/live.c \
	%D%/live.h \
	%D%/map-arguments.c \
	%D%/map-arguments.h \
	%D%/map-batches.c \
	%D%/map-calls.c \
	%D%/map-job.c \
	%D%/map-job.h \
	%D%/map-options.c \
	%D%/map-options.h \
	%D%/map-output.c \
	%D%/map-output.h \
	%D%/map-progress.c \
	%D%/map-progress.h \
	%D%/map-run.c \
	%D%/map-run.h \
	%D%/monitor-client.c \
	%D%/monitor-client.h \
	%D%/monitor-view.c \
	%D%/monitor-view.h \
	%D%/on-hosts.c \
	%D%/on-hosts.h \
	%D%/procfun.c \
	%D%/program.c \
	%D%/program.h \
	%D%/records.c \
	%D%/records.h \
	%D%/report.c \
	%D%/report.h \
	%D%/run.c \
	%D%/run.h \
	%D%/schema.c \
	%D%/schema.h \
	%D%/table.c \
	%D%/table.h \
	%D%/values.c \
	%D%/values.h
%C%_procfun_LDADD = procfun/libprocfun-all.la $(PROCFUN_LIBS)
# A module finds the library that the command has in itself.
%C%_procfun_LDFLAGS = -Wl,--export-dynamic-symbol='procfun_*'

# It loads libraries that are linked with the shared library, so it must be, too.
worker_PROGRAMS += %D%/procfun-worker
%C%_procfun_worker_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_procfun_worker_LDFLAGS =

# The same for tests in the tree, where libtool makes a script of what will be installed.
check_PROGRAMS += %D%/procfun-worker-in-tree
%C%_procfun_worker_in_tree_SOURCES = %D%/procfun-worker.c
%C%_procfun_worker_in_tree_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)

dist_man1_MANS = %D%/procfun.1 %D%/procfun-worker.1
dist_man7_MANS = %D%/procfun-environment.7
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/bash-completion/procfun
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = %D%/zsh-completion/_procfun
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = %D%/fish-completion/procfun.fish
