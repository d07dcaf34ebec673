# SPDX-License-Identifier: LGPL-2.1-or-later
# One program a line, sorted; "make bench" builds and runs them, nothing else does.

bench_programs = \
	%D%/bench-calls \
	%D%/bench-codec \
	%D%/bench-hold

# Against the shared library, as users have it.
%C%_bench_calls_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)
%C%_bench_codec_LDADD = $(%C%_bench_calls_LDADD)
%C%_bench_hold_LDADD = $(%C%_bench_calls_LDADD)

bench_scripts = \
	%D%/definition-size.sh

EXTRA_PROGRAMS += $(bench_programs)
EXTRA_DIST += $(bench_scripts)

bench: $(bench_programs)
	@for program in $(bench_programs); do ./$$program || exit 1; done
	@$(AM_TESTS_ENVIRONMENT) for script in $(bench_scripts); do $(SHELL) $(top_srcdir)/$$script || exit 1; done
.PHONY: bench
