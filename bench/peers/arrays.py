#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An array of numpy to another process and back: with shared memory by hand, and with procfun. arrays.py [MiB] [rounds]

The environment says where procfun is, if it is not installed: PYTHONPATH, GI_TYPELIB_PATH and LD_LIBRARY_PATH.
"""

import multiprocessing
import multiprocessing.shared_memory
import sys
import time

import numpy
import procfun


def double_shared(name, result_name, shape, dtype):
    memory = multiprocessing.shared_memory.SharedMemory(name)
    result_memory = multiprocessing.shared_memory.SharedMemory(result_name)
    values = numpy.ndarray(shape, dtype, memory.buf)
    result = numpy.ndarray(shape, dtype, result_memory.buf)
    numpy.multiply(values, 2, out=result)
    del values, result
    memory.close()
    result_memory.close()


def by_hand(pool, values):
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=values.nbytes)
    result_memory = multiprocessing.shared_memory.SharedMemory(create=True, size=values.nbytes)
    numpy.ndarray(values.shape, values.dtype, memory.buf)[...] = values
    pool.apply(double_shared, (memory.name, result_memory.name, values.shape, values.dtype))
    result = numpy.ndarray(values.shape, values.dtype, result_memory.buf).copy()
    for segment in (memory, result_memory):
        segment.close()
        segment.unlink()
    return result


@procfun.function
def double(values: numpy.ndarray) -> numpy.ndarray:
    return values * 2


procfun.serve()


def measure(name, floor, rounds, work):
    best = float("inf")
    for _ in range(rounds + 1):
        before = time.monotonic()
        work().sum()
        best = min(best, time.monotonic() - before)
    print(f"{name:<28} {best * 1000:9.3f} ms  {best / (floor or best):6.2f}")
    return best


def main():
    count = int(float(sys.argv[1] if len(sys.argv) > 1 else 64) * 1024 * 1024) // 8
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    values = numpy.ones(count)
    floor = measure("here", None, rounds, lambda: values * 2)
    with multiprocessing.Pool(1) as pool:
        measure("shared_memory by hand", floor, rounds, lambda: by_hand(pool, values))
    with procfun.Pool(1) as pool:
        in_pool = double.using(executor=pool)
        measure("procfun, pool", floor, rounds, lambda: in_pool.process(values))
    measure("procfun, a process each", floor, rounds, lambda: double.process(values))


if __name__ == "__main__":
    main()
