/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"
#include "engines/nats/connection.h"
#include "engines/nats/pulls.h"

G_BEGIN_DECLS

/* Requests of a host for calls, as the broker sees them: messages, and the inboxes to which the
 * calls come. */
typedef struct
{
  Address *address;       /* unowned, as the next ones */
  const char *name;       /* of the host */
  Connection *connection; /* (nullable): it is closed */

  Pulls pulls;
  guint inboxes[PULLS_MAX]; /* numbers; 0: none is open */
  guint last_inbox;
  gint64 ask_at; /* monotonic time: no call is asked for before that */
} PullRequests;

/* A message whose tag is greater than @tag has come to an inbox. */
#define PULL_REQUESTS_TAG 16

/* Asks for all calls that can be taken. @now: monotonic time in µs. */
void pull_requests_ask (PullRequests *self, gint64 now);

/* The request whose calls come with @tag now, or one that there is not. */
guint pull_requests_find (const PullRequests *self, guint tag);

/* A call has come to @number. */
PullsAnswer pull_requests_take (PullRequests *self, guint number);

/* A status has come to @number in place of a call. FALSE: the request stays. */
gboolean pull_requests_take_status (PullRequests *self, guint number, int status, gint64 now);

/* The broker may not know that they have ended, and is to give no more calls to them; but a call
 * that is on its way is not to be lost. */
void pull_requests_give_up (PullRequests *self);

/* Gives all up where one is not heard of any more. */
void pull_requests_advance (PullRequests *self, gint64 now);

G_END_DECLS
