# SPDX-License-Identifier: LGPL-2.1-or-later
# One name a line, sorted. A program test-foo is made of test-foo.c, unless it says otherwise below.

test_programs = \
	%D%/test-arena \
	%D%/test-borrower \
	%D%/test-broadcast \
	%D%/test-buffer \
	%D%/test-bytes \
	%D%/test-bytes-kept \
	%D%/test-call \
	%D%/test-call-json \
	%D%/test-call-properties \
	%D%/test-call-wait \
	%D%/test-canceller \
	%D%/test-cgroup \
	%D%/test-channel \
	%D%/test-channel-descriptors \
	%D%/test-channel-patience \
	%D%/test-channel-ring \
	%D%/test-close \
	%D%/test-codec \
	%D%/test-codec-property \
	%D%/test-control \
	%D%/test-control-limits \
	%D%/test-control-output \
	%D%/test-crash \
	%D%/test-deaths \
	%D%/test-define \
	%D%/test-define-cxx \
	%D%/test-descriptors \
	%D%/test-elf \
	%D%/test-engine \
	%D%/test-environment \
	%D%/test-error \
	%D%/test-executor \
	%D%/test-failure \
	%D%/test-faults \
	%D%/test-family \
	%D%/test-fds \
	%D%/test-fixture \
	%D%/test-flood \
	%D%/test-forged \
	%D%/test-fork-server \
	%D%/test-function \
	%D%/test-fuzz \
	%D%/test-generator \
	%D%/test-generator-ends \
	%D%/test-handing-on \
	%D%/test-histogram \
	%D%/test-host-names \
	%D%/test-host-serve \
	%D%/test-hostile \
	%D%/test-hosts \
	%D%/test-huge \
	%D%/test-inherited \
	%D%/test-inline \
	%D%/test-io-thread \
	%D%/test-items \
	%D%/test-json \
	%D%/test-json-batch \
	%D%/test-json-corpus \
	%D%/test-json-damaged \
	%D%/test-json-errors \
	%D%/test-json-node \
	%D%/test-large \
	%D%/test-launch-context \
	%D%/test-leftovers \
	%D%/test-lifeline \
	%D%/test-limits \
	%D%/test-limits-applied \
	%D%/test-loans \
	%D%/test-map \
	%D%/test-map-faults \
	%D%/test-map-on \
	%D%/test-map-stream \
	%D%/test-marks \
	%D%/test-matrix \
	%D%/test-memfd \
	%D%/test-monitor \
	%D%/test-naming \
	%D%/test-nats-pulls \
	%D%/test-number \
	%D%/test-outcome \
	%D%/test-pages \
	%D%/test-placement \
	%D%/test-plain-async \
	%D%/test-plain-call \
	%D%/test-plain-fork \
	%D%/test-plain-long \
	%D%/test-plain-threads \
	%D%/test-plain-pipelined \
	%D%/test-pool \
	%D%/test-pool-bounds \
	%D%/test-pool-close \
	%D%/test-pool-deaths \
	%D%/test-pool-given-up \
	%D%/test-pool-in-flight \
	%D%/test-pool-initializer \
	%D%/test-pool-limits \
	%D%/test-pool-pipelined \
	%D%/test-pool-queue \
	%D%/test-preload \
	%D%/test-process-with \
	%D%/test-program \
	%D%/test-properties \
	%D%/test-queue \
	%D%/test-registry \
	%D%/test-remote \
	%D%/test-remote-churn \
	%D%/test-remote-faults \
	%D%/test-remote-hosts \
	%D%/test-remote-liar \
	%D%/test-remote-link \
	%D%/test-remote-map \
	%D%/test-remote-waits \
	%D%/test-ring \
	%D%/test-schema \
	%D%/test-sandbox \
	%D%/test-sandbox-pool \
	%D%/test-scheduler \
	%D%/test-schema-json \
	%D%/test-serve \
	%D%/test-session \
	%D%/test-soak \
	%D%/test-spawner \
	%D%/test-spawner-async \
	%D%/test-spawner-failures \
	%D%/test-statistics \
	%D%/test-statistics-text \
	%D%/test-stream \
	%D%/test-symbolise \
	%D%/test-thread \
	%D%/test-type \
	%D%/test-type-packed \
	%D%/test-type-structs \
	%D%/test-upload \
	%D%/test-usage \
	%D%/test-values \
	%D%/test-verdict \
	%D%/test-wire-error \
	%D%/test-zygote

