# SPDX-License-Identifier: LGPL-2.1-or-later
# One file a line, sorted. Every header directly in procfun/ is installed, but for -private.h; every folder below is
# private. procfun_sources are the .c files of the installed headers, which is where documentation is looked for.

procfun_headers = \
	%D%/procfun-call-json.h \
	%D%/procfun-call.h \
	%D%/procfun-codec.h \
	%D%/procfun-context.h \
	%D%/procfun-definition.h \
	%D%/procfun-define.h \
	%D%/procfun-define-each.h \
	%D%/procfun-define-generate.h \
	%D%/procfun-define-generator.h \
	%D%/procfun-define-mapping.h \
	%D%/procfun-error.h \
	%D%/procfun-executor.h \
	%D%/procfun-failure.h \
	%D%/procfun-fork-server.h \
	%D%/procfun-function.h \
	%D%/procfun-generator.h \
	%D%/procfun-inline.h \
	%D%/procfun-launch-context.h \
	%D%/procfun-limits.h \
	%D%/procfun-json.h \
	%D%/procfun-map.h \
	%D%/procfun-monitor.h \
	%D%/procfun-pool.h \
	%D%/procfun-process-executor.h \
	%D%/procfun-registry.h \
	%D%/procfun-schema.h \
	%D%/procfun-session.h \
	%D%/procfun-spawner.h \
	%D%/procfun-statistics.h \
	%D%/procfun-type-info.h \
	%D%/procfun-usage.h \
	%D%/procfun-values.h \
	%D%/procfun-version-macros.h \
	%D%/procfun.h

# The last two hold public functions that stand above the model: layers in docs/design.md.
procfun_sources = \
	%D%/procfun-call-json.c \
	%D%/procfun-call.c \
	%D%/procfun-call-next.c \
	%D%/procfun-call-run.c \
	%D%/procfun-call-settings.c \
	%D%/procfun-codec.c \
	%D%/procfun-context.c \
	%D%/procfun-definition.c \
	%D%/procfun-error.c \
	%D%/procfun-executor-close.c \
	%D%/procfun-executor.c \
	%D%/procfun-failure.c \
	%D%/procfun-failure-text.c \
	%D%/procfun-fork-server.c \
	%D%/procfun-function.c \
	%D%/procfun-function-invoke.c \
	%D%/procfun-inline.c \
	%D%/procfun-launch-context.c \
	%D%/procfun-limits.c \
	%D%/procfun-limits-text.c \
	%D%/procfun-json.c \
	%D%/procfun-map-input.c \
	%D%/procfun-map-pool.c \
	%D%/procfun-map-run.c \
	%D%/procfun-map.c \
	%D%/procfun-monitor.c \
	%D%/procfun-pool-settings.c \
	%D%/procfun-pool-submit.c \
	%D%/procfun-pool.c \
	%D%/procfun-process-executor.c \
	%D%/procfun-registry.c \
	%D%/procfun-schema.c \
	%D%/procfun-session.c \
	%D%/procfun-spawner.c \
	%D%/procfun-statistics-openmetrics.c \
	%D%/procfun-statistics-text.c \
	%D%/procfun-statistics-workers.c \
	%D%/procfun-statistics.c \
	%D%/procfun-usage.c \
	%D%/procfun-values.c \
	%D%/backend/default.c \
	%D%/child/enter.c

