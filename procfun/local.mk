# SPDX-License-Identifier: LGPL-2.1-or-later
# One file a line, sorted. Every header directly in procfun/ is installed; every folder below is private.
# procfun_sources are the files that implement the installed headers, where the scanner looks for documentation.

procfun_headers = \
	%D%/procfun-buffer.h \
	%D%/procfun-bytes.h \
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
	%D%/procfun-engine.h \
	%D%/procfun-error.h \
	%D%/procfun-executor.h \
	%D%/procfun-failure.h \
	%D%/procfun-fork-server.h \
	%D%/procfun-function.h \
	%D%/procfun-generator.h \
	%D%/procfun-inline.h \
	%D%/procfun-launch-context.h \
	%D%/procfun-launcher.h \
	%D%/procfun-limits.h \
	%D%/procfun-json.h \
	%D%/procfun-map.h \
	%D%/procfun-monitor.h \
	%D%/procfun-pool.h \
	%D%/procfun-process-executor.h \
	%D%/procfun-registry.h \
	%D%/procfun-remote-pool.h \
	%D%/procfun-sandbox.h \
	%D%/procfun-schema.h \
	%D%/procfun-session.h \
	%D%/procfun-spawner.h \
	%D%/procfun-statistics.h \
	%D%/procfun-type-info.h \
	%D%/procfun-usage.h \
	%D%/procfun-values.h \
	%D%/procfun-version-macros.h \
	%D%/procfun.h

procfun_sources = \
	%D%/base/error.c \
	%D%/base/limits.c \
	%D%/base/sandbox.c \
	%D%/base/usage.c \
	%D%/base/wake-source.c \
	%D%/child/enter.c \
	%D%/codecs/codec.c \
	%D%/codecs/json-node.c \
	%D%/core/call-join.c \
	%D%/core/call-life.c \
	%D%/core/call-settings.c \
	%D%/core/call.c \
	%D%/core/context.c \
	%D%/core/definition.c \
	%D%/core/executor-close-all.c \
	%D%/core/executor-close.c \
	%D%/core/executor.c \
	%D%/core/failure-text.c \
	%D%/core/failure.c \
	%D%/core/function-callable.c \
	%D%/core/function-invoke.c \
	%D%/core/function.c \
	%D%/core/launch-context.c \
	%D%/core/plain-async.c \
	%D%/core/plain-async.h \
	%D%/core/plain-call.c \
	%D%/core/plain-call.h \
	%D%/core/registry.c \
	%D%/executors/fork-server.c \
	%D%/executors/inline.c \
	%D%/executors/pool-plain.c \
	%D%/executors/pool.c \
	%D%/executors/process-bounds.c \
	%D%/executors/process-executor.c \
	%D%/executors/session.c \
	%D%/executors/spawner.c \
	%D%/map/map-input.c \
	%D%/map/map-run.c \
	%D%/map/map.c \
	%D%/remote/engine.c \
	%D%/remote/launcher.c \
	%D%/remote/remote-pool-settings.c \
	%D%/remote/remote-pool.c \
	%D%/run/call-json.c \
	%D%/run/call-next.c \
	%D%/run/call-run.c \
	%D%/run/default-executor.c \
	%D%/run/pool-broadcast.c \
	%D%/run/pool-submit.c \
	%D%/run/submit.c \
	%D%/statistics/monitor.c \
	%D%/statistics/statistics-openmetrics.c \
	%D%/statistics/statistics-workers.c \
	%D%/statistics/statistics.c \
	%D%/values/buffer.c \
	%D%/values/bytes.c \
	%D%/values/schema.c \
	%D%/values/values.c

