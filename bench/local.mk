# SPDX-License-Identifier: LGPL-2.1-or-later
# One program a line, sorted; "make bench" builds and runs them, nothing else does.

bench_programs = \
	%D%/bench-calls

# Against the shared library, as users have it.
%C%_bench_calls_LDADD = procfun/libprocfun.la $(PROCFUN_LIBS)

EXTRA_PROGRAMS += $(bench_programs)

bench: $(bench_programs)
	@for program in $(bench_programs); do ./$$program || exit 1; done
.PHONY: bench