# They load a module, and share the library with it, as programs do. What is linked so in the tree is not installed.
module_test_programs = \
	%D%/test-nats \
	%D%/test-nats-churn \
	%D%/test-nats-cluster \
	%D%/test-nats-faults \
	%D%/test-nats-login \
	%D%/test-nats-losses
check_PROGRAMS += $(module_test_programs)

# Programs that tests start; they are built with the tests but are none.
test_helpers = \
	%D%/crasher \
	%D%/hosts \
	%D%/hosts-other-build \
	%D%/injected \
	%D%/limited \
	%D%/monitored

test_scripts = \
	%D%/test-bench.sh \
	%D%/test-define-errors.sh \
	%D%/test-examples.sh \
	%D%/test-exports.sh \
	%D%/test-fixture-used.sh \
	%D%/test-gallery.sh \
	%D%/test-gi-docgen.sh \
	%D%/test-gjs.sh \
	%D%/test-guide.sh \
	%D%/test-headers.sh \
	%D%/test-inject.sh \
	%D%/test-install.sh \
	%D%/test-layers.sh \
	%D%/test-link.sh \
	%D%/test-nats-tool.sh \
	%D%/test-plugins.sh \
	%D%/test-python.sh \
	%D%/test-remote-rooms.sh \
	%D%/test-remote-ssh.sh \
	%D%/test-tool-monitor.sh \
	%D%/test-tool-map.sh \
	%D%/test-tool.sh \
	%D%/test-tour.sh \
	%D%/test-translations.sh \
	%D%/test-vala.sh

# Data and sources that tests read: in the tarball, and installed beside the installed tests.
test_data =

