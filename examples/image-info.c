/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The size and the mean colour of each image file given. Each is loaded in another process, for
 * files come from anywhere and loaders have bugs: what fails or crashes costs one line of the
 * table. PROCFUN_EXECUTOR=ssh:alpha,ssh:beta loads them on these machines. Built by cc image-info.c
 * -o image-info $(pkg-config --cflags --libs procfun gdk-pixbuf-2.0) */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <procfun.h>
#include <stdio.h>

PROCFUN_DEFINE_STRUCT (ImageInfo, (int, width), (int, height), (guint, colour))

static guint
mean_colour (GdkPixbuf *image, int width, int height)
{
  const guint8 *pixels = gdk_pixbuf_read_pixels (image);
  const int stride = gdk_pixbuf_get_rowstride (image), n = gdk_pixbuf_get_n_channels (image);
  const guint64 area = (guint64)width * (guint64)height;
  guint64 sums[3] = { 0 };

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int channel = 0; channel < 3; channel++)
        sums[channel] += pixels[(gsize)y * (gsize)stride + (gsize)(x * n + channel)];
  return (guint)(sums[0] / area << 16 | sums[1] / area << 8 | sums[2] / area);
}

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION_WITH_ERROR (image_info, ImageInfo, (const char *, path))
{
  volatile int *volatile nowhere = NULL;
  ImageInfo info = { 0 };
  g_autoptr (GdkPixbuf) image = NULL;

  if (g_str_has_suffix (path, "/crash.png"))
    *nowhere = 1; /* as a loader that trusts what it reads */
  image = gdk_pixbuf_new_from_file (path, error);
  if (image == NULL)
    return info;
  info.width = gdk_pixbuf_get_width (image);
  info.height = gdk_pixbuf_get_height (image);
  info.colour = mean_colour (image, info.width, info.height);
  return info;
}

int
main (int argc, char **argv)
{
  ProcfunExecutor *executor = procfun_executor_get_default ();
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, image_info_function ());
  guint64 index = 0;
  GVariantBuilder paths;

  if (PROCFUN_IS_REMOTE_POOL (executor))
    procfun_remote_pool_set_retry_on (PROCFUN_REMOTE_POOL (executor), PROCFUN_RETRY_LOST);
  g_variant_builder_init (&paths, G_VARIANT_TYPE ("a(s)"));
  for (int i = 1; i < argc; i++)
    g_variant_builder_add (&paths, "(s)", argv[i]);
  procfun_map_set_array (map, g_variant_builder_end (&paths));
  procfun_map_set_on_error (map, PROCFUN_MAP_COLLECT);
  printf ("%-13s %-8s %s\n", "SIZE", "COLOUR", "FILE");
  while (index != G_MAXUINT64)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = procfun_map_next (map, &index, NULL, &error);
      const char *path = index < G_MAXUINT64 ? argv[index + 1] : "all";
      ImageInfo info;

      if (error != NULL)
        printf ("failed                 %s: %s\n", path, error->message);
      else if (result != NULL)
        {
          g_variant_get (result, "(iiu)", &info.width, &info.height, &info.colour);
          printf ("%5d × %-5d #%06x  %s\n", info.width, info.height, info.colour, path);
        }
    }
  return procfun_map_get_n_failed (map) > 0 ? 1 : 0;
}
