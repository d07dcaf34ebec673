/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A file with a line for each call, in the columns of GNU parallel's --joblog. */
typedef struct _JobLog JobLog;

typedef struct
{
  guint64 number;  /* of the record */
  gint64 began_at; /* in µs since 1970 */
  gint64 duration; /* in µs */
  gsize n_sent;    /* bytes of the record */
  gsize n_received;
  const char *host; /* (nullable): this machine */
  int exit_status;
  int signum;       /* 0: none */
  const char *name; /* of the function */
  const char *text; /* of the record */
} JobLogEntry;

/* Without @keeps the file is begun anew. With @forgets_failed those that have failed are not known
 * to joblog_has(). */
JobLog *joblog_open (const char *path, gboolean keeps, gboolean forgets_failed, GError **error);
void joblog_free (JobLog *self);

gboolean joblog_has (JobLog *self, guint64 number);
gboolean joblog_add (JobLog *self, const JobLogEntry *entry, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobLog, joblog_free)
