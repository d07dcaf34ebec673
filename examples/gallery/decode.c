/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that run in other processes. They use gdk-pixbuf and not GTK, so that the thumbnailer,
 * which has no display, can call them too. */

#include "decode.h"
#include <gdk-pixbuf/gdk-pixbuf.h>

#define PIECE (64 * 1024)

static void
on_size_prepared (GdkPixbufLoader *loader, int width, int height, gpointer size)
{
  double scale = (double)GPOINTER_TO_INT (size) / MAX (width, height);

  if (scale < 1)
    gdk_pixbuf_loader_set_size (loader, (int)MAX (1, width * scale), (int)MAX (1, height * scale));
}

/* Small pieces let the caller see progress, and end a call that is cancelled without losing the
 * worker. */
static gboolean
feed (GdkPixbufLoader *loader, const char *text, gsize length, GError **error)
{
  for (gsize done = 0; done < length; done += PIECE)
    {
      gsize size = MIN (PIECE, length - done);

      if (g_cancellable_set_error_if_cancelled (procfun_get_cancellable (), error)
          || !gdk_pixbuf_loader_write (loader, (const guint8 *)text + done, size, error))
        {
          gdk_pixbuf_loader_close (loader, NULL);
          return FALSE;
        }
      procfun_report_progress ((double)done / (double)length, NULL);
    }
  return gdk_pixbuf_loader_close (loader, error);
}

static Image
image_new (GdkPixbuf *pixbuf)
{
  g_autoptr (GdkPixbuf) upright = gdk_pixbuf_apply_embedded_orientation (pixbuf);

  return (Image){ gdk_pixbuf_get_width (upright), gdk_pixbuf_get_height (upright),
                  gdk_pixbuf_get_rowstride (upright), gdk_pixbuf_get_has_alpha (upright),
                  gdk_pixbuf_read_pixel_bytes (upright) };
}

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION_WITH_ERROR (decode_image, Image, (const char *, uri),
                                               (int, size))
{
  g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new ();
  g_autofree char *path = g_filename_from_uri (uri, NULL, error);
  g_autofree char *text = NULL;
  gsize length;

  g_signal_connect (loader, "size-prepared", G_CALLBACK (on_size_prepared), GINT_TO_POINTER (size));
  if (path == NULL || !g_file_get_contents (path, &text, &length, error))
    {
      gdk_pixbuf_loader_close (loader, NULL);
      return (Image){ 0 };
    }
  if (!feed (loader, text, length, error))
    return (Image){ 0 };
  return image_new (gdk_pixbuf_loader_get_pixbuf (loader));
}

PROCFUN_DEFINE_FUNCTION (crash_worker, void)
{
  volatile int *volatile nowhere = NULL;

  *nowhere = 1;
}

PROCFUN_DEFINE_FUNCTION (hang_worker, void)
{
  for (;;)
    g_usleep (G_USEC_PER_SEC);
}
