/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/stream-spool.h"

#include "procfun/platform/fds.h"
#include <errno.h>
#include <gio/gunixinputstream.h>

#define PIECE ((gsize)64 * 1024)

static gboolean
write_all (int fd, const guint8 *data, gsize size, GError **error)
{
  while (size > 0)
    {
      const gssize n = write (fd, data, size);
      const int errsv = errno;

      if (n >= 0)
        {
          data += n;
          size -= (gsize)n;
        }
      else if (errsv != EINTR)
        {
          g_set_error_literal (error, G_IO_ERROR, (gint)g_io_error_from_errno (errsv),
                               g_strerror (errsv));
          return FALSE;
        }
    }
  return TRUE;
}

GInputStream *
stream_spool (GInputStream *stream, GError **error)
{
  auto_fd int fd = fds_open_nameless (error);
  g_autofree guint8 *data = g_malloc (PIECE);
  gssize n;

  if (fd < 0)
    return NULL;
  while ((n = g_input_stream_read (stream, data, PIECE, NULL, error)) > 0)
    if (!write_all (fd, data, (gsize)n, error))
      return NULL;
  if (n < 0 || lseek (fd, 0, SEEK_SET) < 0)
    return NULL;
  return g_unix_input_stream_new (g_steal_fd (&fd), TRUE);
}
