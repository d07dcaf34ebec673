#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gives the parts of the library that read what others wrote any bytes, for a time, by libFuzzer.

fuzz.py BUILD MINUTES [--only LIST] [--jobs N]: BUILD is a build folder in which tests/fuzzer was built for libFuzzer, and the
targets, each of which has a folder of seeds in tests/fuzz, share the time. The inputs that reach more are kept in BUILD/fuzz.
An input that breaks something is written among the seeds of its target, and so tests/test-fuzz fails until the mistake is
mended. Exit status: 1 if there is one."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
SEEDS = TOP / "tests/fuzz"
CRASHES_MAX = 5  # of a target, in one run
ARTIFACTS = ("crash-*", "leak-*", "oom-*", "timeout-*")


def list_found(target):
    return {path for pattern in ARTIFACTS for path in (SEEDS / target).glob(pattern)}


def make_environment(build):
    return dict(os.environ, G_SLICE="always-malloc", LC_ALL="C.UTF-8", PROCFUN_WORKER=str(build / "tools/procfun-worker-in-tree"),
                # Stacks of where memory came from would take most of the time; a seed that breaks something gives them later.
                ASAN_OPTIONS="malloc_context_size=0:intercept_tls_get_addr=0", UBSAN_OPTIONS="print_stacktrace=1")


def run_once(build, target, seconds, log):
    """Executions, and lines of code that they reach, as libFuzzer counts."""
    program = build / f"fuzz/fuzz-{target}"
    corpus = build / "fuzz" / target
    corpus.mkdir(exist_ok=True)
    command = [program, corpus, SEEDS / target, f"-max_total_time={seconds}", f"-artifact_prefix={SEEDS / target}/",
               "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=1"]
    done = subprocess.run(command, cwd=build, env=make_environment(build), stdin=subprocess.DEVNULL, stdout=log,
                          stderr=subprocess.PIPE, text=True, errors="replace")
    log.write(done.stderr)
    log.flush()
    executions = re.search(r"stat::number_of_executed_units: +(\d+)", done.stderr)
    counts = [int(n) for n in re.findall(r"cov: (\d+)", done.stderr)]
    return int(executions[1]) if executions else 0, max(counts, default=0)


def fuzz(build, target, seconds):
    """Executions, coverage, and inputs that broke something."""
    before = list_found(target)
    end = time.monotonic() + seconds
    total = reached = 0
    with open(build / f"fuzz/{target}.log", "w", encoding="utf-8") as log:
        while (left := end - time.monotonic()) >= 1 and len(list_found(target) - before) < CRASHES_MAX:
            n_before = len(list_found(target))
            executions, counts = run_once(build, target, int(left), log)
            total += executions
            reached = max(reached, counts)
            if len(list_found(target)) == n_before:
                break
    return total, reached, sorted(list_found(target) - before)


def link(build, target):
    path = build / f"fuzz/fuzz-{target}"
    path.unlink(missing_ok=True)
    os.link(build / "tests/fuzzer", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--only", default="", help="targets, separated by commas")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    build = options.build.resolve()
    targets = options.only.split(",") if options.only else sorted(path.name for path in SEEDS.iterdir() if path.is_dir())
    (build / "fuzz").mkdir(exist_ok=True)
    for target in targets:
        link(build, target)
    seconds = options.minutes * 60 * options.jobs / len(targets)
    all_executions = n_found = 0
    print(f"{'target':10} {'executions':>12} {'a second':>9} {'reached':>8}  found", flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for target, (executions, reached, found) in zip(targets, pool.map(lambda name: fuzz(build, name, seconds), targets)):
            all_executions += executions
            n_found += len(found)
            print(f"{target:10} {executions:12} {executions / seconds:9.0f} {reached:8}  {len(found)}", flush=True)
            for path in found:
                print(f"  {path.relative_to(TOP)}", flush=True)
    print(f"{'all':10} {all_executions:12} executions; {n_found} inputs broke something")
    sys.exit(n_found > 0)


if __name__ == "__main__":
    main()
