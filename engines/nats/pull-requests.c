/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/pull-requests.h"

#include "engines/nats/subjects.h"
#include <inttypes.h>

/* Times in µs */
#define EXPIRES (30 * G_USEC_PER_SEC)
#define LATE (2 * G_USEC_PER_SEC)
#define PAUSE (G_USEC_PER_SEC / 2)

enum
{
  STATUS_IDLE = 100,
  STATUS_NO_MESSAGES = 404,
  STATUS_EXPIRED = 408
};

/* Requests may be many; inboxes are not. */
static guint
open_inbox (PullRequests *self, guint place)
{
  if (self->inboxes[place] == 0)
    {
      g_autofree char *inbox = NULL;

      self->inboxes[place] = ++self->last_inbox;
      inbox = subjects_inbox (self->address, self->name, self->last_inbox);
      connection_subscribe (self->connection, inbox, PULL_REQUESTS_TAG + self->last_inbox, FALSE);
    }
  return self->inboxes[place];
}

void
pull_requests_ask (PullRequests *self, gint64 now)
{
  guint number, n;

  if (now < self->ask_at)
    return;
  while ((number = pulls_ask (&self->pulls, now + EXPIRES + LATE, &n)) > 0)
    {
      g_autofree char *inbox = subjects_inbox (
          self->address, self->name, open_inbox (self, pulls_get_place (&self->pulls, number)));
      g_autofree char *next
          = subjects_api (self->address, "CONSUMER.MSG.NEXT", "." SUBJECTS_CONSUMER);
      g_autofree char *text
          = g_strdup_printf ("{\"batch\":%u,\"expires\":%" PRId64 "}", n, (gint64)EXPIRES * 1000);

      connection_publish_text (self->connection, next, inbox, text);
    }
}

static guint
find (const PullRequests *self, guint inbox)
{
  for (guint place = 0; place < PULLS_MAX; place++)
    if (self->inboxes[place] == inbox && self->pulls.pulls[place].number != 0)
      return self->pulls.pulls[place].number;
  return G_MAXUINT;
}

guint
pull_requests_find (const PullRequests *self, guint tag)
{
  return find (self, tag - PULL_REQUESTS_TAG);
}

PullsAnswer
pull_requests_take (PullRequests *self, guint number)
{
  return pulls_take (&self->pulls, number);
}

gboolean
pull_requests_take_status (PullRequests *self, guint number, int status, gint64 now)
{
  if (status == STATUS_IDLE)
    return FALSE;
  if (status != STATUS_NO_MESSAGES && status != STATUS_EXPIRED)
    self->ask_at = now + PAUSE;
  pulls_end (&self->pulls, number);
  return TRUE;
}

void
pull_requests_give_up (PullRequests *self)
{
  for (guint place = 0; place < PULLS_MAX; place++)
    {
      pulls_end (&self->pulls, find (self, self->inboxes[place]));
      if (self->inboxes[place] != 0)
        connection_drain (self->connection, PULL_REQUESTS_TAG + self->inboxes[place]);
      self->inboxes[place] = 0;
    }
}

void
pull_requests_advance (PullRequests *self, gint64 now)
{
  if (pulls_find_due (&self->pulls, now) > 0)
    pull_requests_give_up (self);
}
