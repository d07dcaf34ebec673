# SPDX-License-Identifier: LGPL-2.1-or-later
# JavaScript defines functions, and calls them in processes of their own: the same interpreter with the same script.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

script=$TOP_SRCDIR/tests/gjs-define.js
for name in $(sed -nE 's/^    async ([A-Za-z]+)\(\) \{/\1/p' "$script")
do
  try_in JavaScript "$name" timeout 60 gjs -m "$script" "$name"
done
done_testing