LDADD = %D%/libfixture.la procfun/libprocfun-all.la $(PROCFUN_LIBS)
check_LTLIBRARIES = %D%/libfixture.la
%C%_libfixture_la_SOURCES = %D%/fixture.c %D%/fixture.h %D%/tsan.c %D%/tsan.h
%C%_test_define_SOURCES = %D%/test-define.c %D%/define-functions.c %D%/define-functions.h %D%/thunk.c %D%/thunk.h
%C%_test_define_cxx_SOURCES = %D%/test-define-cxx.cc %D%/define-functions.c %D%/define-functions.h %D%/define-object.cc
# Functions that tests call, and the calls.
calls = %D%/calls.c %D%/calls.h %D%/functions.c %D%/functions.h %D%/hostile-children.c %D%/hostile-children.h
%C%_test_call_SOURCES = %D%/test-call.c $(calls)
channel_ends = %D%/channel-ends.c %D%/channel-ends.h
%C%_test_channel_SOURCES = %D%/test-channel.c %D%/faults.c %D%/faults.h $(channel_ends)
%C%_test_channel_descriptors_SOURCES = %D%/test-channel-descriptors.c $(channel_ends)
%C%_test_channel_patience_SOURCES = %D%/test-channel-patience.c $(channel_ends)
%C%_test_channel_ring_SOURCES = %D%/test-channel-ring.c %D%/faults.c %D%/faults.h $(channel_ends)
%C%_test_call_json_SOURCES = %D%/test-call-json.c $(calls)
%C%_test_call_properties_SOURCES = %D%/test-call-properties.c $(calls)
%C%_test_environment_SOURCES = %D%/test-environment.c $(calls)
%C%_test_executor_SOURCES = %D%/test-executor.c $(calls)
%C%_test_fork_server_SOURCES = %D%/test-fork-server.c $(calls)
%C%_test_function_SOURCES = %D%/test-function.c $(calls)
generators = %D%/generators.c %D%/generators.h %D%/readers.c %D%/readers.h $(calls)
%C%_test_call_wait_SOURCES = %D%/test-call-wait.c $(generators)
%C%_test_generator_SOURCES = %D%/test-generator.c $(generators)
%C%_test_generator_ends_SOURCES = %D%/test-generator-ends.c $(generators)
%C%_test_control_SOURCES = %D%/test-control.c $(calls)
%C%_test_control_limits_SOURCES = %D%/test-control-limits.c $(calls)
%C%_test_control_output_SOURCES = %D%/test-control-output.c $(calls)
%C%_test_hosts_SOURCES = %D%/test-hosts.c $(calls)
%C%_test_huge_SOURCES = %D%/test-huge.c $(calls) $(remotes)
%C%_test_inherited_SOURCES = %D%/test-inherited.c $(calls)
%C%_test_outcome_SOURCES = %D%/test-outcome.c $(calls)
%C%_test_items_SOURCES = %D%/test-items.c $(channel_ends)
%C%_test_forged_SOURCES = %D%/test-forged.c $(channel_ends) $(pools)
%C%_test_inline_SOURCES = %D%/test-inline.c $(calls)
%C%_test_buffer_SOURCES = %D%/test-buffer.c $(pools)
shared_bytes = %D%/shared-bytes.c %D%/shared-bytes.h
%C%_test_bytes_SOURCES = %D%/test-bytes.c $(pools) $(shared_bytes)
%C%_test_bytes_kept_SOURCES = %D%/test-bytes-kept.c $(pools) $(shared_bytes)
%C%_test_large_SOURCES = %D%/test-large.c $(pools)
%C%_test_descriptors_SOURCES = %D%/test-descriptors.c $(pools)
%C%_test_properties_SOURCES = %D%/test-properties.c $(calls)
%C%_test_launch_context_SOURCES = %D%/test-launch-context.c $(calls)
remotes = %D%/remotes.c %D%/remotes.h
%C%_test_handing_on_SOURCES = %D%/test-handing-on.c %D%/generators.c %D%/generators.h $(remotes) $(calls)
%C%_test_engine_SOURCES = %D%/test-engine.c $(calls) $(remotes)
brokers = %D%/brokers.c %D%/brokers.h %D%/calls.c %D%/calls.h %D%/functions.c %D%/functions.h $(remotes)
errands = %D%/errands.c %D%/errands.h
# The locks of GLib in a module are those of tests/tsan.c, which the program has.
%C%_test_nats_SOURCES = %D%/test-nats.c $(brokers)
%C%_test_nats_churn_SOURCES = %D%/test-nats-churn.c $(churn) $(brokers)
%C%_test_nats_churn_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_churn_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_nats_cluster_SOURCES = %D%/test-nats-cluster.c $(errands) $(brokers)
%C%_test_nats_cluster_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_cluster_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_nats_faults_SOURCES = %D%/test-nats-faults.c $(errands) $(brokers)
%C%_test_nats_faults_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_faults_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_nats_login_SOURCES = %D%/test-nats-login.c $(brokers)
%C%_test_nats_login_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_login_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_nats_losses_SOURCES = %D%/test-nats-losses.c $(errands) $(brokers)
%C%_test_nats_losses_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_losses_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
%C%_test_nats_pulls_SOURCES = %D%/test-nats-pulls.c engines/nats/pulls.c engines/nats/pulls.h
%C%_test_nats_LDADD = %D%/libfixture.la procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_test_nats_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
churn = %D%/churn.c %D%/churn.h %D%/maps.c %D%/maps.h %D%/map-functions.c %D%/map-functions.h
%C%_test_remote_churn_SOURCES = %D%/test-remote-churn.c $(churn) $(remotes) $(calls)
%C%_test_remote_faults_SOURCES = %D%/test-remote-faults.c %D%/openmetrics.c %D%/openmetrics.h $(remotes) $(pools)
%C%_test_upload_SOURCES = %D%/test-upload.c $(calls) $(remotes)
%C%_test_remote_hosts_SOURCES = %D%/test-remote-hosts.c $(remotes) $(pools)
%C%_test_remote_liar_SOURCES = %D%/test-remote-liar.c %D%/generators.c %D%/generators.h $(remotes) $(calls)
%C%_test_remote_waits_SOURCES = %D%/test-remote-waits.c $(remotes) $(calls)
%C%_test_remote_map_SOURCES = %D%/test-remote-map.c $(remotes) $(maps)
%C%_test_remote_SOURCES = %D%/test-remote.c %D%/generators.c %D%/generators.h %D%/readers.c %D%/readers.h $(remotes) $(pools)
%C%_test_lifeline_SOURCES = %D%/test-lifeline.c $(calls)
json_schemas = %D%/json-schemas.c %D%/json-schemas.h
%C%_test_json_SOURCES = %D%/test-json.c $(json_schemas)
%C%_test_json_errors_SOURCES = %D%/test-json-errors.c $(json_schemas)
maps = %D%/maps.c %D%/maps.h %D%/map-functions.c %D%/map-functions.h $(generators)
%C%_test_map_SOURCES = %D%/test-map.c $(maps)
%C%_test_map_faults_SOURCES = %D%/test-map-faults.c $(maps)
%C%_test_map_on_SOURCES = %D%/test-map-on.c $(remotes) $(maps)
%C%_test_map_stream_SOURCES = %D%/test-map-stream.c %D%/pools.c %D%/pools.h $(maps)
%C%_test_marks_SOURCES = %D%/test-marks.c $(pools)
%C%_test_marks_CFLAGS = $(AM_CFLAGS) $(SYSPROF_CFLAGS)
%C%_test_marks_LDADD = $(LDADD) $(SYSPROF_LIBS)
%C%_test_matrix_SOURCES = %D%/test-matrix.c $(calls)
%C%_test_zygote_SOURCES = %D%/test-zygote.c %D%/faults.c %D%/faults.h $(calls)
pools = %D%/pools.c %D%/pools.h $(calls)
%C%_test_broadcast_SOURCES = %D%/test-broadcast.c $(pools)
%C%_test_close_SOURCES = %D%/test-close.c $(pools)
left_settings = %D%/left-settings.c %D%/left-settings.h
%C%_test_leftovers_SOURCES = %D%/test-leftovers.c $(left_settings) $(pools)
plain_calls = %D%/plain-calls.c %D%/plain-calls.h
%C%_test_plain_async_SOURCES = %D%/test-plain-async.c %D%/answers.c %D%/answers.h $(plain_calls) $(pools)
%C%_test_plain_pipelined_SOURCES = %D%/test-plain-pipelined.c %D%/answers.c %D%/answers.h $(plain_calls) $(pools)
%C%_test_plain_call_SOURCES = %D%/test-plain-call.c %D%/hostile-ring.c %D%/hostile-ring.h $(plain_calls) $(pools)
%C%_test_plain_fork_SOURCES = %D%/test-plain-fork.c %D%/answers.c %D%/answers.h $(plain_calls) $(calls)
%C%_test_pool_SOURCES = %D%/test-pool.c $(pools)
%C%_test_pool_bounds_SOURCES = %D%/test-pool-bounds.c $(pools)
%C%_test_pool_close_SOURCES = %D%/test-pool-close.c $(pools)
%C%_test_pool_deaths_SOURCES = %D%/test-pool-deaths.c %D%/faults.c %D%/faults.h $(pools)
%C%_test_pool_given_up_SOURCES = %D%/test-pool-given-up.c $(pools)
%C%_test_pool_in_flight_SOURCES = %D%/test-pool-in-flight.c $(pools)
%C%_test_pool_initializer_SOURCES = %D%/test-pool-initializer.c $(pools)
%C%_test_pool_limits_SOURCES = %D%/test-pool-limits.c $(pools)
%C%_test_process_with_SOURCES = %D%/test-process-with.c $(pools)
%C%_test_pool_queue_SOURCES = %D%/test-pool-queue.c $(pools)
%C%_test_preload_SOURCES = %D%/test-preload.c $(pools)
sandbox_conditions = %D%/sandbox-conditions.c %D%/sandbox-conditions.h
%C%_test_sandbox_SOURCES = %D%/test-sandbox.c %D%/escapes.c %D%/escapes.h $(sandbox_conditions) $(remotes)
%C%_test_sandbox_pool_SOURCES = %D%/test-sandbox-pool.c $(sandbox_conditions)
%C%_test_scheduler_SOURCES = %D%/test-scheduler.c %D%/pools.c %D%/pools.h $(generators)
hostile_functions = %D%/hostile-functions.c %D%/hostile-functions.h
%C%_test_flood_SOURCES = %D%/test-flood.c $(hostile_functions) $(pools)
hostile = %D%/hostile.c %D%/hostile.h $(hostile_functions) $(left_settings) $(deaths) $(generators)
%C%_test_hostile_SOURCES = %D%/test-hostile.c $(hostile)
%C%_test_session_SOURCES = %D%/test-session.c $(pools)
%C%_test_registry_SOURCES = %D%/test-registry.c $(remotes) $(calls)
%C%_test_serve_SOURCES = %D%/test-serve.c $(calls)
%C%_test_soak_SOURCES = %D%/test-soak.c %D%/soak.c %D%/soak.h $(remotes) $(generators)
%C%_test_stream_SOURCES = %D%/test-stream.c $(pools)
%C%_test_spawner_SOURCES = %D%/test-spawner.c $(calls)
%C%_test_spawner_async_SOURCES = %D%/test-spawner-async.c $(calls)
%C%_test_spawner_failures_SOURCES = %D%/test-spawner-failures.c $(calls)
executor = %D%/manual-executor.c %D%/manual-executor.h
%C%_test_monitor_SOURCES = %D%/test-monitor.c %D%/openmetrics.c %D%/openmetrics.h $(calls)
%C%_test_statistics_SOURCES = %D%/test-statistics.c $(executor) $(generators)
%C%_test_statistics_text_SOURCES = %D%/test-statistics-text.c %D%/openmetrics.c %D%/openmetrics.h $(executor) $(calls)
%C%_test_fds_SOURCES = %D%/test-fds.c %D%/faults.c %D%/faults.h
%C%_test_faults_SOURCES = %D%/test-faults.c %D%/faults.c %D%/faults.h $(calls)
hosts_sources = %D%/hosts.c %D%/hosts.h %D%/hosts-calls.c %D%/hosts-descriptors.c %D%/hosts-functions.c \
	%D%/hosts-identity.c %D%/hosts-processes.c %D%/hosts-signals.c