procfun_private = \
	%D%/base/debug.c \
	%D%/base/debug.h \
	%D%/base/environment.c \
	%D%/base/environment.h \
	%D%/base/error.h \
	%D%/base/intl.c \
	%D%/base/intl.h \
	%D%/base/limits.h \
	%D%/base/marks.c \
	%D%/base/marks.h \
	%D%/base/readable.c \
	%D%/base/readable.h \
	%D%/base/sandbox.h \
	%D%/base/usage.h \
	%D%/base/wake-source.h \
	%D%/child/answer.c \
	%D%/child/answer.h \
	%D%/child/command-line.c \
	%D%/child/command-line.h \
	%D%/child/command.c \
	%D%/child/command.h \
	%D%/child/confinement.c \
	%D%/child/confinement.h \
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
	%D%/child/map-chunk.c \
	%D%/child/packed-call.c \
	%D%/child/map-chunk.h \
	%D%/child/packed-call.h \
	%D%/child/names.c \
	%D%/child/names.h \
	%D%/child/placement.c \
	%D%/child/placement.h \
	%D%/child/report.c \
	%D%/child/serve-limits.c \
	%D%/child/serve.c \
	%D%/child/serve.h \
	%D%/child/settings.c \
	%D%/child/settings.h \
	%D%/child/setup.c \
	%D%/child/setup.h \
	%D%/child/symbolise.c \
	%D%/child/symbolise.h \
	%D%/child/warm-up.c \
	%D%/child/warm-up.h \
	%D%/child/zygote.c \
	%D%/child/zygote.h \
	%D%/codecs/base64.c \
	%D%/codecs/base64.h \
	%D%/codecs/gvariant.c \
	%D%/codecs/gvariant.h \
	%D%/codecs/json-batch.c \
	%D%/codecs/json-batch.h \
	%D%/codecs/json-keys.c \
	%D%/codecs/json-keys.h \
	%D%/codecs/json-path.c \
	%D%/codecs/json-path.h \
	%D%/codecs/json-read.c \
	%D%/codecs/json-scalar.c \
	%D%/codecs/json-scalar.h \
	%D%/codecs/json-scanner.c \
	%D%/codecs/json-scanner.h \
	%D%/codecs/json-text.c \
	%D%/codecs/json-text.h \
	%D%/codecs/json-write.c \
	%D%/codecs/json.c \
	%D%/codecs/json.h \
	%D%/codecs/number-powers.c \
	%D%/codecs/number.c \
	%D%/codecs/number.h \
	%D%/codecs/schema-json.c \
	%D%/codecs/schema-json.h \
	%D%/core/call-buffers.c \
	%D%/core/call-buffers.h \
	%D%/core/call-chunk.c \
	%D%/core/call-chunk.h \
	%D%/core/call-debug.c \
	%D%/core/call-debug.h \
	%D%/core/call-join.h \
	%D%/core/call-streams.c \
	%D%/core/call-streams.h \
	%D%/core/call-wait.c \
	%D%/core/call-wait.h \
	%D%/core/call.h \
	%D%/core/context.h \
	%D%/core/definition.h \
	%D%/core/executor-state.h \
	%D%/core/executor.h \
	%D%/core/failure-wire.c \
	%D%/core/failure.h \
	%D%/core/function.h \
	%D%/core/histogram.c \
	%D%/core/histogram.h \
	%D%/core/launch-context.h \
	%D%/core/recorder.c \
	%D%/core/recorder.h \
	%D%/core/registry.h \
	%D%/core/stream-pump.c \
	%D%/core/stream-pump.h \
	%D%/core/stream-spool.c \
	%D%/core/stream-spool.h \
	%D%/executors/executor-sandbox.c \
	%D%/executors/executor-sandbox.h \
	%D%/executors/fork-plain.c \
	%D%/executors/fork-plain.h \
	%D%/executors/pool.h \
	%D%/executors/preparation.c \
	%D%/executors/preparation.h \
	%D%/executors/process-executor.h \
	%D%/executors/process-next.c \
	%D%/executors/process-next.h \
	%D%/executors/process-plain.c \
	%D%/executors/process-plain.h \
	%D%/executors/process-run.c \
	%D%/executors/process-run.h \
	%D%/executors/process-start.c \
	%D%/executors/process-start.h \
	%D%/executors/retry.c \
	%D%/executors/retry.h \
	%D%/executors/session.h \
	%D%/executors/slot-start.c \
	%D%/executors/slot-start.h \
	%D%/map/journal.c \
	%D%/map/journal.h \
	%D%/map/map-call.c \
	%D%/map/map-call.h \
	%D%/map/map-collector.c \
	%D%/map/map-collector.h \
	%D%/map/map-queue.c \
	%D%/map/map-queue.h \
	%D%/map/map-slot.c \
	%D%/map/map-slot.h \
	%D%/map/map.h \
	%D%/map/mapping-cancel.c \
	%D%/map/mapping-source.c \
	%D%/map/mapping-wait.c \
	%D%/map/mapping-wait.h \
	%D%/map/mapping.c \
	%D%/map/mapping.h \
	%D%/map/nested-source.c \
	%D%/map/nested-source.h \
	%D%/platform/canceller.c \
	%D%/platform/canceller.h \
	%D%/platform/cgroup-place.c \
	%D%/platform/cgroup-place.h \
	%D%/platform/cgroup.c \
	%D%/platform/cgroup.h \
	%D%/platform/confine.c \
	%D%/platform/confine.h \
	%D%/platform/cpus.c \
	%D%/platform/cpus.h \
	%D%/platform/default-context.c \
	%D%/platform/default-context.h \
	%D%/platform/descendants.c \
	%D%/platform/descendants.h \
	%D%/platform/elf-file.c \
	%D%/platform/elf-file.h \
	%D%/platform/fault.c \
	%D%/platform/fault.h \
	%D%/platform/family.c \
	%D%/platform/family.h \
	%D%/platform/fds.c \
	%D%/platform/fds.h \
	%D%/platform/float-mode.c \
	%D%/platform/float-mode.h \
	%D%/platform/forks.c \
	%D%/platform/forks.h \
	%D%/platform/inherited-state.c \
	%D%/platform/inherited-state.h \
	%D%/platform/known-files.c \
	%D%/platform/known-files.h \
	%D%/platform/landlock.c \
	%D%/platform/landlock.h \
	%D%/platform/launch-context-apply.c \
	%D%/platform/launch-context-apply.h \
	%D%/platform/leave.c \
	%D%/platform/leave.h \
	%D%/platform/limits-apply.c \
	%D%/platform/limits-apply.h \
	%D%/platform/lines.c \
	%D%/platform/lines.h \
	%D%/platform/local-socket.c \
	%D%/platform/local-socket.h \
	%D%/platform/memfd.c \
	%D%/platform/memfd.h \
	%D%/platform/module.c \
	%D%/platform/module.h \
	%D%/platform/pages.c \
	%D%/platform/pages.h \
	%D%/platform/proc.c \
	%D%/platform/proc.h \
	%D%/platform/process.c \
	%D%/platform/process.h \
	%D%/platform/redirect.c \
	%D%/platform/redirect.h \
	%D%/platform/reserve.c \
	%D%/platform/reserve.h \
	%D%/platform/sandbox-apply.c \
	%D%/platform/sandbox-apply.h \
	%D%/platform/schedule.c \
	%D%/platform/schedule.h \
	%D%/platform/self.c \
	%D%/platform/self.h \
	%D%/platform/spawn.c \
	%D%/platform/spawn.h \
	%D%/platform/stack.c \
	%D%/platform/stack.h \
	%D%/platform/symbols.c \
	%D%/platform/symbols.h \
	%D%/platform/syscall-filter.c \
	%D%/platform/syscall-filter.h \
	%D%/platform/syscall-refusal.c \
	%D%/platform/syscall-refusal.h \
	%D%/platform/thread.c \
	%D%/platform/thread.h \
	%D%/platform/timers.c \
	%D%/platform/timers.h \
	%D%/platform/usage-measure.c \
	%D%/platform/usage-measure.h \
	%D%/platform/waker.c \
	%D%/platform/waker.h \
	%D%/platform/worker-path.c \
	%D%/platform/worker-path.h \
	%D%/process/back-off.c \
	%D%/process/back-off.h \
	%D%/process/crash-report.c \
	%D%/process/crash-report.h \
	%D%/process/deaths.c \
	%D%/process/deaths.h \
	%D%/process/ending.c \
	%D%/process/ending.h \
	%D%/process/escalation.c \
	%D%/process/escalation.h \
	%D%/process/exchange-clocks.c \
	%D%/process/exchange-clocks.h \
	%D%/process/exchange-drive.c \
	%D%/process/exchange-drive.h \
	%D%/process/exchange.c \
	%D%/process/exchange.h \
	%D%/process/item-stream.c \
	%D%/process/item-stream.h \
	%D%/process/items.c \
	%D%/process/items.h \
	%D%/process/launch.c \
	%D%/process/launch.h \
	%D%/process/naming.c \
	%D%/process/naming.h \
	%D%/process/outcome.c \
	%D%/process/outcome.h \
	%D%/process/output.c \
	%D%/process/output.h \
	%D%/process/patience.c \
	%D%/process/patience.h \
	%D%/process/places.c \
	%D%/process/places.h \
	%D%/process/plain-exchange.c \
	%D%/process/plain-exchange.h \
	%D%/process/plain-source.c \
	%D%/process/plain-source.h \
	%D%/process/preloads.c \
	%D%/process/preloads.h \
	%D%/process/reply.c \
	%D%/process/reply.h \
	%D%/process/request.c \
	%D%/process/request.h \
	%D%/process/spares.c \
	%D%/process/spares.h \
	%D%/process/streams.c \
	%D%/process/streams.h \
	%D%/process/verdict.c \
	%D%/process/verdict.h \
	%D%/process/worker.c \
	%D%/process/worker.h \
	%D%/process/zygote-state.h \
	%D%/process/zygote-try.c \
	%D%/process/zygote.c \
	%D%/process/zygote.h \
	%D%/process/zygotes.c \
	%D%/process/zygotes.h \
	%D%/remote/contract.c \
	%D%/remote/contract.h \
	%D%/remote/engine.h \
	%D%/remote/engines.c \
	%D%/remote/host-call.c \
	%D%/remote/host-call.h \
	%D%/remote/host-chunk.c \
	%D%/remote/host-chunk.h \
	%D%/remote/host-name.c \
	%D%/remote/host-name.h \
	%D%/remote/host-serve.c \
	%D%/remote/host-serve.h \
	%D%/remote/host-spec.c \
	%D%/remote/host-spec.h \
	%D%/remote/hosts.c \
	%D%/remote/hosts.h \
	%D%/remote/io-thread.c \
	%D%/remote/io-thread.h \
	%D%/remote/launcher-engine.c \
	%D%/remote/launcher-engine.h \
	%D%/remote/launcher.h \
	%D%/remote/link.c \
	%D%/remote/link.h \
	%D%/remote/message.c \
	%D%/remote/message.h \
	%D%/remote/outbox.c \
	%D%/remote/outbox.h \
	%D%/remote/piece.h \
	%D%/remote/placement.c \
	%D%/remote/placement.h \
	%D%/remote/reaper.c \
	%D%/remote/reaper.h \
	%D%/remote/remote-call.c \
	%D%/remote/remote-call.h \
	%D%/remote/remote-chunk.c \
	%D%/remote/remote-chunk.h \
	%D%/remote/remote-host.c \
	%D%/remote/remote-listener.c \
	%D%/remote/remote-host.h \
	%D%/remote/remote-listener.h \
	%D%/remote/remote-pool.h \
	%D%/remote/remote-run.c \
	%D%/remote/remote-run.h \
	%D%/remote/stdio-engine.c \
	%D%/remote/stdio-engine.h \
	%D%/remote/upload.c \
	%D%/remote/upload.h \
	%D%/remote/upload-file.c \
	%D%/remote/upload-file.h \
	%D%/run/call-run.h \
	%D%/run/default-executor.h \
	%D%/run/submit.h \
	%D%/run/unknown-executor.c \
	%D%/run/unknown-executor.h \
	%D%/run/wrappers.c \
	%D%/schedule/acquire.c \
	%D%/schedule/acquire.h \
	%D%/schedule/admission.c \
	%D%/schedule/admission.h \
	%D%/schedule/context-source.c \
	%D%/schedule/context-source.h \
	%D%/schedule/context-waiter.c \
	%D%/schedule/context-waiter.h \
	%D%/schedule/deadlock.c \
	%D%/schedule/hand-over.c \
	%D%/schedule/hand-over.h \
	%D%/schedule/heap.c \
	%D%/schedule/heap.h \
	%D%/schedule/plain-calls.c \
	%D%/schedule/plain-calls.h \
	%D%/schedule/owner.c \
	%D%/schedule/owner.h \
	%D%/schedule/pipeline.c \
	%D%/schedule/pipeline.h \
	%D%/schedule/presence.c \
	%D%/schedule/presence.h \
	%D%/schedule/queue.c \
	%D%/schedule/queue.h \
	%D%/schedule/reservation.c \
	%D%/schedule/reservation.h \
	%D%/schedule/scheduler-close.c \
	%D%/schedule/scheduler.c \
	%D%/schedule/scheduler.h \
	%D%/schedule/slots.c \
	%D%/schedule/slots.h \
	%D%/schedule/starts.c \
	%D%/schedule/starts.h \
	%D%/schedule/waiter.c \
	%D%/schedule/waiter.h \
	%D%/schedule/worker-prepare.c \
	%D%/schedule/worker-slot.c \
	%D%/schedule/worker-slot.h \
	%D%/schedule/worker-start.c \
	%D%/schedule/worker-start.h \
	%D%/statistics/monitor-serve.c \
	%D%/statistics/monitor.h \
	%D%/statistics/statistics.h \
	%D%/values/buffer.h \
	%D%/values/byte-buffer.c \
	%D%/values/byte-buffer.h \
	%D%/values/bytes.h \
	%D%/values/kind.c \
	%D%/values/kind.h \
	%D%/values/parts.c \
	%D%/values/parts.h \
	%D%/values/schema.h \
	%D%/values/serialised.c \
	%D%/values/serialised.h \
	%D%/values/type-decode.c \
	%D%/values/type-encode.c \
	%D%/values/type-packed.c \
	%D%/values/type-packed.h \
	%D%/values/type-plain.c \
	%D%/values/type-plain.h \
	%D%/values/type.c \
	%D%/values/type.h \
	%D%/wire/arena.c \
	%D%/wire/arena.h \
	%D%/wire/borrower.c \
	%D%/wire/borrower.h \
	%D%/wire/channel-in.c \
	%D%/wire/channel-in.h \
	%D%/wire/channel-out.c \
	%D%/wire/channel-out.h \
	%D%/wire/channel.c \
	%D%/wire/channel.h \
	%D%/wire/crash.h \
	%D%/wire/error-frame.c \
	%D%/wire/error-frame.h \
	%D%/wire/frame.c \
	%D%/wire/frame.h \
	%D%/wire/journal.h \
	%D%/wire/lender.c \
	%D%/wire/lender.h \
	%D%/wire/loan.h \
	%D%/wire/loans.c \
	%D%/wire/loans.h \
	%D%/wire/names.h \
	%D%/wire/ring.c \
	%D%/wire/ring.h \
	%D%/wire/sandbox-frame.c \
	%D%/wire/sandbox-frame.h \
	%D%/wire/setup.c \
	%D%/wire/setup.h

