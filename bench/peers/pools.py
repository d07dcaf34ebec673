# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pools of Python, as contenders (see bench/contender.h). Argument: one of their names below."""

import concurrent.futures
import multiprocessing
import sys
import time


def add(a, b):
    return a + b


def add_pair(pair):
    return pair[0] + pair[1]


def leave(a, b, connection):
    connection.send(a + b)


def pool():
    workers = multiprocessing.Pool(1)
    return lambda: workers.apply(add, (1, 2))


def process_pool_executor():
    workers = concurrent.futures.ProcessPoolExecutor(1)
    return lambda: workers.submit(add, 1, 2).result()


def pebble():
    try:
        import pebble as module
    except ImportError:
        skip("python3-pebble is not installed")
    workers = module.ProcessPool(max_workers=1)
    return lambda: workers.schedule(add, args=(1, 2)).result()


def process(method):
    context = multiprocessing.get_context(method)

    def call():
        ours, theirs = context.Pipe()
        child = context.Process(target=leave, args=(1, 2, theirs))
        child.start()
        answer = ours.recv()
        child.join()
        return answer
    return call


def executor_for_one_call():
    with concurrent.futures.ProcessPoolExecutor(1) as workers:
        return workers.submit(add, 1, 2).result()


# All n at once; what is measured is one of them.

def pool_map(chunk):
    workers = multiprocessing.Pool(2)
    return lambda n: workers.map(add_pair, [(1, 2)] * n, chunk)


def executor_map(chunk):
    workers = concurrent.futures.ProcessPoolExecutor(2)
    return lambda n: list(workers.map(add_pair, [(1, 2)] * n, chunksize=chunk))


CALLS = {
    "pool": pool,
    "executor": process_pool_executor,
    "pebble": pebble,
    "fork": lambda: process("fork"),
    "spawn": lambda: process("spawn"),
    "forkserver": lambda: process("forkserver"),
    "executor-for-one": lambda: executor_for_one_call,
}

MAPS = {
    "pool-map": lambda: pool_map(1),
    "executor-map": lambda: executor_map(1),
    "pool-map-chunks": lambda: pool_map(None),
    "executor-map-chunks": lambda: executor_map(100),
}


def skip(reason):
    print("skip", reason, flush=True)
    sys.exit()


def time_call(call):
    start = time.perf_counter_ns()
    assert call() == 3
    return time.perf_counter_ns() - start


def time_map(run, n):
    start = time.perf_counter_ns()
    assert run(n)[-1] == 3
    return (time.perf_counter_ns() - start) / n


def main():
    name = sys.argv[1]
    work = CALLS[name]() if name in CALLS else MAPS[name]()
    print("ready", flush=True)
    for line in sys.stdin:
        command, n = line.split()
        samples = [time_call(work) for _ in range(int(n))] if name in CALLS else [time_map(work, int(n))]
        print(*samples if command == "run" else [], flush=True)


if __name__ == "__main__":
    main()
