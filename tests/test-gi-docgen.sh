# SPDX-License-Identifier: LGPL-2.1-or-later
# The description of each class stands in the introspection data, for gi-docgen, language servers and PyGObject; and gi-docgen
# makes a reference of them without a warning.

. "$TOP_SRCDIR/tests/tap.sh"

gir=$TOP_BUILDDIR/procfun/Procfun-1.0.gir

# The first text of a class is its own; an empty line is between paragraphs.
classes_are_described ()
{
  awk '
    /<class name="/ { split ($0, part, "\""); class = part[2]; n++; inside = 0; described = 0 }
    class != "" && /<doc / { inside = 1 }
    inside && /^$/ { described = 1 }
    inside && /<\/doc>/ { if (!described) { print class ": one paragraph"; failed = 1 } class = ""; inside = 0 }
    END { exit failed || n < 10 }
  ' "$gir"
}

makes_reference ()
{
  timeout 300 gi-docgen generate -q --fatal-warnings -C "$TOP_SRCDIR/docs/procfun.toml" --output-dir "$tmp/reference" "$gir" \
    >"$tmp/messages" 2>&1
  result=$?
  cat "$tmp/messages"
  test "$result" = 0 && test ! -s "$tmp/messages" && test -s "$tmp/reference/Procfun-1.0/class.Pool.html"
}

if ! test -f "$gir"
then
  skip "every class is described in the introspection data" "built without introspection"
  skip "gi-docgen makes a reference without a warning" "built without introspection"
else
  check "every class is described in the introspection data" classes_are_described
  if test -n "$(command -v gi-docgen)"
  then
    check "gi-docgen makes a reference without a warning" makes_reference
  else
    skip "gi-docgen makes a reference without a warning" "no gi-docgen"
  fi
fi
done_testing