procfun_private = \
	%D%/backend/crash-report.c \
	%D%/backend/crash-report.h \
	%D%/backend/crew-ahead.c \
	%D%/backend/crew-end.c \
	%D%/backend/crew-private.h \
	%D%/backend/crew-room.c \
	%D%/backend/crew-start.c \
	%D%/backend/crew-wait.c \
	%D%/backend/crew.c \
	%D%/backend/crew.h \
	%D%/backend/exchange-begin.c \
	%D%/backend/exchange-drive.c \
	%D%/backend/exchange-drive.h \
	%D%/backend/exchange-frames.c \
	%D%/backend/exchange-private.h \
	%D%/backend/exchange.c \
	%D%/backend/exchange.h \
	%D%/backend/item-stream.c \
	%D%/backend/item-stream.h \
	%D%/backend/items.c \
	%D%/backend/items.h \
	%D%/backend/journal.c \
	%D%/backend/journal.h \
	%D%/backend/ladder.c \
	%D%/backend/ladder.h \
	%D%/backend/launch.c \
	%D%/backend/launch.h \
	%D%/backend/map-gather.c \
	%D%/backend/map-gather.h \
	%D%/backend/map-input.c \
	%D%/backend/map-input.h \
	%D%/backend/map-lane.c \
	%D%/backend/map-lane.h \
	%D%/backend/mapping-drive.c \
	%D%/backend/mapping-drive.h \
	%D%/backend/mapping-private.h \
	%D%/backend/mapping-source.c \
	%D%/backend/mapping.c \
	%D%/backend/mapping.h \
	%D%/backend/nurseries.c \
	%D%/backend/nurseries.h \
	%D%/backend/nursery.c \
	%D%/backend/nursery.h \
	%D%/backend/outcome.c \
	%D%/backend/outcome.h \
	%D%/backend/output.c \
	%D%/backend/output.h \
	%D%/backend/queue.c \
	%D%/backend/queue.h \
	%D%/backend/request.c \
	%D%/backend/request.h \
	%D%/backend/symbolise.c \
	%D%/backend/symbolise.h \
	%D%/backend/verdict.c \
	%D%/backend/verdict.h \
	%D%/backend/worker.c \
	%D%/backend/worker.h \
	%D%/child/command-line.c \
	%D%/child/command-line.h \
	%D%/child/command.c \
	%D%/child/command.h \
	%D%/child/crash-record.c \
	%D%/child/crash-record.h \
	%D%/child/crash-stacks.c \
	%D%/child/crash-stacks.h \
	%D%/child/crash-threads.c \
	%D%/child/crash-threads.h \
	%D%/child/crash.c \
	%D%/child/crash.h \
	%D%/child/leftovers.c \
	%D%/child/leftovers.h \
	%D%/child/listener.c \
	%D%/child/listener.h \
	%D%/child/map.c \
	%D%/child/map.h \
	%D%/child/nursery.c \
	%D%/child/nursery.h \
	%D%/child/placement.c \
	%D%/child/placement.h \
	%D%/child/progress.c \
	%D%/child/serve.c \
	%D%/child/serve-find.c \
	%D%/child/serve-private.h \
	%D%/child/serve.h \
	%D%/child/setup.c \
	%D%/child/setup.h \
	%D%/child/warm-up.c \
	%D%/child/warm-up.h \
	%D%/platform/canceller.c \
	%D%/platform/canceller.h \
	%D%/platform/cgroup-place.c \
	%D%/platform/cgroup-place.h \
	%D%/platform/cgroup.c \
	%D%/platform/cgroup.h \
	%D%/platform/cpus.c \
	%D%/platform/cpus.h \
	%D%/platform/descendants.c \
	%D%/platform/descendants.h \
	%D%/platform/environment.c \
	%D%/platform/environment.h \
	%D%/platform/fault.c \
	%D%/platform/fault.h \
	%D%/platform/fds.c \
	%D%/platform/fds.h \
	%D%/platform/forks.c \
	%D%/platform/forks.h \
	%D%/platform/intl.c \
	%D%/platform/intl.h \
	%D%/platform/limits.c \
	%D%/platform/limits.h \
	%D%/platform/lines.c \
	%D%/platform/lines.h \
	%D%/platform/local-socket.c \
	%D%/platform/local-socket.h \
	%D%/platform/memfd.c \
	%D%/platform/memfd.h \
	%D%/platform/module.c \
	%D%/platform/module.h \
	%D%/platform/proc.c \
	%D%/platform/proc.h \
	%D%/platform/process.c \
	%D%/platform/process.h \
	%D%/platform/redirect.c \
	%D%/platform/redirect.h \
	%D%/platform/schedule.c \
	%D%/platform/schedule.h \
	%D%/platform/self.c \
	%D%/platform/self.h \
	%D%/platform/stack.c \
	%D%/platform/stack.h \
	%D%/platform/surroundings.c \
	%D%/platform/surroundings.h \
	%D%/platform/symbols.c \
	%D%/platform/symbols.h \
	%D%/platform/thread.c \
	%D%/platform/thread.h \
	%D%/platform/usage.c \
	%D%/platform/usage.h \
	%D%/platform/waker.c \
	%D%/platform/waker.h \
	%D%/procfun-call-debug-private.h \
	%D%/procfun-call-debug.c \
	%D%/procfun-call-private.h \
	%D%/procfun-call-wait-private.h \
	%D%/procfun-call-wait.c \
	%D%/procfun-context-private.h \
	%D%/procfun-debug-private.h \
	%D%/procfun-debug.c \
	%D%/procfun-definition-private.h \
	%D%/procfun-error-private.h \
	%D%/procfun-executor-list-private.h \
	%D%/procfun-executor-list.c \
	%D%/procfun-executor-private.h \
	%D%/procfun-executor-run.c \
	%D%/procfun-executor-state-private.h \
	%D%/procfun-failure-private.h \
	%D%/procfun-failure-signal.c \
	%D%/procfun-function-private.h \
	%D%/procfun-histogram-private.h \
	%D%/procfun-histogram.c \
	%D%/procfun-launch-context-private.h \
	%D%/procfun-limits-private.h \
	%D%/procfun-map-private.h \
	%D%/procfun-monitor-private.h \
	%D%/procfun-monitor-serve.c \
	%D%/procfun-pool-private.h \
	%D%/procfun-pool-run.c \
	%D%/procfun-process-executor-private.h \
	%D%/procfun-recorder-private.h \
	%D%/procfun-recorder.c \
	%D%/procfun-registry-private.h \
	%D%/procfun-schema-private.h \
	%D%/procfun-statistics-private.h \
	%D%/procfun-usage-private.h \
	%D%/wire/base64.c \
	%D%/wire/base64.h \
	%D%/wire/buffer.c \
	%D%/wire/buffer.h \
	%D%/wire/channel-private.h \
	%D%/wire/channel-receive.c \
	%D%/wire/channel-wait.c \
	%D%/wire/channel.c \
	%D%/wire/channel.h \
	%D%/wire/crash.h \
	%D%/wire/error.c \
	%D%/wire/error.h \
	%D%/wire/frame.c \
	%D%/wire/frame.h \
	%D%/wire/journal.h \
	%D%/wire/json-keys.c \
	%D%/wire/json-keys.h \
	%D%/wire/json-place.c \
	%D%/wire/json-place.h \
	%D%/wire/json-read-containers.c \
	%D%/wire/json-read-object.c \
	%D%/wire/json-read.c \
	%D%/wire/json-reader.h \
	%D%/wire/json-scanner.c \
	%D%/wire/json-scanner.h \
	%D%/wire/json-text.c \
	%D%/wire/json-text.h \
	%D%/wire/json-write.c \
	%D%/wire/json.c \
	%D%/wire/json.h \
	%D%/wire/number.c \
	%D%/wire/number.h \
	%D%/wire/powers-of-ten.c \
	%D%/wire/ring.c \
	%D%/wire/ring.h \
	%D%/wire/schema-json.c \
	%D%/wire/schema-json.h \
	%D%/wire/serialised.c \
	%D%/wire/serialised.h \
	%D%/wire/setup.c \
	%D%/wire/setup.h \
	%D%/wire/type-decode.c \
	%D%/wire/type-encode.c \
	%D%/wire/type-plain.c \
	%D%/wire/type-private.h \
	%D%/wire/type.c \
	%D%/wire/type.h \
	%D%/wire/variant.c \
	%D%/wire/variant.h

