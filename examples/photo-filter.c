/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes a photo brown, as old ones are, and writes it before and after, as FOLDER/before.png and
 * FOLDER/after.png. It is loaded in one process and changed in another; its pixels are copied by
 * neither call. Built by cc photo-filter.c -o photo-filter $(pkg-config --cflags --libs procfun
 * gdk-pixbuf-2.0) */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <procfun.h>
#include <string.h>

PROCFUN_DEFINE_STRUCT (Photo, (int, width), (int, height), (int, stride), (gboolean, has_alpha),
                       (GBytes *, pixels))

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (load, Photo, (const char *, path))
{
  g_autoptr (GdkPixbuf) image = gdk_pixbuf_new_from_file (path, error);
  Photo photo = { 0 };
  gpointer pixels;

  if (image == NULL)
    return photo;
  photo = (Photo){ gdk_pixbuf_get_width (image), gdk_pixbuf_get_height (image),
                   gdk_pixbuf_get_rowstride (image), gdk_pixbuf_get_has_alpha (image),
                   procfun_bytes_new (gdk_pixbuf_get_byte_length (image), &pixels) };
  memcpy (pixels, gdk_pixbuf_read_pixels (image), gdk_pixbuf_get_byte_length (image));
  return photo;
}

PROCFUN_DEFINE_FUNCTION (make_brown, Photo, (Photo, photo))
{
  gsize size;
  const guint8 *from = g_bytes_get_data (photo.pixels, &size);
  const int n = photo.has_alpha ? 4 : 3;
  gpointer pixels;
  Photo result = photo;

  result.pixels = procfun_bytes_new (size, &pixels);
  memcpy (pixels, from, size);
  for (int y = 0; y < photo.height; y++)
    for (int x = 0; x < photo.width; x++)
      {
        guint8 *pixel = (guint8 *)pixels + (gsize)y * (gsize)photo.stride + (gsize)(x * n);
        const int grey = (pixel[0] * 77 + pixel[1] * 151 + pixel[2] * 28) / 256;

        pixel[0] = (guint8)MIN (grey * 276 / 256, 255);
        pixel[1] = (guint8)(grey * 238 / 256);
        pixel[2] = (guint8)(grey * 180 / 256);
      }
  return result;
}

static gboolean
save (const Photo *photo, const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GdkPixbuf) image
      = gdk_pixbuf_new_from_bytes (photo->pixels, GDK_COLORSPACE_RGB, photo->has_alpha, 8,
                                   photo->width, photo->height, photo->stride);

  return gdk_pixbuf_save (image, path, "png", error, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Photo) before = load_process (argc > 1 ? argv[1] : "", &error);
  g_auto (Photo) after = { 0 };

  if (error == NULL)
    after = make_brown_process (before, &error);
  if (error == NULL && save (&before, argc > 2 ? argv[2] : ".", "before.png", &error))
    save (&after, argc > 2 ? argv[2] : ".", "after.png", &error);
  if (error != NULL)
    g_printerr ("%s\n", error->message);
  return error != NULL ? 1 : 0;
}
