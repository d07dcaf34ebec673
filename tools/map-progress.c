/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-progress.h"

#include "procfun/base/intl.h"
#include "tools/values.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_LENGTH 30
#define ERASE "\r\033[K"

/* Less done says nothing of the rest. */
#define ETA_FRACTION_MIN 0.005

struct _MapProgress
{
  gint64 began_at;
  gboolean has_bar;
  gboolean has_eta;
  gboolean is_shown;
};

MapProgress *
map_progress_new (int output, gboolean has_eta)
{
  gboolean has_bar = isatty (STDERR_FILENO) && (has_eta || !isatty (output))
                     && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  MapProgress *self;

  if (!has_bar && !has_eta)
    return NULL;
  self = g_new0 (MapProgress, 1);
  self->has_bar = has_bar;
  self->has_eta = has_eta;
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

static void
print_eta (double us, double fraction)
{
  g_autofree char *left = NULL;

  if (fraction < ETA_FRACTION_MIN)
    return;
  left = value_describe_time (us / fraction - us);
  fprintf (stderr, _ (", %s left"), left);
}

void
map_progress_show (MapProgress *self, guint64 n_done, guint64 n_failed, double fraction)
{
  double us;

  if (self == NULL || !self->has_bar)
    return;
  us = (double)(g_get_monotonic_time () - self->began_at);
  fputs (ERASE, stderr);
  if (fraction >= 0)
    print_bar (fraction);
  fprintf (stderr, _ ("%" PRIu64 " lines, %.0f a second"), n_done,
           us > 0 ? (double)n_done / us * G_USEC_PER_SEC : 0);
  if (n_failed > 0)
    fprintf (stderr, _ (", %" PRIu64 " failed"), n_failed);
  if (self->has_eta)
    print_eta (us, fraction);
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

gboolean
map_progress_end (MapProgress *self, guint64 n_done, guint64 n_failed)
{
  g_autofree char *time = NULL;

  if (self == NULL)
    return FALSE;
  map_progress_clear (self);
  time = value_describe_time ((double)(g_get_monotonic_time () - self->began_at));
  fprintf (stderr, _ ("procfun: %" PRIu64 " lines done, %" PRIu64 " failed, in %s\n"), n_done,
           n_failed, time);
  return TRUE;
}
