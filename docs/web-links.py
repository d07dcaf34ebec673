#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""web-links.py FOLDER: pages of gtk-doc link to the reference of GLib on this machine; on the web they link to docs.gtk.org.

Names are looked up in the introspection data of GLib. The link of a name that is not there becomes plain text.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

GIRS = {"glib": "GLib-2.0", "gobject": "GObject-2.0", "gio": "Gio-2.0"}
WEB = "https://docs.gtk.org"
CORE = "{http://www.gtk.org/introspection/core/1.0}"
C = "{http://www.gtk.org/introspection/c/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"
TYPES = {"class": "class", "interface": "iface", "record": "struct", "union": "union", "callback": "callback",
         "alias": "alias", "bitfield": "flags", "enumeration": "enum"}
CALLS = {"method": "method", "constructor": "ctor", "function": "type_func"}
LINK = re.compile(r'<a href="[^"]*/(glib|gobject|gio)/([^"/#]*)\.html(?:#([^"]*))?"([^>]*)>(.*?)</a>', re.DOTALL)


def pages_of_type(element, kind):
    """The names that one type gives pages to."""
    domain = element.get(GLIB + "error-domain")
    page = f"{kind if domain is None else 'error'}.{element.get('name')}.html"
    yield element.get(C + "type"), page
    if domain is not None:
        yield domain.removesuffix("-quark").replace("-", "_").upper(), page
    for child in element:
        tag = child.tag.removeprefix(CORE)
        if tag == "member":
            yield child.get(C + "identifier"), page
        elif tag in CALLS:
            yield child.get(C + "identifier"), f"{CALLS[tag]}.{element.get('name')}.{child.get('name')}.html"


def pages_of_namespace(namespace):
    for element in namespace:
        tag = element.tag.removeprefix(CORE)
        if tag in TYPES:
            yield from pages_of_type(element, TYPES[tag])
        elif tag == "constant":
            yield element.get(C + "type"), f"const.{element.get('name')}.html"
        elif tag == "function":
            yield element.get(C + "identifier"), f"func.{element.get('name')}.html"


def find_pages(folder):
    pages = {}
    for library, gir in GIRS.items():
        namespace = ElementTree.parse(folder / f"{gir}.gir").getroot().find(CORE + "namespace")
        for name, page in pages_of_namespace(namespace):
            if name is not None:
                pages.setdefault(name, f"{WEB}/{library}/{page}")
    return pages


def find_page(pages, library, page, anchor):
    """gtk-doc writes g_object_unref() as g-object-unref, %TRUE as TRUE:CAPS, and a class as GObject-struct."""
    name = (anchor or page).removesuffix("-struct").removesuffix(":CAPS").replace("-", "_")
    if name in pages:
        return pages[name]
    if page == "glib-Basic-Types":
        return f"{WEB}/glib/types.html#{name}"
    return None


def main():
    folder = pathlib.Path(sys.argv[1])
    pages = find_pages(pathlib.Path("/usr/share/gir-1.0"))

    def on_web(match):
        library, page, anchor, rest, text = match.groups()
        url = find_page(pages, library, page, anchor)
        return f'<a href="{url}"{rest}>{text}</a>' if url is not None else text

    for path in sorted(folder.glob("*.html")):
        before = path.read_text(encoding="utf-8")
        after = LINK.sub(on_web, before)
        if after != before:
            path.write_text(after, encoding="utf-8")


main()
