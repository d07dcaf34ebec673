/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes thumbnails for a file manager, which calls it as gallery.thumbnailer says:
 * gallery-thumbnailer URI OUTPUT SIZE. A file that crashes the decoder is one that has no
 * thumbnail. */

#include "decode.h"
#include "workers.h"
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdio.h>
#include <stdlib.h>

/* In a process of its own that is thrown away, for the next file may be someone else's. */
static gboolean
decode (const char *uri, int size, Image *image, GError **error)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_fork_server_new ());
  g_autoptr (ProcfunCall) call = decode_image_call (uri, size);
  g_autoptr (ProcfunLimits) limits = workers_get_limits ();
  GError *failure = NULL;

  workers_confine (PROCFUN_PROCESS_EXECUTOR (executor));
  procfun_call_set_executor (call, executor);
  procfun_call_set_limits (call, limits);
  procfun_call_set_timeout (call, DECODE_TIMEOUT);
  *image = decode_image_run (call, NULL, &failure);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
save (const Image *image, const char *uri, const char *path, GError **error)
{
  g_autoptr (GdkPixbuf) pixbuf
      = gdk_pixbuf_new_from_bytes (image->pixels, GDK_COLORSPACE_RGB, image->has_alpha, 8,
                                   image->width, image->height, image->stride);

  return gdk_pixbuf_save (pixbuf, path, "png", error, "tEXt::Thumb::URI", uri, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_auto (Image) image = { 0 };

  if (argc != 4)
    {
      fprintf (stderr, "Usage: %s URI OUTPUT SIZE\n", argv[0]);
      return 2;
    }
  if (decode (argv[1], atoi (argv[3]), &image, &error) && save (&image, argv[1], argv[2], &error))
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
