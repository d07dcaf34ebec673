# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pools of Python, as contenders (see bench/contender.h). Argument: one of their names below."""

import asyncio
import concurrent.futures
import multiprocessing
import sys
import time


def add(a, b):
    return a + b


def add_pair(pair):
    return pair[0] + pair[1]


def work(us):
    end = time.perf_counter_ns() + us * 1000
    while time.perf_counter_ns() < end:
        pass


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


def pool_queue():
    workers = multiprocessing.Pool(2)

    def run(n):
        calls = [workers.apply_async(add, (1, 2)) for _ in range(n)]
        return [call.get() for call in calls]
    return run


def executor_queue():
    workers = concurrent.futures.ProcessPoolExecutor(2)

    def run(n):
        calls = [workers.submit(add, 1, 2) for _ in range(n)]
        return [call.result() for call in calls]
    return run


def in_threads(call, n_threads):
    call()  # the processes come before the threads

    def run(n):
        with concurrent.futures.ThreadPoolExecutor(n_threads) as threads:
            return list(threads.map(lambda _: call(), range(n)))
    return run


def pool_threads(n_threads):
    workers = multiprocessing.Pool(2)
    return in_threads(lambda: workers.apply(add, (1, 2)), n_threads)


def executor_threads(n_threads):
    workers = concurrent.futures.ProcessPoolExecutor(2)
    return in_threads(lambda: workers.submit(add, 1, 2).result(), n_threads)


# The longest time between two ticks of a main loop that asks for many calls at once.

GAP_CALLS = 2000
GAP_CALL_US = 2000
GAP_TICK = 0.005


async def find_worst_gap(workers):
    worst = 0
    loop = asyncio.get_running_loop()
    calls = None
    last = time.perf_counter_ns()
    while calls is None or not calls.done():
        if calls is None:
            calls = asyncio.gather(*[loop.run_in_executor(workers, work, GAP_CALL_US) for _ in range(GAP_CALLS)])
        await asyncio.sleep(GAP_TICK)
        now = time.perf_counter_ns()
        worst = max(worst, now - last)
        last = now
    return worst


def executor_gap():
    workers = concurrent.futures.ProcessPoolExecutor(2)
    return lambda: asyncio.run(find_worst_gap(workers))


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
    "pool-queue": pool_queue,
    "executor-queue": executor_queue,
    **{f"pool-threads-{n}": lambda n=n: pool_threads(n) for n in (4, 64, 256)},
    **{f"executor-threads-{n}": lambda n=n: executor_threads(n) for n in (4, 64, 256)},
}

SAMPLES = {
    "executor-gap": executor_gap,
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
    measured = {**CALLS, **MAPS, **SAMPLES}[name]()
    print("ready", flush=True)
    for line in sys.stdin:
        command, n = line.split()
        if name in MAPS:
            samples = [time_map(measured, int(n))]
        else:
            samples = [measured() if name in SAMPLES else time_call(measured) for _ in range(int(n))]
        print(*samples if command == "run" else [], flush=True)


if __name__ == "__main__":
    main()
