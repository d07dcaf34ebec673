/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/spares.h"

#include <poll.h>

static void
free_spare (gpointer data)
{
  worker_clear (data); /* which it notices */
  g_free (data);
}

void
spares_push (Spares *self, Worker *worker)
{
  g_queue_push_tail (self, worker);
}

/* A spare ends when it has waited too long, or with the zygote. Its channel tells so at once, but
 * not while the zygote, which may have been stopped, still holds the other end. */
static gboolean
is_alive (const Worker *spare, Process *zygote)
{
  struct pollfd fds[] = { { .fd = spare->channel_fd, .events = POLLIN },
                          { .fd = process_get_pidfd (spare->process), .events = POLLIN },
                          { .fd = process_get_pidfd (zygote), .events = POLLIN } };

  return poll (fds, G_N_ELEMENTS (fds), 0) == 0;
}

gboolean
spares_take (Spares *self, Process *zygote, Worker *worker)
{
  Worker *spare;

  while ((spare = g_queue_pop_head (self)) != NULL)
    {
      gboolean is_usable = is_alive (spare, zygote);

      if (is_usable)
        *worker = worker_steal (spare);
      free_spare (spare);
      if (is_usable)
        return TRUE;
    }
  return FALSE;
}

void
spares_clear (Spares *self)
{
  g_queue_clear_full (self, free_spare);
}