# A tarball has what the script prints, so that only a build of the repository needs Python.
EXTRA_DIST += %D%/codecs/number-powers.py
MAINTAINERCLEANFILES = %D%/codecs/number-powers.c

%D%/codecs/number-powers.c: %D%/codecs/number-powers.py
	$(AM_V_GEN)$(MKDIR_P) $(@D) && python3 -B $(srcdir)/%D%/codecs/number-powers.py > $@.tmp && mv $@.tmp $@

# Generated, so not in the tarball.
procfun_built_headers = \
	%D%/procfun-version.h

procfunincludedir = $(includedir)/procfun
procfuninclude_HEADERS = $(procfun_headers)
nodist_procfuninclude_HEADERS = $(procfun_built_headers)

# Every object once: the shared library is made of it, and so are the tests, which thus are real ELF
# files (a libtool wrapper could not execute itself) and reach private symbols.
noinst_LTLIBRARIES = %D%/libprocfun-all.la
%C%_libprocfun_all_la_SOURCES = $(procfun_headers) $(procfun_sources) $(procfun_private)
# Casts are not checked: those of one call cost as much as to make an object.
%C%_libprocfun_all_la_CPPFLAGS = $(AM_CPPFLAGS) -DG_LOG_DOMAIN='"procfun"' -DG_DISABLE_CAST_CHECKS
%C%_libprocfun_all_la_CFLAGS = $(AM_CFLAGS) $(LIBDW_CFLAGS) $(SECCOMP_CFLAGS) $(SYSPROF_CFLAGS) -fvisibility=hidden
%C%_libprocfun_all_la_LIBADD = $(PROCFUN_LIBS) $(SYSPROF_LIBS)

