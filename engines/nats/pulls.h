/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls that a host has asked the broker for, and where: each request has an inbox of its own as
 * long as it is there, so that both are told apart. There are at most two at a time, or many hosts
 * would have more than the broker keeps. */

#define PULLS_MAX 2

typedef struct
{
  guint number;  /* of its inbox; 0: none */
  guint n_left;  /* calls that may yet come to it */
  gint64 due_at; /* monotonic time: it is not heard of any more */
} Pull;

typedef struct
{
  guint n_free; /* calls that this host can take, and has not asked for */
  Pull pulls[PULLS_MAX];
  guint last_number;
} Pulls;

/* Where a request stands that is there. */
guint pulls_get_place (const Pulls *self, guint number);

/* So many more can be taken. */
void pulls_add_free (Pulls *self, guint n);

/* Asks for all that can be taken. 0: nothing is to be asked for now. Otherwise the number of the
 * request, for @n calls. */
guint pulls_ask (Pulls *self, gint64 due_at, guint *n);

typedef enum
{
  PULLS_TAKEN,
  PULLS_TAKEN_LAST, /* nothing more comes to that inbox */
  PULLS_REFUSED     /* there is no room for it */
} PullsAnswer;

/* A call has come to an inbox. */
PullsAnswer pulls_take (Pulls *self, guint number);

/* The broker has ended a request. FALSE: it was not there. */
gboolean pulls_end (Pulls *self, guint number);

/* The number of a request that is not heard of any more, or 0. */
guint pulls_find_due (const Pulls *self, gint64 now);

G_END_DECLS
