#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plants one small fault after the other, and tells which of them the tests do not find.

run.py BUILD [--only WORD] [--from N] [--jobs N] [--minutes N]: BUILD is a build folder in which the library and the test programs of
the list were built. A changed file is compiled on the side, and linked before the library into copies of the programs, or into a
copy of its module, so that neither the tree nor the build folder changes. Exit status: 1 if a fault survives that is not explained in the list."""

import argparse
import concurrent.futures
import functools
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HANG_S = 20  # and five times what the test takes without the fault
TOP = pathlib.Path(__file__).resolve().parents[2]


class Mutant:
    def __init__(self, number, head):
        self.number = number
        self.file, *self.tests = head.split()
        self.old = self.new = ""
        self.reason = None

    def __str__(self):
        return f"{self.number}: {self.file}: {self.old.strip().splitlines()[0]} → {self.new.strip() or 'nothing'}"


def read_list():
    mutants = []
    for line in (TOP / "tests/mutants/list.txt").read_text().splitlines():
        if line.startswith("@ "):
            mutants.append(Mutant(len(mutants) + 1, line[2:]))
        elif line.startswith("- "):
            mutants[-1].old += ("\n" if mutants[-1].old else "") + line[2:]
        elif line.startswith("+ "):
            mutants[-1].new += ("\n" if mutants[-1].new else "") + line[2:]
        elif line.startswith("= "):
            mutants[-1].reason = line[2:]
    return mutants


def ask_make(build, target, new):
    """What make would execute for a target if a file were new."""
    out = subprocess.run(["make", "-n", "V=1", "-W", new, target], cwd=build, capture_output=True, text=True, check=True).stdout
    out = out.replace("\\\n", " ")
    return out.splitlines()


def find_module(file):
    """The name of the module that a file belongs to. None: it is of the library."""
    found = re.match(r"engines/(\w+)/", file)
    return found and found.group(1)


@functools.lru_cache(maxsize=None)
def find_compile_command(build, file):
    target = re.sub(r"([^/]+)\.c$", rf"libprocfun_{find_module(file) or 'all'}_la-\1.lo", file)
    line = next(line for line in ask_make(build, target, f"../{file}") if "--mode=compile" in line)
    words = shlex.split(line.split("--mode=compile", 1)[1].split("`")[0].split("&&")[0])
    keep = []
    while words:
        word = words.pop(0)
        if word in ("-MT", "-MF", "-o"):
            words.pop(0)
        elif word not in ("-MD", "-MP", "-c") and not word.endswith(".c"):
            keep.append(word)
    return keep


def find_dependencies(library):
    """Libraries that a static one needs, without those that are linked by name."""
    words = re.search(r"^dependency_libs='(.*)'", library.read_text(), re.M)
    return [word for word in shlex.split(words.group(1)) if not word.endswith(".la")]


@functools.lru_cache(maxsize=None)
def find_link_command(build, test):
    source = next((name for name in (f"../tests/{test}.c", f"../tests/{test}.cc") if (build / name).exists()))
    line = next(line for line in reversed(ask_make(build, f"tests/{test}", source)) if "--mode=link" in line)
    words = shlex.split(line.split("--mode=link", 1)[1])
    keep, needed = [], []
    while words:
        word = words.pop(0)
        if word == "-o":
            words.pop(0)
        elif word.endswith(".la"):
            library = pathlib.Path(word)
            keep.append(str(library.parent / ".libs" / (library.stem + ".a")))
            needed += find_dependencies(build / library)
        elif word.startswith("-Wc,"):
            keep.append(word[4:])
        elif word not in ("-no-install",):
            keep.append(word)
    return keep + needed


@functools.lru_cache(maxsize=None)
def find_module_link_command(build, file):
    """Without the object of the file."""
    target = f"engines/{find_module(file)}/libprocfun-{find_module(file)}.la"
    line = next(line for line in reversed(ask_make(build, target, f"../{file}")) if "--mode=link" in line)
    words = shlex.split(line.split("--mode=link", 1)[1])
    keep = []
    while words:
        word = words.pop(0)
        if word in ("-o", "-rpath", "-export-symbols-regex"):
            words.pop(0)
        elif word.endswith(f"_la-{pathlib.Path(file).stem}.lo"):
            continue
        elif word.endswith(".lo"):
            object_file = pathlib.Path(word)
            keep.append(str(object_file.parent / ".libs" / (object_file.stem + ".o")))
        elif word not in ("-module", "-avoid-version", "-no-undefined"):
            keep.append(word)
    return [*keep, "-shared"]


class Runner:
    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.seconds = {}
        self.lock = threading.Lock()

    def compile(self, mutant, folder, with_fault=True):
        text = (TOP / mutant.file).read_text()
        if text.count(mutant.old) != 1:
            return f"the text is there {text.count(mutant.old)} times"
        source = folder / "mutant.c"
        source.write_text(text.replace(mutant.old, mutant.new) if with_fault else text)
        done = subprocess.run([*find_compile_command(self.build, mutant.file), "-w", "-O1", "-fPIC", "-c", source,
                               "-o", folder / "mutant.o"], cwd=self.build, capture_output=True, text=True)
        return None if done.returncode == 0 else f"does not compile: {done.stderr.splitlines()[0]}"

    def link(self, command, folder, program):
        if not program.exists():
            n = 2 if command[0] == "ccache" else 1
            subprocess.run([*command[:n], folder / "mutant.o", *command[n:], "-o", program], cwd=self.build, check=True)

    def run_test(self, mutant, test, folder, max_s):
        """TRUE if it passes. The name of a program may be followed by a colon and the path of some of its tests."""
        name, _, path = test.partition(":")
        module = find_module(mutant.file)
        if module:
            program = self.build / "tests" / name
            self.link(find_module_link_command(self.build, mutant.file), folder, folder / f"libprocfun-{module}.so")
        else:
            program = folder / name
            self.link(find_link_command(self.build, name), folder, program)
        env = dict(os.environ, G_TEST_SRCDIR=str(TOP / "tests"), G_TEST_BUILDDIR=str(self.build / "tests"), LC_ALL="C.UTF-8",
                   G_DEBUG="fatal-warnings", PROCFUN_WORKER=str(self.build / "tools/procfun-worker-in-tree"))
        if module:
            env["PROCFUN_ENGINES"] = str(folder)
        process = subprocess.Popen([program, *(["-p", path] if path else [])], cwd=self.build / "tests", env=env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return process.wait(timeout=max_s) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False

    def measure(self, mutant, test):
        """How long the test takes without the fault. None: it fails, and would find whatever is planted."""
        with self.lock:
            if test not in self.seconds:
                folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
                self.compile(mutant, folder, with_fault=False)
                start = time.monotonic()
                self.seconds[test] = time.monotonic() - start if self.run_test(mutant, test, folder, 300) else None
                shutil.rmtree(folder, ignore_errors=True)
            return self.seconds[test]

    def run(self, mutant):
        """How it was found, or None; and an error of the list."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        try:
            error = self.compile(mutant, folder)
            if error is not None:
                return None, error
            for test in mutant.tests:
                seconds = self.measure(mutant, test)
                if seconds is None:
                    return None, f"{test} fails without any fault"
                if not self.run_test(mutant, test, folder, HANG_S + 5 * seconds):
                    return test, None
            return None, None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", default="", help="those whose line has this word")
    parser.add_argument("--from", type=int, default=1, dest="first", help="none before that number")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=1e6, help="no new one after so many")
    parser.add_argument("--list-tests", action="store_true", help="print the test programs and end")
    options = parser.parse_args()
    mutants = [mutant for mutant in read_list() if mutant.number >= options.first and options.only in f"{mutant} {' '.join(mutant.tests)}"]
    if options.list_tests:
        print(" ".join(sorted({f"tests/{test.split(':')[0]}" for mutant in mutants for test in mutant.tests})))
        return
    end = time.monotonic() + options.minutes * 60
    n_found = n_survived = n_explained = n_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.build.resolve(), folder)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = pool.map(lambda mutant: runner.run(mutant) if time.monotonic() < end else None, mutants)
            for mutant, result in zip(mutants, results):
                if result is None:
                    continue
                found, error = result
                if error is not None:
                    n_wrong += 1
                    print(f"WRONG {mutant}: {error}", flush=True)
                elif found is not None:
                    n_found += 1
                    print(f"found {mutant}: {found}", flush=True)
                elif mutant.reason is not None:
                    n_explained += 1
                    print(f"lives {mutant}: {mutant.reason}", flush=True)
                else:
                    n_survived += 1
                    print(f"SURVIVES {mutant}", flush=True)
    print(f"{n_found} found, {n_survived} survive, {n_explained} change nothing, {n_wrong} cannot be planted")
    sys.exit(n_survived + n_wrong > 0)


if __name__ == "__main__":
    main()