lib_LTLIBRARIES = %D%/libprocfun.la
%C%_libprocfun_la_SOURCES =
%C%_libprocfun_la_LIBADD = %D%/libprocfun-all.la
# Without -static-libgcc each program would load a library more, which nothing else in it may need.
%C%_libprocfun_la_LDFLAGS = -version-info $(PROCFUN_LT_VERSION) -no-undefined -Wl,-z,now -Wc,-static-libgcc \
	-Wl,--version-script=$(srcdir)/%D%/procfun.map
EXTRA_%C%_libprocfun_la_DEPENDENCIES = %D%/procfun.map
EXTRA_DIST += %D%/procfun.map

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

%D%/procfun.vapi: %D%/Procfun-1.0.gir $(vala_bindings)
%C%_procfun_vapi_DEPS = gio-2.0 json-glib-1.0
%C%_procfun_vapi_METADATADIRS = $(top_srcdir)/bindings/vala
%C%_procfun_vapi_FILES = %D%/Procfun-1.0.gir $(top_srcdir)/bindings/vala/Procfun-1.0-custom.vala

%D%/procfun.deps: Makefile
	$(AM_V_GEN)printf '%s\n' $(%C%_procfun_vapi_DEPS) > $@

vapidir = $(datadir)/vala/vapi
nodist_vapi_DATA = $(VAPIGEN_VAPIS) %D%/procfun.deps
CLEANFILES += $(nodist_vapi_DATA)
endif
