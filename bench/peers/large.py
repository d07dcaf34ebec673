#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An argument of so many MiB in Python: two pools that pickle it, and shared memory by hand.

Each way adds up the argument in another process: its 64-bit words, or its bytes by zlib where there
is no numpy. large.py [MiB] [rounds]
"""

import concurrent.futures
import multiprocessing
import multiprocessing.shared_memory
import sys
import time
import zlib

try:
    import numpy
except ImportError:
    numpy = None


def add_up(data):
    return int(numpy.frombuffer(data, numpy.uint64).sum()) if numpy else zlib.adler32(data)


def add_up_shared(name, size):
    memory = multiprocessing.shared_memory.SharedMemory(name)
    with memory.buf[:size] as data:
        total = add_up(data)
    memory.close()
    return total


def by_hand(pool, data):
    """What a program must do for each argument, and it must know the name and the size there."""
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=len(data))
    memory.buf[: len(data)] = data
    total = pool.apply(add_up_shared, (memory.name, len(data)))
    memory.close()
    memory.unlink()
    return total


def measure(name, floor, rounds, work):
    best = float("inf")
    for _ in range(rounds + 1):
        before = time.monotonic()
        work()
        best = min(best, time.monotonic() - before)
    print(f"{name:<28} {best * 1000:9.3f} ms  {best / (floor or best):6.2f}")
    return best


def main():
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 64) * 1024 * 1024) // 8 * 8
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    data = b"\1" * size
    floor = measure("sum", None, rounds, lambda: add_up(data))
    with multiprocessing.Pool(1) as pool:
        measure("multiprocessing.Pool", floor, rounds, lambda: pool.apply(add_up, (data,)))
        measure("shared_memory by hand", floor, rounds, lambda: by_hand(pool, data))
    with concurrent.futures.ProcessPoolExecutor(1) as executor:
        measure("ProcessPoolExecutor", floor, rounds, lambda: executor.submit(add_up, data).result())


if __name__ == "__main__":
    main()
