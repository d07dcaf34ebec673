# SPDX-License-Identifier: LGPL-2.1-or-later
# Python registers functions, and calls them in processes of their own: the same interpreter with the same script.

. "$TOP_SRCDIR/tests/tap.sh"
. "$TOP_SRCDIR/tests/languages.sh"

# Where Python looks for modules below the prefix, if it does; elsewhere PYTHONPATH has to say where they are.
modules_are_found ()
{
  "$MODULES_PYTHON" - "$MODULES_PREFIX" "$MODULES_FOLDER" <<END
import sys
prefix, folder = sys.argv[1:]
below = [path for path in sys.path if path.startswith(prefix + "/") and path.endswith("-packages")]
print(folder, below)
sys.exit(bool(below) and folder not in below)
END
}

if test -n "$(command -v "$MODULES_PYTHON")"
then
  check "modules are installed where Python looks for them" modules_are_found
else
  skip "modules are installed where Python looks for them" "no Python"
fi
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
