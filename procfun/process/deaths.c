/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/deaths.h"

#include <string.h>

/* Limit of exit statuses that are kept; most are never asked for. */
#define DEATHS_MAX 256

Deaths *
deaths_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (FrameExited));
}

void
deaths_free (Deaths *self)
{
  g_array_unref (self);
}

void
deaths_note (Deaths *self, const Frame *frame)
{
  FrameExited exited;

  if (g_bytes_get_size (frame->payload) != sizeof exited)
    return;
  memcpy (&exited, g_bytes_get_data (frame->payload, NULL), sizeof exited);
  if (self->len >= DEATHS_MAX)
    g_array_remove_range (self, 0, DEATHS_MAX / 2);
  g_array_append_val (self, exited);
}

gboolean
deaths_get_status (const Deaths *self, pid_t pid, int *wait_status)
{
  for (guint i = self->len; i > 0; i--)
    {
      const FrameExited *exited = &g_array_index (self, FrameExited, i - 1);

      if (exited->pid != pid)
        continue;
      *wait_status = exited->wait_status;
      return TRUE;
    }
  return FALSE;
}
