/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/starts.h"

#include "procfun/base/intl.h"
#include "procfun/process/back-off.h"
#include "procfun/procfun-error.h"

/* After the first failure, and at most. */
#define RETRY_US (10 * G_TIME_SPAN_MILLISECOND)
#define RETRY_MAX_US (10 * G_USEC_PER_SEC)

/* So many workers in a row may end before their first call, which then goes to the next one. */
#define UNSENT_MAX 5

typedef struct
{
  BackOff back_off;
  GError *error;  /* (nullable): of the last worker, which did not start */
  guint n_unsent; /* workers in a row that ended before their first call */
} Start;

static void
start_free (gpointer data)
{
  Start *self = data;

  g_clear_error (&self->error);
  g_free (self);
}

Starts *
starts_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, start_free);
}

gint64
starts_get_rest (Starts *self, const char *module)
{
  const Start *start = g_hash_table_lookup (self, module);

  return start != NULL ? back_off_get_rest (&start->back_off) : 0;
}

gboolean
starts_check (Starts *self, const char *module, GError **error)
{
  gint64 rest = starts_get_rest (self, module);
  const Start *start;

  if (rest == 0)
    return TRUE;
  start = g_hash_table_lookup (self, module);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
               _ ("no worker can be started, and the next try is in %.3g s: %s"),
               (double)rest / G_USEC_PER_SEC, start->error->message);
  return FALSE;
}

static Start *
get (Starts *self, const char *module)
{
  Start *start = g_hash_table_lookup (self, module);

  if (start == NULL)
    {
      start = g_new0 (Start, 1);
      g_hash_table_insert (self, g_strdup (module), start);
    }
  return start;
}

void
starts_succeed (Starts *self, const char *module)
{
  g_hash_table_remove (self, module);
}

void
starts_fail (Starts *self, const char *module, GError *error)
{
  Start *start = get (self, module);

  start->n_unsent = 0;
  g_clear_error (&start->error);
  start->error = error;
  back_off_fail (&start->back_off, RETRY_US, RETRY_MAX_US);
}

void
starts_note_unsent (Starts *self, const char *module)
{
  if (++get (self, module)->n_unsent >= UNSENT_MAX)
    starts_fail (self, module,
                 g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                                      _ ("the last one ended before its first call")));
}
