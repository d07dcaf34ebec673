/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/upload-file.h"

G_BEGIN_DECLS

typedef struct _Upload Upload;

/* The other side has the file and goes on, or (@error) will not. Called once; the upload may be
 * freed in it. */
typedef void (*UploadFunc) (const GError *error, gpointer user_data);

/* Gives a host the file over the stream that carries messages later, if it asks for it. Takes @fd,
 * a socket. @file is borrowed. */
Upload *upload_new (int fd, const UploadFile *file, GMainContext *context, UploadFunc func,
                    gpointer user_data);
void upload_free (Upload *self);

/* After the end. */
int upload_steal_fd (Upload *self);

/* Text that came before, or instead. */
const char *upload_get_banner (Upload *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Upload, upload_free)

G_END_DECLS
