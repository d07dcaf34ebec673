# SPDX-License-Identifier: LGPL-2.1-or-later
"""dask.distributed, for hosts.sh: CALLS SLOTS LOGIN…, where each LOGIN is the command that logs in to a host.

The scheduler is here, and each host has one worker with so many threads. Prints the seconds of as many calls of a
millisecond, and of a map of as many elements in chunks of a thousandth part.
"""

import shlex
import socket
import subprocess
import sys
import time

from distributed import Client


def nap(n):
    time.sleep(0.001)
    return n


def nap_all(numbers):
    return [nap(n) for n in numbers]


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
    size = max(calls // 1000, 1)
    chunks = [list(range(i, min(i + size, calls))) for i in range(0, calls, size)]
    begin = time.monotonic()
    results = client.gather(client.map(nap_all, chunks, pure=False))
    assert sum(results, []) == list(range(calls))
    print("map %.3f" % (time.monotonic() - begin), flush=True)
    client.close()
    for program in workers + [scheduler]:
        program.terminate()
        program.wait()


if __name__ == "__main__":
    main()
