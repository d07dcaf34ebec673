/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The size and the mean colour of each image file given. Each is loaded in a process of its own,
 * for files come from anywhere and loaders have bugs: what fails or crashes costs one line of the
 * table. Built by cc image-info.c -o image-info $(pkg-config --cflags --libs procfun
 * gdk-pixbuf-2.0) */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>

PROCFUN_DEFINE_STRUCT (ImageInfo, (int, width), (int, height), (guint8, red), (guint8, green),
                       (guint8, blue))

static guint8
mean (const guint8 *pixels, int width, int height, int stride, int n_channels, int channel)
{
  guint64 sum = 0;

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      sum += pixels[(gsize)y * (gsize)stride + (gsize)(x * n_channels + channel)];
  return (guint8)(sum / ((guint64)width * (guint64)height));
}

/* A loader that trusts what it reads. */
static void
crash (void)
{
  volatile int *volatile nothing
      = NULL; /* or the compiler, which sees what this does, leaves it out */

  *nothing = 1;
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (image_info, ImageInfo, (const char *, path))
{
  ImageInfo info = { 0 };
  g_autoptr (GdkPixbuf) image = NULL;
  const guint8 *pixels;
  int stride, n_channels;

  if (g_str_has_suffix (path, "/crash.png"))
    crash ();
  image = gdk_pixbuf_new_from_file (path, error);
  if (image == NULL)
    return info;
  pixels = gdk_pixbuf_read_pixels (image);
  stride = gdk_pixbuf_get_rowstride (image);
  n_channels = gdk_pixbuf_get_n_channels (image);
  info.width = gdk_pixbuf_get_width (image);
  info.height = gdk_pixbuf_get_height (image);
  info.red = mean (pixels, info.width, info.height, stride, n_channels, 0);
  info.green = mean (pixels, info.width, info.height, stride, n_channels, 1);
  info.blue = mean (pixels, info.width, info.height, stride, n_channels, 2);
  return info;
}

int
main (int argc, char **argv)
{
  int n_failed = 0;

  printf ("%-13s %-8s %s\n", "SIZE", "COLOUR", "FILE");
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      ImageInfo info = image_info_process (argv[i], &error);

      if (error == NULL)
        printf ("%5d × %-5d #%02x%02x%02x  %s\n", info.width, info.height, info.red, info.green,
                info.blue, argv[i]);
      else
        printf ("failed                 %s: %s\n", argv[i], error->message);
      n_failed += error != NULL;
    }
  return n_failed > 0 ? 1 : 0;
}
