/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A program or library that hosts may not have, and its name there: the hash of its content. */
typedef struct
{
  int fd;
  goffset size; /* in bytes */
  char *hash;   /* SHA-256, in 64 digits */
} UploadFile;

/* @path: (nullable): the file of this program, even where its name is another's now. Reads all of
 * it. (nullable) */
UploadFile *upload_file_new (const char *path, GError **error);
void upload_file_free (UploadFile *self);

/* The words that begin the command line of a host: a shell asks for the file by its standard output
 * unless it is in its cache, reads it from its standard input, and executes it with the words that
 * follow. @is_library: these begin with a program and an option, and the path comes after them. */
char **upload_file_make_command (const UploadFile *self, gboolean is_library);

/* Lines that the shell prints. */
#define UPLOAD_PRESENT "procfun-upload: present"
#define UPLOAD_ABSENT "procfun-upload: absent"
#define UPLOAD_STORED "procfun-upload: stored"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (UploadFile, upload_file_free)

G_END_DECLS
