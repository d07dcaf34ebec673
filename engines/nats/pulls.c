/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/pulls.h"

/* 0 is that of none, and so is the next one, where an inbox has none. */
#define NUMBER_MAX (G_MAXUINT - 1)

static Pull *
find (Pulls *self, guint number)
{
  for (gsize i = 0; i < PULLS_MAX; i++)
    if (self->pulls[i].number == number)
      return &self->pulls[i];
  return NULL;
}

guint
pulls_get_place (const Pulls *self, guint number)
{
  return (guint)(find ((Pulls *)self, number) - self->pulls);
}

void
pulls_add_free (Pulls *self, guint n)
{
  self->n_free += n;
}

guint
pulls_ask (Pulls *self, gint64 due_at, guint *n)
{
  Pull *pull = find (self, 0);

  if (pull == NULL || self->n_free == 0)
    return 0;
  *n = self->n_free;
  self->last_number = self->last_number % NUMBER_MAX + 1;
  *pull = (Pull){ .number = self->last_number, .n_left = self->n_free, .due_at = due_at };
  self->n_free = 0;
  return pull->number;
}

PullsAnswer
pulls_take (Pulls *self, guint number)
{
  Pull *pull = find (self, number);

  if (pull != NULL && --pull->n_left > 0)
    return PULLS_TAKEN;
  if (pull != NULL)
    {
      pull->number = 0;
      return PULLS_TAKEN_LAST;
    }
  if (self->n_free == 0)
    return PULLS_REFUSED;
  self->n_free--;
  return PULLS_TAKEN;
}

gboolean
pulls_end (Pulls *self, guint number)
{
  Pull *pull = find (self, number);

  if (pull == NULL)
    return FALSE;
  self->n_free += pull->n_left;
  pull->number = 0;
  return TRUE;
}

guint
pulls_find_due (const Pulls *self, gint64 now)
{
  for (gsize i = 0; i < PULLS_MAX; i++)
    if (self->pulls[i].number != 0 && now >= self->pulls[i].due_at)
      return self->pulls[i].number;
  return 0;
}
