# SPDX-License-Identifier: LGPL-2.1-or-later
# The driver of the measurements: what it says of samples, without measuring anything. Contenders here are scripts.

. "$TOP_SRCDIR/tests/tap.sh"

python="/usr/bin/python3 -B"
bench=$TOP_SRCDIR/bench/bench.py
mkdir "$tmp/build"

cat >"$tmp/results.json" <<END
{"machine": {"system": "Linux", "processors": 2},
 "groups": [{"title": "A <group>", "rows": [
   {"name": "limit", "title": "limit: the least", "unit": "ns", "min": 900, "median": 1000, "p95": 0, "p99": 2000},
   {"name": "ours", "title": "ProcfunThing", "unit": "ns", "min": 1e6, "median": 1.25e6, "p95": 0, "p99": 2e9,
    "limit": "limit", "ratio": 1250}]}],
 "bars": [{"title": "missed", "value": 1250, "unit": "", "at-most": 1.3, "reached": false}],
 "skipped": {"other": "it is not installed"}}
END

# tells TEXT…: the table has each.
tells ()
{
  timeout 60 $python "$bench" --build="$tmp/build" --from="$tmp/results.json" --svg="$tmp/chart.svg" >"$tmp/table" || return 1
  cat "$tmp/table"
  for text in "$@"
  do
    grep -qF -e "$text" "$tmp/table" || { echo "not there: $text"; return 1; }
  done
}

chart_is_whole ()
{
  $python - "$tmp/chart.svg" <<END
import sys, xml.dom.minidom
chart = xml.dom.minidom.parse(sys.argv[1])
texts = [node.firstChild.data for node in chart.getElementsByTagName("text")]
assert "A <group>" in texts and "1.25 ms · 1250×" in texts, texts
assert len([bar for bar in chart.getElementsByTagName("rect") if bar.hasAttribute("class")]) == 2
END
}

check_fails ()
{
  ! $python "$bench" --build="$tmp/build" --from="$tmp/results.json" --check
}

# measured: contenders that answer, that have a reason not to, that end, and that are not there.
measured ()
{
  cat >"$tmp/contender.sh" <<END
echo "\$1"
test "\$1" = ready || exit 0
while read -r command n
do
  if test "\$command" = run; then echo \$2; else echo; fi
done
END
  TMP=$tmp $python - "$bench" <<END
import os, pathlib, sys
folder = pathlib.Path(sys.argv[1]).parent
sys.path.insert(0, str(folder))
import bench, contenders, report
def contender(arguments, **more):
    return contenders.Contender("", "sh " + os.environ["TMP"] + "/contender.sh " + arguments, **more)
group = contenders.Group("", {
    "one": contender("ready '100 300 200'", calls=3), "two": contender("ready '50 50'", calls=2, rounds=2),
    "reason": contender("'skip no reason'"), "talks": contender("hello"),
    "ends": contenders.Contender("", "sh -c 'echo broken >&2'"),
    "missing": contenders.Contender("", "/nowhere/at/all", package="nothing")})
results = report.Results()
bench.measure(group, lambda name: True, pathlib.Path(os.environ["TMP"]) / "build", 4, results)
assert results.skipped == {"reason": "no reason", "talks": "it says “hello”, and not “ready”", "ends": "broken",
                           "missing": "nothing is not installed"}, results.skipped
assert len(results.rounds["one"]) == 4 and len(results.rounds["two"]) == 2
assert results.get("one", "min") == 100 and results.get("one", "median") == 200 and results.get("one", "p99") == 300
assert results.get_ratio("one", "two") == 4
bar = contenders.Bar("", "one", 3.5, over="two")
assert not report.is_reached(bar, results.measure_bar(bar))
bar = contenders.Bar("", "one", at_least=4, over="two")
assert report.is_reached(bar, results.measure_bar(bar))
bar = contenders.Bar("", "one", 150, minus="two")
assert report.is_reached(bar, results.measure_bar(bar))
END
}

names_are_known ()
{
  $python - "$bench" <<END
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(sys.argv[1]).parent))
import contenders
names = [name for group in contenders.GROUPS.values() for name in group.contenders]
assert len(names) == len(set(names)), names
named = {name for bar in contenders.BARS for name in (bar.of, bar.over, bar.minus) if name}
named |= {each.limit for group in contenders.GROUPS.values() for each in group.contenders.values() if each.limit}
assert named <= set(names), named - set(names)
END
}

# The guide shows what the simulation of many hosts prints.
guide_has_the_simulation ()
{
  timeout 60 $python "$TOP_SRCDIR/bench/scale.py" >"$tmp/simulation" && test "$(wc -l <"$tmp/simulation")" -gt 10 || return 1
  while read -r line
  do
    test -z "$line" || grep -qF -e "$line" "$TOP_SRCDIR/docs/guide-machines.xml" || { echo "not there: $line"; return 1; }
  done <"$tmp/simulation"
}

if $python -c 'pass' 2>/dev/null
then
  check "a table" tells "ProcfunThing" "1.25 ms" "1250" "FAIL" "other: it is not installed"
  check "a chart" chart_is_whole
  check "--check fails when a bar is not reached" check_fails
  check "contenders take turns" measured
  check "names of contenders, limits and bars" names_are_known
  check "the guide has what the simulation prints" guide_has_the_simulation
else
  skip "the driver of the measurements" "no /usr/bin/python3"
fi
done_testing
