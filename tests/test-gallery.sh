# SPDX-License-Identifier: LGPL-2.1-or-later
# The gallery decodes, and survives what its decoders do, under a display of its own. GALLERY_PICTURE=FILE keeps what the
# window shows in the end.

. "$TOP_SRCDIR/tests/tap.sh"

gallery=$TOP_SRCDIR/examples/gallery
drive=$TOP_BUILDDIR/examples/gallery/drive
thumbnailer=$TOP_BUILDDIR/examples/gallery/gallery-thumbnailer
export GALLERY_PICTURE="${GALLERY_PICTURE-$tmp/gallery.png}"
xvfb=
trap 'test -z "$xvfb" || kill "$xvfb" && wait; rm -rf "$tmp"' EXIT

# The server chooses a display that is free and writes its number once it answers; at the end of its output it has failed.
start_display ()
{
  mkfifo "$tmp/display" || return 1
  Xvfb -displayfd 3 -screen 0 1024x700x24 -nolisten tcp 3>"$tmp/display" >"$tmp/xvfb" 2>&1 &
  xvfb=$!
  display=$(timeout 60 head -n 1 "$tmp/display")
  test -n "$display" || return 1
  # The settings of the desktop on which the tests run stay out of them.
  mkdir "$tmp/run" "$tmp/home"
  chmod 700 "$tmp/run"
  export DISPLAY=":$display" GDK_BACKEND=x11 GSK_RENDERER=cairo GTK_A11Y=test GTK_THEME=Default GDK_SCALE=1
  export GSETTINGS_BACKEND=memory GIO_USE_VFS=local DBUS_SESSION_BUS_ADDRESS=disabled:
  export HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/run" TMPDIR="$tmp" G_DEBUG=fatal-criticals
}

# drives PATH: runs one test of the program; what it reports becomes a comment.
drives ()
{
  timeout 300 "$drive" -p "$1" >"$tmp/driven" 2>&1
  result=$?
  cat "$tmp/driven"
  test "$result" = 0 && grep -q '^ok 1 ' "$tmp/driven"
}

# The last word of a sentence about frames is the worst.
report_frames ()
{
  sed -n 's/^# *\([0-9]* frames: .*\)/# \1/p' "$tmp/driven"
}

# is_png FILE
is_png ()
{
  test "$(head -c 4 "$1" | tail -c 3)" = PNG
}

makes_thumbnails ()
{
  printf 'P6 2 1 255 \377\000\000\377\000\000' >"$tmp/red.ppm"
  echo "This is no image." >"$tmp/text.png"
  timeout 60 "$thumbnailer" "file://$tmp/red.ppm" "$tmp/thumbnail.png" 128 && is_png "$tmp/thumbnail.png" || return 1
  timeout 60 "$thumbnailer" "file://$tmp/text.png" "$tmp/nothing.png" 128 && return 1
  test ! -e "$tmp/nothing.png"
}

desktop_file_is_valid ()
{
  desktop-file-validate "$gallery/org.example.ProcfunGallery.desktop"
}

metainfo_is_valid ()
{
  appstreamcli validate --no-net "$gallery/org.example.ProcfunGallery.metainfo.xml"
}

# unless_missing NAME PROGRAM COMMAND…
unless_missing ()
{
  if test -n "$(command -v "$2")"
  then
    check "$1" "$3"
  else
    skip "$1" "no $2"
  fi
}

paths="decodes-all-images-of-a-folder says-why-an-image-is-broken loses-no-image-to-a-crash ends-a-worker-that-hangs
  ends-all-calls-when-cancelled ends-all-calls-when-closed needs-no-mouse has-a-name-for-each-image
  reports-its-frames-while-large-images-are-decoded"
why=
if ! test -x "$drive"
then
  why="built without GTK 4"
elif test "$SANITIZERS" != no
then
  why="GTK's libraries leak, and race for the thread sanitizer"
elif test -z "$(command -v Xvfb)"
then
  why="no Xvfb"
elif ! start_display
then
  why="Xvfb does not start"
fi
for path in $paths
do
  if test -n "$why"
  then
    skip "gallery: $path" "$why"
  else
    check "gallery: $path" drives "/gallery/$path"
  fi
done
if test -n "$why"
then
  skip "gallery: a picture of the window" "$why"
else
  report_frames
  check "gallery: a picture of the window" is_png "$GALLERY_PICTURE"
fi
if ! test -x "$thumbnailer"
then
  skip "the thumbnailer makes a thumbnail, or says why there is none" "gdk-pixbuf-2.0 is not installed"
elif test "$SANITIZERS" != no
then
  skip "the thumbnailer makes a thumbnail, or says why there is none" "sanitizers need more memory than its limit"
else
  check "the thumbnailer makes a thumbnail, or says why there is none" makes_thumbnails
fi
unless_missing "the desktop file is valid" desktop-file-validate desktop_file_is_valid
unless_missing "the metainfo is valid" appstreamcli metainfo_is_valid
done_testing
