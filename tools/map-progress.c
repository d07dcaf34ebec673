/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-progress.h"

#include "procfun/base/intl.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_LENGTH 30
#define ERASE "\r\033[K"

struct _MapProgress
{
  gint64 began_at;
  gboolean is_shown;
};

MapProgress *
map_progress_new (int output)
{
  MapProgress *self;

  if (!isatty (STDERR_FILENO) || isatty (output) || g_strcmp0 (g_getenv ("TERM"), "dumb") == 0)
    return NULL;
  self = g_new0 (MapProgress, 1);
  self->began_at = g_get_monotonic_time ();
  return self;
}

void
map_progress_free (MapProgress *self)
{
  g_free (self);
}

static void
print_bar (double fraction)
{
  char bar[BAR_LENGTH + 1] = { 0 };
  int n = (int)(fraction * BAR_LENGTH);

  memset (bar, '#', (gsize)n);
  memset (bar + n, '.', (gsize)(BAR_LENGTH - n));
  fprintf (stderr, "[%s] %3d %%  ", bar, (int)(fraction * 100));
}

void
map_progress_show (MapProgress *self, guint64 n_done, guint64 n_failed, double fraction)
{
  double seconds;

  if (self == NULL)
    return;
  seconds = (double)(g_get_monotonic_time () - self->began_at) / G_USEC_PER_SEC;
  fputs (ERASE, stderr);
  if (fraction >= 0)
    print_bar (fraction);
  fprintf (stderr, _ ("%" PRIu64 " lines, %.0f a second"), n_done,
           seconds > 0 ? (double)n_done / seconds : 0);
  if (n_failed > 0)
    fprintf (stderr, _ (", %" PRIu64 " failed"), n_failed);
  fflush (stderr);
  self->is_shown = TRUE;
}

void
map_progress_clear (MapProgress *self)
{
  if (self == NULL || !self->is_shown)
    return;
  fputs (ERASE, stderr);
  fflush (stderr);
  self->is_shown = FALSE;
}
