# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures calls, their limits, and others who do the same work; "make bench" runs it."""

import argparse
import contextlib
import fnmatch
import json
import os
import pathlib
import random
import selectors
import shlex
import stat
import subprocess
import sys
import tempfile
import time

import chart
import contenders
import report

TURN = 0.02      # seconds that a contender gets in a round
PATIENCE = 120   # seconds after which one does not answer any more


class Unable(Exception):
    """This contender cannot be measured."""


def get_ordinary_user(folder):
    """Whom programs run as that root starts, if they can read the folder."""
    if os.geteuid() != 0 or any(not place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents)):
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


class Process:
    """A contender that is ready."""

    def __init__(self, contender, build, is_ordinary):
        self.contender = contender
        source = pathlib.Path(__file__).resolve().parent
        command = contender.command.format(build=build.resolve(), source=source)
        folder = build / "peers"
        folder.mkdir(exist_ok=True)
        self.messages = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.messages, text=True, cwd=folder,
                                            **(get_ordinary_user(build.resolve()) if is_ordinary else {}))
        except FileNotFoundError:
            raise Unable(f"{contender.package or command} is not installed") from None
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        word, _, reason = self.read().partition(" ")
        if word != "ready":
            self.end()
            raise Unable(reason if word == "skip" else f"it says “{word}”, and not “ready”")
        self.ask("warm", 1)
        self.calls = contender.calls or self.find_calls()

    def read(self):
        line = self.process.stdout.readline() if self.selector.select(PATIENCE) else ""
        if not line.endswith("\n"):
            self.process.kill()
            self.end()
            raise Unable(self.get_last_message() or f"it ended, or did not answer for {PATIENCE} s")
        return line.strip()

    def get_last_message(self):
        self.messages.seek(0)
        lines = self.messages.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def ask(self, command, calls):
        try:
            self.process.stdin.write(f"{command} {calls}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it says nothing more either
        return [float(word) for word in self.read().split()]

    def find_calls(self):
        """How many fill a turn."""
        calls = 1
        while True:
            start = time.monotonic()
            self.ask("warm", calls)
            took = time.monotonic() - start
            if took > TURN / 2:
                return max(1, round(calls * TURN / took))
            calls *= 2

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(group, wanted, build, results):
    processes = {}
    for name, contender in group.contenders.items():
        if not wanted(name):
            continue
        try:
            processes[name] = Process(contender, build, group.is_ordinary)
        except Unable as problem:
            results.skipped[name] = str(problem)
    return processes


def measure(group, wanted, build, rounds, results):
    processes = start(group, wanted, build, results)
    for number in range(rounds):
        # In another order each time: nobody always comes after the same one.
        for name in random.sample(list(processes), len(processes)):
            process = processes[name]
            if process.contender.rounds and number >= process.contender.rounds:
                continue
            try:
                results.add(name, number, process.ask("run", process.calls))
            except Unable as problem:
                results.skipped[name] = str(problem)
                del processes[name]
    for process in processes.values():
        process.end()


def needed(name):
    """Those that a contender is compared with."""
    found = {name}
    for group in contenders.GROUPS.values():
        if name in group.contenders and group.contenders[name].limit:
            found.add(group.contenders[name].limit)
    for bar in contenders.BARS:
        if bar.of == name:
            found.update((bar.over, bar.minus))
    return found


def choose(patterns):
    """A function that says of a name whether to measure it."""
    chosen = {other for group_name, group in contenders.GROUPS.items() for name in group.contenders
              for pattern in patterns.split(",")
              if fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(group_name, pattern)
              for other in needed(name)}
    return chosen.__contains__


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, metavar="FOLDER",
                        help="bench/ of the build tree")
    parser.add_argument("--only", default="*", metavar="NAME,…",
                        help="groups or contenders, as patterns of the shell; those that they are compared with are "
                             "measured, too")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the results to this file")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw a chart of them")
    parser.add_argument("--from", dest="earlier", type=pathlib.Path, metavar="FILE",
                        help="measure nothing, but take the results from this file, which --json wrote")
    parser.add_argument("--check", action="store_true", help="fail when a bar is not reached")
    parser.add_argument("--list", action="store_true", help="list groups and contenders, and measure nothing")
    return parser.parse_args()


def run(arguments):
    results = report.Results()
    wanted = choose(arguments.only)
    for group in contenders.GROUPS.values():
        if any(map(wanted, group.contenders)):
            print(f"Measuring: {group.title}", file=sys.stderr)
            measure(group, wanted, arguments.build, arguments.rounds, results)
    return report.to_object(results)


def main():
    arguments = parse_arguments()
    if arguments.list:
        for name, group in contenders.GROUPS.items():
            print(f"{name}:", *group.contenders)
        return 0
    results = json.loads(arguments.earlier.read_text()) if arguments.earlier else run(arguments)
    report.print_table(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    if arguments.svg:
        arguments.svg.write_text(chart.draw(results))
    return int(arguments.check and not all(bar["reached"] for bar in results["bars"]))


if __name__ == "__main__":
    sys.exit(main())