%C%_hosts_SOURCES = $(hosts_sources) %D%/hosts-build.c
%C%_hosts_other_build_SOURCES = $(hosts_sources) %D%/hosts-other-build.c
deaths = %D%/deaths.c %D%/deaths.h %D%/deaths-throw.cc
%C%_crasher_SOURCES = %D%/crasher.c $(deaths)
%C%_test_naming_SOURCES = %D%/test-naming.c $(deaths)
%C%_test_deaths_SOURCES = %D%/test-deaths.c $(calls) $(deaths)
%C%_test_type_SOURCES = %D%/test-type.c %D%/thunk.c %D%/thunk.h
%C%_test_type_packed_SOURCES = %D%/test-type-packed.c
%C%_test_type_structs_SOURCES = %D%/test-type-structs.c %D%/thunk.c %D%/thunk.h
%C%_test_elf_SOURCES = %D%/test-elf.c tools/elf.c tools/elf.h
%C%_test_program_SOURCES = %D%/test-program.c tools/elf.c tools/elf.h tools/fields.c tools/fields.h tools/map-arguments.c \
	tools/map-arguments.h tools/program.c tools/program.h tools/records.c tools/records.h tools/schema.c tools/schema.h
%C%_test_schema_json_SOURCES = %D%/test-schema-json.c tools/schema.c tools/schema.h
%C%_test_number_LDADD = $(LDADD) -lm
%C%_test_pool_LDADD = $(LDADD) -lm

