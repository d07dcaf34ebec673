# SPDX-License-Identifier: LGPL-2.1-or-later
# The measurements. "make bench" builds and runs what is here, nothing else does; BENCH has options for bench.py.

bench_programs = \
	%D%/bench-calls \
	%D%/bench-codec \
	%D%/bench-control \
	%D%/bench-hostile \
	%D%/bench-hosts \
	%D%/bench-large \
	%D%/bench-limits \
	%D%/bench-peers \
	%D%/bench-queue \
	%D%/peers/gdbus
if HAVE_NATS
bench_programs += %D%/bench-nats
endif
if HAVE_JSONRPC
bench_programs += %D%/peers/jsonrpc
endif
if HAVE_ZEROMQ
bench_programs += %D%/peers/zeromq
endif

bench_scripts = \
	%D%/bench.py \
	%D%/chart.py \
	%D%/contenders.py \
	%D%/definition-size.sh \
	%D%/instructions.sh \
	%D%/peers/arrays.py \
	%D%/peers/callr.R \
	%D%/peers/dask_hosts.py \
	%D%/peers/hosts.sh \
	%D%/peers/large.js \
	%D%/peers/large.py \
	%D%/peers/node.js \
	%D%/peers/pools.py \
	%D%/report.py \
	%D%/scale.py

contender = %D%/contender.c %D%/contender.h
pipeline = $(contender) %D%/pipeline.c %D%/pipeline.h
message = %D%/message.c %D%/message.h

# Ours against the shared library, as users have it; the others without.
%C%_bench_calls_SOURCES = %D%/bench-calls.c $(pipeline)
%C%_bench_calls_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_bench_codec_SOURCES = %D%/bench-codec.c $(contender)
%C%_bench_codec_LDADD = $(%C%_bench_calls_LDADD)
%C%_bench_control_SOURCES = %D%/bench-control.c $(contender)
%C%_bench_control_LDADD = $(%C%_bench_calls_LDADD)
# With private symbols, as tests have them.
%C%_bench_hostile_SOURCES = %D%/bench-hostile.c $(hostile)
%C%_bench_hosts_SOURCES = %D%/bench-hosts.c %D%/check.h
%C%_bench_hosts_LDADD = $(%C%_bench_calls_LDADD)
%C%_bench_large_SOURCES = %D%/bench-large.c
%C%_bench_large_LDADD = $(%C%_bench_calls_LDADD)
%C%_bench_limits_SOURCES = %D%/bench-limits.c $(pipeline) $(message)
%C%_bench_limits_LDADD = $(PROCFUN_LIBS)
%C%_bench_nats_SOURCES = %D%/bench-nats.c %D%/check.h %D%/jetstream.c %D%/jetstream.h
%C%_bench_nats_CFLAGS = $(AM_CFLAGS) $(NATS_CFLAGS)
%C%_bench_nats_LDADD = $(%C%_bench_calls_LDADD) $(NATS_LIBS)
%C%_bench_peers_SOURCES = %D%/bench-peers.c %D%/check.h
%C%_bench_peers_LDADD = $(%C%_bench_calls_LDADD)
%C%_bench_queue_SOURCES = %D%/bench-queue.c $(contender) %D%/pipeline.h
%C%_bench_queue_LDADD = $(%C%_bench_calls_LDADD)
%C%_peers_gdbus_SOURCES = %D%/peers/gdbus.c $(pipeline)
%C%_peers_gdbus_LDADD = $(PROCFUN_LIBS)
%C%_peers_jsonrpc_SOURCES = %D%/peers/jsonrpc.c $(pipeline)
%C%_peers_jsonrpc_CFLAGS = $(AM_CFLAGS) $(JSONRPC_CFLAGS)
%C%_peers_jsonrpc_LDADD = $(JSONRPC_LIBS) $(PROCFUN_LIBS)
%C%_peers_zeromq_SOURCES = %D%/peers/zeromq.c $(pipeline) $(message)
%C%_peers_zeromq_CFLAGS = $(AM_CFLAGS) $(ZEROMQ_CFLAGS)
%C%_peers_zeromq_LDADD = $(ZEROMQ_LIBS) $(PROCFUN_LIBS)

EXTRA_PROGRAMS += $(bench_programs)
EXTRA_DIST += $(bench_scripts) %D%/chart.svg
CLEANFILES += $(bench_programs)

bench: $(bench_programs)
	@$(AM_TESTS_ENVIRONMENT) /usr/bin/python3 -B $(top_srcdir)/%D%/bench.py --build=$(top_builddir)/%D% $(BENCH)

# The packages of npm that it would measure; the version of piscina is one that Debian's Node can run.
bench-npm:
	$(MKDIR_P) %D%/peers
	npm install --no-audit --no-fund --prefix %D%/peers piscina@4 workerpool@9
# Hosts over ssh, beside what else calls functions on other machines.
bench-hosts-peers: %D%/bench-peers
	$(SHELL) $(top_srcdir)/%D%/peers/hosts.sh $(abs_top_builddir)/%D%/bench-peers
.PHONY: bench bench-hosts-peers bench-npm
