/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/spares.h"

#include <poll.h>

typedef struct
{
  GList link;
  Worker worker;
} Spare;

static void
free_spare (Spare *self)
{
  worker_clear (&self->worker); /* which it notices */
  g_free (self);
}

void
spares_push (Spares *self, Worker *worker)
{
  Spare *spare = g_new (Spare, 1);

  *spare = (Spare){ .link = { .data = spare }, .worker = worker_steal (worker) };
  g_queue_push_tail_link (self, &spare->link);
}

/* (nullable) */
static Spare *
pop (Spares *self)
{
  GList *link = g_queue_pop_head_link (self);

  return link != NULL ? link->data : NULL;
}

/* A spare ends when it has waited too long, or with the zygote. Its channel tells so at once, but
 * not while the zygote, which may have been stopped, still holds the other end. */
static gboolean
is_alive (const Worker *spare, Process *zygote)
{
  struct pollfd fds[] = { { .fd = spare->channel_fd, .events = POLLIN },
                          { .fd = process_get_pidfd (spare->process), .events = POLLIN },
                          { .fd = process_get_pidfd (zygote), .events = POLLIN } };

  return poll (fds, G_N_ELEMENTS (fds), 0) <= 0; /* where it cannot be known, it will show */
}

gboolean
spares_take (Spares *self, Process *zygote, Worker *worker)
{
  Spare *spare;

  while ((spare = pop (self)) != NULL)
    {
      gboolean is_usable = is_alive (&spare->worker, zygote);

      if (is_usable)
        *worker = worker_steal (&spare->worker);
      free_spare (spare);
      if (is_usable)
        return TRUE;
    }
  return FALSE;
}

void
spares_clear (Spares *self)
{
  Spare *spare;

  while ((spare = pop (self)) != NULL)
    free_spare (spare);
}
