#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs image-info over the backgrounds and icons of Xfce, and over three files that must fail, and nothing else:
# examples/demo.sh PROGRAM

set -eu
broken=$(mktemp -d)
trap 'rm -rf "$broken"' EXIT
head -c 100000 /usr/share/backgrounds/xfce/xfce-verticals.png >"$broken/truncated.png"
echo "This is no image." >"$broken/text.png"
cp /usr/share/pixmaps/xfce4_xicon.png "$broken/crash.png" # the name is what makes the example crash
"$1" /usr/share/backgrounds/xfce/*.png /usr/share/backgrounds/xfce/*.jpg \
  /usr/share/pixmaps/xfce4_*.png "$broken"/*.png >"$broken/table" || test $? = 1
cat "$broken/table"
sed -nE 's|^failed +[^:]*/([^/:]*):.*|\1|p' "$broken/table" >"$broken/failed"
printf '%s\n' crash.png text.png truncated.png >"$broken/expected"
diff "$broken/expected" "$broken/failed" >&2
echo "The three broken files failed, and nothing else."
