# SPDX-License-Identifier: LGPL-2.1-or-later
# The description of each class stands in the introspection data, for gi-docgen, language servers and PyGObject; and gi-docgen
# makes a reference of them without a warning. On the web, the pages of gtk-doc link to the web.

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

# As gtk-doc writes links: to a class, a function, a member of an enumeration, a plain type, what has no page, and our own.
links_lead_to_the_web ()
{
  mkdir -p "$tmp/pages"
  installed=/usr/share/gtk-doc/html
  cat >"$tmp/pages/page.html" <<END
<a href="$installed/gio/GCancellable.html#GCancellable-struct" title="GCancellable"><span>GCancellable</span></a>
<a href="../gobject/gobject-The-Base-Object-Type.html#g-object-unref">g_object_unref()</a>
<a href="$installed/gio/gio-GIOError.html#G-IO-ERROR-CANCELLED:CAPS">G_IO_ERROR_CANCELLED</a>
<a href="$installed/glib/glib-Basic-Types.html#guint64">guint64</a>
<a href="$installed/glib/glib-Standard-Macros.html#NULL:CAPS"><code>NULL</code></a>
<a href="ProcfunCall.html#ProcfunCall-struct">ProcfunCall</a>
END
  cat >"$tmp/expected.html" <<END
<a href="https://docs.gtk.org/gio/class.Cancellable.html" title="GCancellable"><span>GCancellable</span></a>
<a href="https://docs.gtk.org/gobject/method.Object.unref.html">g_object_unref()</a>
<a href="https://docs.gtk.org/gio/error.IOErrorEnum.html">G_IO_ERROR_CANCELLED</a>
<a href="https://docs.gtk.org/glib/types.html#guint64">guint64</a>
<code>NULL</code>
<a href="ProcfunCall.html#ProcfunCall-struct">ProcfunCall</a>
END
  python3 "$TOP_SRCDIR/docs/web-links.py" "$tmp/pages" && diff "$tmp/expected.html" "$tmp/pages/page.html"
}

# The reference as it was built, if it was.
no_link_stays_here ()
{
  cp -R "$TOP_BUILDDIR/docs/html" "$tmp/web" && python3 "$TOP_SRCDIR/docs/web-links.py" "$tmp/web" || return 1
  grep -l docs.gtk.org "$tmp"/web/*.html | grep -q ProcfunCall.html || return 1
  ! grep -E 'href="[^"]*/(glib|gobject|gio)/' "$tmp"/web/*.html | grep -v docs.gtk.org
}

check "links of the web pages to GLib lead to the web" links_lead_to_the_web
if test -f "$TOP_BUILDDIR/docs/html/index.html"
then
  check "no link of the reference leads to this machine" no_link_stays_here
else
  skip "no link of the reference leads to this machine" "built without gtk-doc"
fi
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
