/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"
#include <nats/nats.h>

G_BEGIN_DECLS

/* Events of a connection on their way to the main context of who made it, and the ends of those who
 * post them: of libnats and of the thread of the connection. Any thread may use it. */

typedef struct _Mailbox Mailbox;

/* In the thread of the main context: in each turn before it may sleep, and when events are told or
 * there is something to be read. */
typedef struct
{
  void (*prepare) (gpointer connection);
  void (*dispatch) (gpointer connection);
} MailboxHooks;

/* @context: (nullable): the default one. @hooks: (nullable) */
Mailbox *mailbox_new (GMainContext *context, ConnectionFunc func, gpointer user_data,
                      const MailboxHooks *hooks, gpointer connection);
Mailbox *mailbox_ref (Mailbox *self);
void mailbox_unref (Mailbox *self);

/* Takes @event, which is dropped once it is closed. @message: (nullable) */
void mailbox_post (Mailbox *self, ConnectionEvent *event);
void mailbox_post_news (Mailbox *self, ConnectionEventType type, const char *message);

/* For libnats, which posts that the broker does not let us do something. @mailbox: a Mailbox */
void mailbox_on_error (natsConnection *nats, natsSubscription *subscription, natsStatus status,
                       void *mailbox);

/* Has the main context begin another turn. */
void mailbox_wake (Mailbox *self);

/* The main context also looks whether a socket can be read, and written where that is asked for. */
void mailbox_watch (Mailbox *self, int fd);
void mailbox_watch_for_room (Mailbox *self, gboolean is_full);
void mailbox_unwatch (Mailbox *self);

/* Of the main context: no event is told any more, nor is a hook called. */
void mailbox_close (Mailbox *self);

/* Likewise: tells the messages that have come, and drops other events. TRUE: one of them is that
 * all is synchronised, or has failed. The second waits for any. FALSE: it is too late. */
gboolean mailbox_tell_messages (Mailbox *self);
gboolean mailbox_wait (Mailbox *self, gint64 until);

/* Ends, each with who waits for it. FALSE: it is too late. */
void mailbox_end_thread (Mailbox *self);
void mailbox_wait_for_thread (Mailbox *self, gint64 until);
void mailbox_end_libnats (Mailbox *self);
gboolean mailbox_wait_for_libnats (Mailbox *self, gint64 until); /* and forgets it */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mailbox, mailbox_unref)

G_END_DECLS
