/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/upload-file.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((gsize)256 * 1024)

/* The part is moved to its place when it is whole, so that several can come at the same time. A
 * file of the right name with other content was damaged, and is made anew. */
#define SCRIPT                                                                                     \
  "umask 077\n"                                                                                    \
  "cache=${XDG_CACHE_HOME:-$HOME/.cache}/procfun\n"                                                \
  "file=$cache/$1\n"                                                                               \
  "is_whole () { test -f \"$2\" && sha256sum <\"$2\" | grep -q \"^$1 \"; }\n"                      \
  "if is_whole \"$1\" \"$file\"\n"                                                                 \
  "then\n"                                                                                         \
  "  echo '" UPLOAD_PRESENT "'\n"                                                                  \
  "else\n"                                                                                         \
  "  mkdir -p \"$cache\" && part=$(mktemp \"$cache/part.XXXXXX\") || exit 1\n"                     \
  "  echo '" UPLOAD_ABSENT "'\n"                                                                   \
  "  if head -c \"$2\" >\"$part\" && is_whole \"$1\" \"$part\"\n"                                  \
  "  then\n"                                                                                       \
  "    chmod 700 \"$part\" && mv -f \"$part\" \"$file\" || exit 1\n"                               \
  "    echo '" UPLOAD_STORED "'\n"                                                                 \
  "  else\n"                                                                                       \
  "    rm -f \"$part\"\n"                                                                          \
  "    echo 'the program did not arrive whole' >&2\n"                                              \
  "    exit 1\n"                                                                                   \
  "  fi\n"                                                                                         \
  "fi\n"                                                                                           \
  "shift 2\n"

#define EXECUTE "exec \"$file\" \"$@\"\n"
#define LOAD                                                                                       \
  "worker=$1 option=$2\n"                                                                          \
  "shift 2\n"                                                                                      \
  "exec \"$worker\" \"$option\" \"$file\" \"$@\"\n"

static char *
hash (int fd)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *piece = g_malloc (PIECE);
  goffset offset = 0;
  gssize n;

  while ((n = pread (fd, piece, PIECE, offset)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0)
      {
        g_checksum_update (checksum, piece, n);
        offset += n;
      }
  return n == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static gboolean
look (UploadFile *self)
{
  struct stat st;

  if (self->fd < 0 || fstat (self->fd, &st) != 0)
    return FALSE;
  self->size = st.st_size;
  self->hash = hash (self->fd);
  return self->hash != NULL;
}

UploadFile *
upload_file_new (const char *path, GError **error)
{
  g_autoptr (UploadFile) self = g_new0 (UploadFile, 1);

  self->fd = open (path != NULL ? path : "/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (look (self))
    return g_steal_pointer (&self);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE, _ ("%s cannot be read: %s"),
               path != NULL ? path : _ ("the program"), g_strerror (errno));
  return NULL;
}

void
upload_file_free (UploadFile *self)
{
  fd_clear (&self->fd);
  g_free (self->hash);
  g_free (self);
}

char **
upload_file_make_command (const UploadFile *self, gboolean is_library)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *size = g_strdup_printf ("%" G_GOFFSET_FORMAT, self->size);

  g_strv_builder_add_many (builder, "sh", "-c", is_library ? SCRIPT LOAD : SCRIPT EXECUTE,
                           "procfun", self->hash, size, NULL);
  return g_strv_builder_end (builder);
}
