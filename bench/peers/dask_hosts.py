# SPDX-License-Identifier: LGPL-2.1-or-later
"""dask.distributed, for hosts.sh: CALLS SLOTS LOGIN…, where each LOGIN is the command that logs in to a host.

The scheduler is here, and each host has one worker with so many threads. Prints the seconds of as many calls of a
millisecond, of a map of as many elements in chunks of a thousandth part, and of one of a hundred times as many sums: in
lists, and in arrays of NumPy, which in one chunk for each thread are quickest.
"""

import itertools
import shlex
import socket
import subprocess
import sys
import time

import numpy
from distributed import Client


def nap(n):
    time.sleep(0.001)
    return n


def nap_all(numbers):
    return [nap(n) for n in numbers]


def add_all(pairs):
    return [a + b for a, b in pairs]


def add_rows(pairs):
    return numpy.array(add_all(pairs.tolist()), dtype=numpy.int32)


def measure_map(client, function, elements, n_chunks):
    begin = time.monotonic()
    size = max(len(elements) // n_chunks, 1)
    chunks = [elements[i:i + size] for i in range(0, len(elements), size)]
    results = list(itertools.chain.from_iterable(client.gather(client.map(function, chunks, pure=False))))
    return results, time.monotonic() - begin


def main():
    calls, slots, logins = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "tcp://127.0.0.1:%d" % free.getsockname()[1]
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--host",
                                  address], stderr=subprocess.DEVNULL)
    command = ("exec /usr/bin/python3 -m distributed.cli.dask_worker --no-dashboard --no-nanny --nthreads %s %s"
               % (slots, address))
    workers = [subprocess.Popen(shlex.split(login) + [command], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for login in logins]
    client = Client(address, timeout=60)
    client.wait_for_workers(len(logins))
    client.gather(client.map(nap, range(-64, 0), pure=False))
    begin = time.monotonic()
    assert client.gather(client.map(nap, range(calls), pure=False)) == list(range(calls))
    print("calls %.3f" % (time.monotonic() - begin), flush=True)
    rows = numpy.zeros((100 * calls, 2), dtype=numpy.int32)
    for what, function, elements, n_chunks in (("map", nap_all, list(range(calls)), 1000),
                                               ("sums", add_all, rows.tolist(), 1000),
                                               ("arrays", add_rows, rows, len(logins) * int(slots))):
        results, seconds = measure_map(client, function, elements, n_chunks)
        assert results == (list(range(calls)) if what == "map" else [0] * len(rows))
        print("%s %.3f" % (what, seconds), flush=True)
    client.close()
    for program in workers + [scheduler]:
        program.terminate()
        program.wait()


if __name__ == "__main__":
    main()