# What fuzzers give bytes to. ./dev fuzz builds the program, for which LIB_FUZZING_ENGINE has the main().
fuzz_sources = %D%/fuzz-files.c %D%/fuzz-frames.c %D%/fuzz-packets.c %D%/fuzz-peers.c %D%/fuzz-targets.c %D%/fuzz-targets.h \
	%D%/fuzz-values.c %D%/calls.c %D%/calls.h $(json_schemas) \
	engines/nats/packet.c engines/nats/packet.h engines/nats/jet-reply.c engines/nats/jet-reply.h engines/nats/talk.c engines/nats/talk.h
%C%_test_fuzz_SOURCES = %D%/test-fuzz.c $(fuzz_sources)
LIB_FUZZING_ENGINE = -fsanitize=fuzzer
EXTRA_PROGRAMS += %D%/fuzzer
%C%_fuzzer_SOURCES = %D%/fuzz.c $(fuzz_sources)
%C%_fuzzer_LDFLAGS = $(AM_LDFLAGS) $(LIB_FUZZING_ENGINE)

# The program that test-tool.sh looks into, against the shared library as users have it.
check_PROGRAMS += %D%/tool-program
%C%_tool_program_SOURCES = %D%/tool-functions.c %D%/tool-main.c
%C%_tool_program_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)
check_PROGRAMS += %D%/room-caller
%C%_room_caller_SOURCES = %D%/room-caller.c
%C%_room_caller_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)
check_LTLIBRARIES += %D%/tool-library.la
%C%_tool_library_la_SOURCES = %D%/tool-functions.c
%C%_tool_library_la_LIBADD = procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_tool_library_la_CFLAGS = $(AM_CFLAGS) # or automake would mix up its objects with the program's
# Only what has an rpath is made a shared library.
%C%_tool_library_la_LDFLAGS = -module -avoid-version -rpath /nowhere

