#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How calls would be spread over more hosts than a machine can play: a simulation.

The first table has a few hosts of different size and calls of very different length, and says how long calls wait
when hosts take what they have room for, ahead of that, or are given calls by weight or at random. The second has as
many slots as a cluster, one caller that sends so many messages a second, and says which share of the slots that
keeps busy: by calls, by chunks of a map, and through a tree of hosts whose pools are remote.

Usage: scale.py [--calls=N] [--seed=N]
"""

import argparse
import heapq
import random

SLOTS = [64, 8, 8, 4, 4, 2, 2, 2]
LOAD = 0.95

# What one thread of a caller sends in a second, and what a host does in that time, as bench-hosts measures them.
CALLER_RATE = 20000
ROUND_TRIP = 0.001


class Host:
    """Slots, and the calls that wait for one of them."""

    def __init__(self, n_slots):
        self.n_slots = n_slots
        self.n_busy = 0
        self.waiting = []


def make_calls(n, rng):
    """Arrivals and lengths in seconds: Pareto lengths, so that a few calls take most of the time."""
    lengths = [min(0.05 * rng.paretovariate(1.3), 100.0) for _ in range(n)]
    rate = LOAD * sum(SLOTS) / (sum(lengths) / n)
    at = 0.0
    calls = []
    for length in lengths:
        at += rng.expovariate(rate)
        calls.append((at, length))
    return calls


def by_weight(hosts, rng):
    return rng.choices(hosts, weights=[host.n_slots for host in hosts])[0]


def at_random(hosts, rng):
    return rng.choice(hosts)


def by_room(ahead):
    """The host with the largest share of free slots, or none; each may hold ahead × its slots."""

    def choose(hosts, _rng):
        best = max(hosts, key=lambda host: (ahead * host.n_slots - host.n_busy - len(host.waiting)) / host.n_slots)
        has_room = best.n_busy + len(best.waiting) < ahead * best.n_slots
        return best if has_room else None

    return choose


def simulate(calls, choose, rng):
    """Waits in seconds, sorted."""
    hosts = [Host(n_slots) for n_slots in SLOTS]
    queue = []  # at the caller, from its head on
    head = 0
    ends = []
    waits = []

    def begin(host, now, arrived, length):
        host.n_busy += 1
        waits.append(now - arrived)
        heapq.heappush(ends, (now + length, id(host), host))

    def place(now):
        nonlocal head
        while head < len(queue):
            host = choose(hosts, rng)
            if host is None:
                return
            arrived, length = queue[head]
            head += 1
            if host.n_busy < host.n_slots:
                begin(host, now, arrived, length)
            else:
                host.waiting.append((arrived, length))

    def end(now, host):
        host.n_busy -= 1
        if host.waiting:
            begin(host, now, *host.waiting.pop(0))
        place(now)

    for arrived, length in calls:
        while ends and ends[0][0] <= arrived:
            now, _, host = heapq.heappop(ends)
            end(now, host)
        queue.append((arrived, length))
        place(arrived)
    while ends:
        now, _, host = heapq.heappop(ends)
        end(now, host)
    return sorted(waits)


def show_time(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def show_policies(n_calls, seed):
    print(f"{n_calls} calls on hosts of {', '.join(map(str, SLOTS))} slots, load {LOAD}: how long calls wait\n")
    print(f"{'':44} {'mean':>10} {'99 of 100':>10} {'longest':>10}")
    calls = make_calls(n_calls, random.Random(seed))
    for name, choose in (("as many as there are free slots", by_room(1)), ("as many again, ahead", by_room(2)),
                         ("given by weight", by_weight), ("given at random", at_random)):
        waits = simulate(calls, choose, random.Random(seed))
        assert len(waits) == n_calls
        print(f"{name:44} {show_time(sum(waits) / n_calls):>10} {show_time(waits[n_calls * 99 // 100]):>10} "
              f"{show_time(waits[-1]):>10}")


def busy_share(n_slots, length, per_message, n_senders):
    """Of the slots: what senders can start in a second against what would keep all busy."""
    cycle = length * per_message + ROUND_TRIP
    needed = n_slots / cycle
    return min(n_senders * CALLER_RATE / needed, 1.0) * length * per_message / cycle


def show_cluster():
    n_hosts, slots, racks = 10000, 64, 100
    n_slots = n_hosts * slots
    print(f"\n{n_hosts} hosts of {slots} slots, senders of {CALLER_RATE} messages a second: share of the slots that is busy\n")
    print(f"{'calls of':>12} {'one caller':>12} {'its chunks':>12} {f'{racks} racks':>12} {'their chunks':>12}")
    for length in (0.001, 0.01, 0.1, 1.0, 10.0, 32.0):
        chunk = max(1.0 / length, 1.0)  # messages of a second at least
        shares = [busy_share(n_slots, length, 1, 1), busy_share(n_slots, length, chunk, 1),
                  busy_share(n_slots, length, 1, racks), busy_share(n_slots, length, chunk, racks)]
        print(f"{show_time(length):>12} " + " ".join(f"{share * 100:>10.2f} %" for share in shares))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--calls", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    show_policies(options.calls, options.seed)
    show_cluster()


if __name__ == "__main__":
    main()
