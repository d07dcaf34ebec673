/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/link.h"

G_BEGIN_DECLS

/* Messages that a link is to send, as pieces: small ones first, then the large ones in turn. */
typedef struct
{
  GByteArray *out;   /* being written */
  gsize n_written;   /* of that */
  GQueue small;      /* (element-type Outgoing): of one piece */
  GQueue bulk;       /* (element-type Outgoing): of more */
  guint64 in_window; /* bytes of pieces that the other side has not read */
  gsize n_waiting;   /* bytes in both queues */
} Outbox;

void outbox_init (Outbox *self);
void outbox_clear (Outbox *self);

/* Takes @head and @payload (nullable). A message does not overtake others of its call. */
void outbox_push (Outbox *self, LinkType type, guint32 id, GBytes *head, GBytes *payload);

/* There is something that may be written now. */
gboolean outbox_has_output (const Outbox *self);

/* Writes about @max bytes, or what there is room for: *@is_blocked. FALSE: an error, in errno. A
 * pipe knows no MSG_NOSIGNAL, so SIGPIPE must be blocked. */
gboolean outbox_write (Outbox *self, int fd, gsize max, gboolean *is_blocked);

/* The other side has read @bytes of pieces. FALSE: so many were not sent. */
gboolean outbox_take_credit (Outbox *self, guint64 bytes);

/* In bytes. */
gsize outbox_get_unsent (const Outbox *self);

G_END_DECLS
