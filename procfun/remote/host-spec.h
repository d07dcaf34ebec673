/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/upload-file.h"

/* How a host is started: a command in which {} stands for the command line of the program. */
typedef struct
{
  gatomicrefcount ref_count;
  char *name;       /* as the user wrote it, as one readable line */
  char **command;   /* (nullable): an engine knows it by its name, a URL */
  char *scheme;     /* up to the colon */
  char *program;    /* (nullable): at the same path as here */
  guint slots;      /* 0: as many as the host has processors */
  gboolean quotes;  /* a shell takes the command apart once more */
  gboolean uploads; /* the file of the program is sent where it is not */
  gboolean is_here; /* on this machine, where this process's own file can be executed */
} HostSpec;

/* “ssh:alpha*16, ssh:me@beta=/opt/bin/first, local*2”. (nullable) (element-type HostSpec):
 * %PROCFUN_ERROR_INVALID. A scheme that no command is known for is that of an engine. */
GPtrArray *host_spec_parse_list (const char *text, GError **error);

/* Whether it may be such a list, and not the name of an executor. */
gboolean host_spec_is_list (const char *text);

HostSpec *host_spec_ref (HostSpec *self);
void host_spec_unref (HostSpec *self);

/* @name and @command, as a program gives them; the latter in place of what text can say. */
HostSpec *host_spec_new (const char *name, const char *const *command);

/* The command line of the launcher. @program: (nullable): what hosts run, if not this program;
 * @library: (nullable): whose functions, if not its own; then @program is procfun-worker, or NULL.
 * @file: (nullable): the one of both that is sent. */
char **host_spec_make_command (const HostSpec *self, const char *program, const char *library,
                               const UploadFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostSpec, host_spec_unref)