# Preloaded by inject.py, and by nothing else.
check_LTLIBRARIES += %D%/inject-shim.la
%C%_inject_shim_la_SOURCES = %D%/inject-shim.c
%C%_inject_shim_la_CFLAGS = $(AM_CFLAGS)
%C%_inject_shim_la_LIBADD =
%C%_inject_shim_la_LDFLAGS = -module -avoid-version -rpath /nowhere

if ENABLE_INSTALLED_TESTS
installedtestsdir = $(libexecdir)/installed-tests/procfun
installedtests_PROGRAMS = $(test_programs) $(test_helpers)
dist_installedtests_DATA = $(test_data)
installedtestsmetadir = $(datadir)/installed-tests/procfun
nodist_installedtestsmeta_DATA = $(test_programs:=.test)
CLEANFILES += $(nodist_installedtestsmeta_DATA)

%D%/%.test: Makefile
	$(AM_V_GEN)printf '[Test]\nType=session\nExec=%s\nOutput=TAP\n' \
	  "env G_TEST_SRCDIR=$(installedtestsdir) G_TEST_BUILDDIR=$(installedtestsdir) $(installedtestsdir)/$*" > $@
else
check_PROGRAMS += $(test_programs) $(test_helpers)
EXTRA_DIST += $(test_data)
endif

