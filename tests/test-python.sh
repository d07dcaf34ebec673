# SPDX-License-Identifier: LGPL-2.1-or-later
# Python registers functions, and calls them in processes of their own: the same interpreter with the same script.

. "$TOP_SRCDIR/tests/tap.sh"

python=/usr/bin/python3 # the one that Debian's python3-gi is for
export GI_TYPELIB_PATH="$TOP_BUILDDIR/procfun" LD_LIBRARY_PATH="$TOP_BUILDDIR/procfun/.libs:$LD_LIBRARY_PATH"
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$TOP_SRCDIR/bindings/python"

if ! test -f "$GI_TYPELIB_PATH/Procfun-1.0.typelib"
then
  skip "functions in Python" "built without introspection"
elif ! $python -c 'import gi; gi.require_version ("Json", "1.0")' 2>/dev/null
then
  skip "functions in Python" "no $python with gi and Json"
else
  for script in "$TOP_SRCDIR/tests/python-calls.py" "$TOP_SRCDIR/tests/python-decorator.py"
  do
    for name in $(sed -nE 's/^def case_([a-z_]+).*/\1/p' "$script")
    do
      check "$name" timeout 60 $python "$script" "$name"
    done
  done
fi
done_testing
