# SPDX-License-Identifier: LGPL-2.1-or-later
# Python registers functions, and calls them in processes of their own: the same interpreter with the same script.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

why=$(why_not Python)
if test -n "$why"
then
  skip "functions in Python" "$why"
else
  set -- "$TOP_SRCDIR/tests/python-calls.py" "$TOP_SRCDIR/tests/python-decorator.py"
  if /usr/bin/python3 -c 'import numpy' 2>/dev/null
  then
    set -- "$@" "$TOP_SRCDIR/tests/python-numpy.py"
  else
    skip "arrays of numpy" "no numpy"
  fi
  for script
  do
    for name in $(sed -nE 's/^def case_([a-z_]+).*/\1/p' "$script")
    do
      check "$name" timeout 60 /usr/bin/python3 "$script" "$name"
    done
  done
fi
done_testing
