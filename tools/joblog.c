/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/joblog.h"

#include "procfun/base/intl.h"
#include <errno.h>
#include <inttypes.h>
#include <procfun.h>
#include <stdio.h>
#include <string.h>

#define HEADER "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

enum
{
  COLUMN_NUMBER = 0,
  COLUMN_EXIT_STATUS = 6,
  COLUMN_SIGNAL = 7,
  N_COLUMNS = 9
};

struct _JobLog
{
  char *path;
  FILE *file;
  GHashTable *done; /* (element-type guint64): numbers */
};

/* Later lines for the same record count more. What is no line of a log says nothing. */
static void
read_line (JobLog *self, const char *line, gboolean forgets_failed)
{
  g_auto (GStrv) columns = g_strsplit (line, "\t", N_COLUMNS);
  guint64 number;

  if (g_strv_length (columns) < N_COLUMNS
      || !g_ascii_string_to_unsigned (columns[COLUMN_NUMBER], 10, 1, G_MAXUINT64, &number, NULL))
    return;
  if (forgets_failed
      && (strcmp (columns[COLUMN_EXIT_STATUS], "0") != 0
          || strcmp (columns[COLUMN_SIGNAL], "0") != 0))
    g_hash_table_remove (self->done, &number);
  else
    g_hash_table_add (self->done, g_memdup2 (&number, sizeof number));
}

/* A line that was being written when somebody ended the tool has no end, and is not counted; the
 * next one must not go on with it: *@is_cut. */
static gboolean
read_log (JobLog *self, gboolean forgets_failed, gboolean *is_new, gboolean *is_cut, GError **error)
{
  char *line;
  g_autofree char *text = NULL;
  g_autoptr (GError) own = NULL;
  char *end;

  *is_new = !g_file_get_contents (self->path, &text, NULL, &own) || text[0] == '\0';
  if (own != NULL && !g_error_matches (own, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    {
      g_propagate_error (error, g_steal_pointer (&own));
      return FALSE;
    }
  if (*is_new)
    return TRUE;
  if (!g_str_has_prefix (text, HEADER))
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID, _ ("%s is no log of --joblog"),
                   self->path);
      return FALSE;
    }
  for (line = text + strlen (HEADER); (end = strchr (line, '\n')) != NULL; line = end + 1)
    {
      *end = '\0';
      read_line (self, line, forgets_failed);
    }
  *is_cut = *line != '\0';
  return TRUE;
}

static gboolean
fail (JobLog *self, GError **error)
{
  int errnum = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errnum),
               _ ("%s cannot be written: %s"), self->path, g_strerror (errnum));
  return FALSE;
}

JobLog *
joblog_open (const char *path, gboolean keeps, gboolean forgets_failed, GError **error)
{
  g_autoptr (JobLog) self = g_new0 (JobLog, 1);
  gboolean is_new = TRUE, is_cut = FALSE;

  self->path = g_strdup (path);
  self->done = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  if (keeps && !read_log (self, forgets_failed, &is_new, &is_cut, error))
    return NULL;
  self->file = fopen (path, is_new ? "we" : "ae");
  if (self->file == NULL || (is_new && fputs (HEADER, self->file) == EOF)
      || (is_cut && fputc ('\n', self->file) == EOF) || fflush (self->file) != 0)
    {
      fail (self, error);
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
joblog_free (JobLog *self)
{
  if (self->file != NULL)
    fclose (self->file);
  g_hash_table_unref (self->done);
  g_free (self->path);
  g_free (self);
}

gboolean
joblog_has (JobLog *self, guint64 number)
{
  return g_hash_table_contains (self->done, &number);
}

/* A log has one line for each, and nine columns. */
static char *
make_command (const JobLogEntry *entry)
{
  char *command = g_strconcat (entry->name, " ", entry->text, NULL);

  return g_strdelimit (command, "\t\n\r", ' ');
}

gboolean
joblog_add (JobLog *self, const JobLogEntry *entry, GError **error)
{
  g_autofree char *command = make_command (entry);

  fprintf (self->file,
           "%" PRIu64 "\t%s\t%" PRId64 ".%03d\t%" PRId64 ".%03d\t%zu\t%zu\t%d\t%d\t%s\n",
           entry->number, entry->host != NULL ? entry->host : ":", entry->began_at / G_USEC_PER_SEC,
           (int)(entry->began_at % G_USEC_PER_SEC / 1000), entry->duration / G_USEC_PER_SEC,
           (int)(entry->duration % G_USEC_PER_SEC / 1000), entry->n_sent, entry->n_received,
           entry->exit_status, entry->signum, command);
  return fflush (self->file) == 0 || fail (self, error);
}
