# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the samples say: statistics, bars, a table for people and JSON for programs."""

import os
import statistics

import contenders


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


STATISTICS = {
    "min": min,
    "median": statistics.median,
    "p95": lambda values: percentile(values, 95),
    "p99": lambda values: percentile(values, 99),
}


class Results:
    """The samples of each contender, round by round."""

    def __init__(self):
        self.rounds = {}   # by name, then by number of the round
        self.skipped = {}  # why, by name

    def add(self, name, number, samples):
        self.rounds.setdefault(name, {})[number] = samples

    def get(self, name, statistic):
        samples = [sample for samples in self.rounds[name].values() for sample in samples]
        return STATISTICS[statistic](samples)

    def get_ratio(self, name, other):
        """The median of the rounds: what hits both at once falls out, and so does one bad round."""
        ours, theirs = self.rounds[name], self.rounds[other]
        return statistics.median(statistics.median(ours[i]) / statistics.median(theirs[i])
                                 for i in ours.keys() & theirs.keys())

    def has(self, *names):
        return all(name in self.rounds for name in names if name)

    def measure_bar(self, bar):
        if bar.over:
            return self.get_ratio(bar.of, bar.over)
        value = self.get(bar.of, bar.statistic)
        return value - self.get(bar.minus, bar.statistic) if bar.minus else value


def is_reached(bar, value):
    return value >= bar.at_least if bar.at_least else value <= bar.at_most


def unit_of(name):
    return next(group.contenders[name].unit for group in contenders.GROUPS.values() if name in group.contenders)


def to_object(results):
    """All of it, for JSON."""
    groups = []
    for group in contenders.GROUPS.values():
        rows = []
        for name, contender in group.contenders.items():
            if not results.has(name):
                continue
            row = {"name": name, "title": contender.title, "unit": contender.unit}
            row.update((statistic, results.get(name, statistic)) for statistic in STATISTICS)
            if contender.limit and results.has(contender.limit):
                row.update(limit=contender.limit, ratio=results.get_ratio(name, contender.limit))
            rows.append(row)
        if rows:
            groups.append({"title": group.title, "rows": rows})
    bars = []
    for bar in contenders.BARS:
        if results.has(bar.of, bar.over, bar.minus):
            value = results.measure_bar(bar)
            row = {"title": bar.title, "value": value, "unit": "" if bar.over else unit_of(bar.of),
                   "at-least" if bar.at_least else "at-most": bar.at_least or bar.at_most,
                   "reached": is_reached(bar, value)}
            if bar.over:
                row["of-least"] = results.get(bar.of, "min") / results.get(bar.over, "min")
            bars.append(row)
    system = os.uname()
    version = ".".join(system.release.split(".")[:2])
    return {"machine": {"system": f"{system.sysname} {version}", "processors": os.cpu_count()},
            "groups": groups, "bars": bars, "skipped": results.skipped}


def show_ratio(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def show(value, unit):
    if unit != contenders.NS:
        return f"{value:.0f} {unit}" if unit else show_ratio(value)
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(value) >= size:
            return f"{value / size:.3g} {name}" if value < 999.5 * size else f"{value / size:.0f} {name}"
    return f"{value:.3g} ns"


def print_table(report):
    for group in report["groups"]:
        print(f"\n{group['title']:62} {'min':>9} {'median':>9} {'p99':>9} {'÷ limit':>9}")
        for row in group["rows"]:
            cells = [show(row[statistic], row["unit"]) for statistic in ("min", "median", "p99")]
            cells.append(show_ratio(row["ratio"]) if "ratio" in row else "")
            print(f"  {row['title']:60}", *(f"{cell:>9}" for cell in cells))
    if report["bars"]:
        print(f"\n{'To be reached':62} {'bar':>12} {'here':>12} {'of least':>9}")
    for bar in report["bars"]:
        bound = "≥ " + show(bar["at-least"], bar["unit"]) if "at-least" in bar else \
            "≤ " + show(bar["at-most"], bar["unit"])
        of_least = show_ratio(bar["of-least"]) if "of-least" in bar else ""
        print(f"  {bar['title']:60} {bound:>12} {show(bar['value'], bar['unit']):>12} {of_least:>9}",
              "  pass" if bar["reached"] else "  FAIL")
    if report["skipped"]:
        print("\nNot measured")
    for name, reason in report["skipped"].items():
        print(f"  {name}: {reason}")
