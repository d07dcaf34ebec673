# SPDX-License-Identifier: LGPL-2.1-or-later
"""The chart for the README: how long a call takes, on a logarithmic scale."""

import math
from xml.sax.saxutils import escape

import report

WIDTH = 800
LEFT = 320       # where bars begin
RIGHT = 130      # for the figure after the longest bar
ROW = 22
HEAD = 58        # of a panel: title and scale

STYLE = """
  text { font: 13px sans-serif; fill: #1f2328 }
  .title { font-weight: bold; font-size: 14px }
  .scale { font-size: 11px; fill: #59636e }
  .grid { stroke: #d1d9e0 }
  .limit { fill: #818b98 } .ours { fill: #1a7f37 } .other { fill: #8ab4e8 }
  text.ours { font-weight: bold; fill: #1a7f37 }
  text.limit, text.other { fill: #1f2328 }
  @media (prefers-color-scheme: dark) {
    text, text.limit, text.other { fill: #f0f6fc } .scale { fill: #9198a1 } .grid { stroke: #3d444d }
    .ours, text.ours { fill: #3fb950 } .other { fill: #4b7bb5 }
  }
"""


def kind_of(row):
    if row["title"].startswith("limit: "):
        return "limit"
    return "ours" if row["title"].startswith("Procfun") else "other"


class Scale:
    """From the power of ten below the least value to the one above the greatest."""

    def __init__(self, values):
        self.first = math.floor(math.log10(min(values)))
        self.last = max(self.first + 1, math.ceil(math.log10(max(values))))

    def place(self, value):
        return LEFT + (math.log10(value) - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def powers(self):
        return [10.0 ** power for power in range(self.first, self.last + 1)]


def draw_row(row, scale, y):
    kind = kind_of(row)
    width = scale.place(row["median"]) - LEFT
    figure = report.show(row["median"], row["unit"])
    if "ratio" in row:
        figure += f" · {report.show_ratio(row['ratio'])}×"
    return [f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end" class="{kind}">{escape(row["title"])}</text>',
            f'<rect x="{LEFT}" y="{y + 3}" width="{width:.1f}" height="{ROW - 6}" class="{kind}"/>',
            f'<text x="{LEFT + width + 6:.1f}" y="{y + 15}" class="{kind}">{escape(figure)}</text>']


def draw_panel(group, top):
    rows = sorted(group["rows"], key=lambda row: row["median"])
    scale = Scale([row["median"] for row in rows])
    bottom = top + HEAD + len(rows) * ROW
    lines = [f'<text x="8" y="{top + 24}" class="title">{escape(group["title"])}</text>']
    for power in scale.powers():
        x = scale.place(power)
        lines += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + HEAD - 4}" y2="{bottom}" class="grid"/>',
                  f'<text x="{x:.1f}" y="{top + HEAD - 10}" text-anchor="middle" class="scale">'
                  f'{report.show(power, "ns")}</text>']
    for i, row in enumerate(rows):
        lines += draw_row(row, scale, top + HEAD + i * ROW)
    return lines, bottom


def draw(results):
    """The SVG, as text; of the groups that compare something with a limit."""
    lines, bottom = [], 0
    for group in results["groups"]:
        if any("ratio" in row for row in group["rows"]):
            panel, bottom = draw_panel(group, bottom)
            lines += panel
    machine = results["machine"]
    height = bottom + 30
    lines.append(f'<text x="8" y="{bottom + 20}" class="scale">medians; × is the ratio to the limit in the same '
                 f'rounds; {escape(machine["system"])}, {machine["processors"]} processors</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f"<style>{STYLE}</style>", '<rect width="100%" height="100%" fill="white"/>', *lines, "</svg>", ""])