EXTRA_DIST += %D%/wire/powers-of-ten.py

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
# Casts are not checked: those of one call cost as much as to make an object.
%C%_libprocfun_all_la_CPPFLAGS = $(AM_CPPFLAGS) -DG_LOG_DOMAIN='"procfun"' -DG_DISABLE_CAST_CHECKS
%C%_libprocfun_all_la_CFLAGS = $(AM_CFLAGS) $(LIBDW_CFLAGS) -fvisibility=hidden
%C%_libprocfun_all_la_LIBADD = $(PROCFUN_LIBS)

lib_LTLIBRARIES = %D%/libprocfun.la
%C%_libprocfun_la_SOURCES =
%C%_libprocfun_la_LIBADD = %D%/libprocfun-all.la
# Without -static-libgcc each program would load a library more, which nothing else in it may need.
%C%_libprocfun_la_LDFLAGS = -version-info $(PROCFUN_LT_VERSION) -no-undefined -Wl,-z,now -Wc,-static-libgcc

if HAVE_INTROSPECTION
-include $(INTROSPECTION_MAKEFILE)
INTROSPECTION_GIRS = %D%/Procfun-1.0.gir
# A wrong annotation or parameter name stops the build.
INTROSPECTION_SCANNER_ARGS = --warn-all --warn-error

%D%/Procfun-1.0.gir: %D%/libprocfun.la
%C%_Procfun_1_0_gir_INCLUDES = Gio-2.0 Json-1.0
%C%_Procfun_1_0_gir_EXPORT_PACKAGES = procfun
%C%_Procfun_1_0_gir_C_INCLUDES = procfun.h
%C%_Procfun_1_0_gir_CFLAGS = $(AM_CPPFLAGS) $(PROCFUN_CFLAGS)
%C%_Procfun_1_0_gir_LIBS = %D%/libprocfun.la
%C%_Procfun_1_0_gir_FILES = $(procfun_headers) $(procfun_built_headers) $(procfun_sources)

girdir = $(datadir)/gir-1.0
nodist_gir_DATA = $(INTROSPECTION_GIRS)
typelibdir = $(libdir)/girepository-1.0
nodist_typelib_DATA = %D%/Procfun-1.0.typelib
CLEANFILES += $(nodist_gir_DATA) $(nodist_typelib_DATA)
endif

if ENABLE_VAPIGEN
-include $(VAPIGEN_MAKEFILE)
VAPIGEN_VAPIS = %D%/procfun.vapi

%D%/procfun.vapi: %D%/Procfun-1.0.gir
%C%_procfun_vapi_DEPS = gio-2.0 json-glib-1.0
%C%_procfun_vapi_FILES = %D%/Procfun-1.0.gir

%D%/procfun.deps: Makefile
	$(AM_V_GEN)printf '%s\n' $(%C%_procfun_vapi_DEPS) > $@

vapidir = $(datadir)/vala/vapi
nodist_vapi_DATA = $(VAPIGEN_VAPIS) %D%/procfun.deps
CLEANFILES += $(nodist_vapi_DATA)
endif
