#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions in Python: in processes of their own, in a pool, with progress, and with what can go wrong."""

import os
import time

import procfun


@procfun.function
def square(n: int) -> int:
    return n * n


@procfun.function
def convert(n_pages: int) -> int:
    for page in range(n_pages):
        procfun.report_progress((page + 1) / n_pages, f"page {page + 1}")
    return n_pages


@procfun.function
def fail(page: int) -> None:
    raise ValueError(f"there is no page {page}")


@procfun.function
def crash() -> None:
    os.abort()


@procfun.function(timeout=0.5)
def sleep() -> None:
    time.sleep(600)


procfun.serve()

print("in a process:", square.process(7))
with procfun.Pool(2) as pool:
    print("in a pool:", *square.map(range(4), pool=pool))

fractions = []
call = convert.call(4)
call.connect("progress", lambda call, fraction, message: fractions.append(fraction))
call.run(None)
print(f"progress: {fractions[-1]:.0%}")

try:
    fail.process(5)
except ValueError as error:
    print("an exception:", error)
try:
    crash.process()
except procfun.Crashed:
    print("a crash")
try:
    sleep.process()
except TimeoutError:
    print("a timeout")
