/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/caller-call.h"
#include "engines/nats/connection.h"

G_BEGIN_DECLS

/* The stream in the broker, as a caller uses it: what it says of its calls there, each until there
 * is an answer. */
typedef struct
{
  Connection *connection; /* these are unowned */
  Address *address;
  GBytes *profile;
  const char *subject; /* where the caller is reached */
  gint64 heartbeat;
} CallerQueue;

/* Of its subscriptions, with those that the caller has itself. */
enum
{
  CALLER_QUEUE_STORED = 1,
  CALLER_QUEUE_DELETED,
  CALLER_QUEUE_POOL,
  CALLER_QUEUE_AFTER_LAST
};

void caller_queue_begin (CallerQueue *self);
void caller_queue_ask_for_pool (CallerQueue *self);

/* Large messages stay with the caller, and are sent in parts of so many bytes. */
gsize caller_queue_get_part_max (CallerQueue *self);

/* Each sets when it is said again. The second puts it there with another number. */
void caller_queue_put (CallerQueue *self, CallerCall *call, gint64 now);
void caller_queue_put_again (CallerQueue *self, CallerCall *call, gint64 now);
void caller_queue_take_out (CallerQueue *self, CallerCall *call, gint64 now);

/* Takes it out, and it is to be put there again if it was there and no host speaks of it: one that
 * has done with it has taken it out. */
void caller_queue_recall (CallerQueue *self, CallerCall *call, gint64 now);

/* Says again what is due. @is_old: a host may have it already, and is to ask before it begins. */
void caller_queue_repeat (CallerQueue *self, CallerCall *call, gint64 now, gboolean is_old);

/* The number of the call that an answer is about; 0: it is about none. */
guint64 caller_queue_get_number (const CallerQueue *self, const ConnectionEvent *answer);

G_END_DECLS