EXTRA_DIST += %D%/link/later.c %D%/link/loader.c %D%/link/plugin.c %D%/link/program.c %D%/link/twice.c
EXTRA_DIST += $(test_scripts) %D%/fuzz %D%/fuzz.py %D%/inject.py %D%/languages.sh %D%/mutants/list.txt %D%/mutants/run.py %D%/sshd.sh %D%/tap.sh %D%/gjs-define.js %D%/python-calls.py %D%/python-decorator.py %D%/python-numpy.py %D%/tool-interrupt.py %D%/tool-monitor.py %D%/tool-terminal.py %D%/vala-calls.vala

# Plain TAP; GLib's tests print it by default.
TESTS = $(test_programs) $(module_test_programs) $(test_scripts)
TEST_EXTENSIONS = .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)

# Output of pkg-config if the library in the tree were installed.
tree_includes = -I$(abs_top_srcdir) -I$(abs_top_builddir) -I$(abs_top_srcdir)/procfun
tree_libs = -L$(abs_top_builddir)/procfun/.libs -Wl,-rpath,$(abs_top_builddir)/procfun/.libs -lprocfun

# For the programs; then for scripts, which compile and look into things. The sanitizers' options make
# stacks through GLib, which keeps no frame pointers, readable; they see malloc(), but no slices; and where
# libdw, which is loaded late, has its thread-local variables they would guess, and at times crash. A process that may
# not write its counts of coverage must not say so where the test reads.
AM_TESTS_ENVIRONMENT = \
	export G_TEST_SRCDIR='$(abs_top_srcdir)/%D%' G_TEST_BUILDDIR='$(abs_top_builddir)/%D%'; \
	export G_DEBUG=fatal-warnings LC_ALL=C.UTF-8; \
	export PROCFUN_WORKER='$(abs_top_builddir)/tools/procfun-worker-in-tree'; \
	export ASAN_OPTIONS=fast_unwind_on_malloc=0:intercept_tls_get_addr=0 UBSAN_OPTIONS=print_stacktrace=1; \
	export GCOV_ERROR_FILE=/dev/null; \
	test '$(SANITIZERS)' = no || export G_SLICE=always-malloc; \
	export TOP_SRCDIR='$(abs_top_srcdir)' TOP_BUILDDIR='$(abs_top_builddir)'; \
	export CC='$(CC)' CXX='$(CXX)' NM='$(NM_PROGRAM)' PKG_CONFIG='$(PKG_CONFIG)' SANITIZERS='$(SANITIZERS)'; \
	export CFLAGS='$(CFLAGS)' CXXFLAGS='$(CXXFLAGS)' LDFLAGS='$(LDFLAGS)'; \
	export PROCFUN_CFLAGS='$(tree_includes) $(PROCFUN_CFLAGS)' PROCFUN_LIBS='$(tree_libs) $(PROCFUN_LIBS)'; \
	export LIBDIR='$(libdir)' PKGCONFIGDIR='$(pkgconfigdir)' PROCFUN_ABI='$(PROCFUN_ABI)'; \
	export MODULES_PREFIX='$(prefix)' MODULES_PYTHON='$(PYTHON)' MODULES_FOLDER='$(pythondir)'; \
	export PROCFUN_HEADERS='$(procfun_headers) $(procfun_built_headers)';

# The programs under valgrind; their children run as always. GLib brings what it leaks by intention.
valgrind_flags = -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
	--suppressions=$(GLIB_PREFIX)/share/glib-2.0/valgrind/glib.supp
check-valgrind: $(test_programs) $(test_helpers)
	$(MAKE) check-TESTS TESTS='$(test_programs)' LOG_COMPILER=valgrind LOG_FLAGS='$(valgrind_flags)'
.PHONY: check-valgrind

# The installed library works; distcheck runs this, too.
installcheck-local:
	$(AM_TESTS_ENVIRONMENT) INSTALLED=yes $(SHELL) $(top_srcdir)/%D%/test-install.sh | tee %D%/installcheck.tap
	! grep '^not ok' %D%/installcheck.tap
CLEANFILES += %D%/installcheck.tap
