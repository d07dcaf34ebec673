/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"
#include "engines/nats/packet.h"

G_BEGIN_DECLS

/* Messages of a caller and a host to each other about one call. The broker may lose any of it: each
 * message goes in numbered parts, which are sent again until the other side has said that they have
 * come. */

/* A message has come, whole and in order. */
typedef void (*TalkFunc) (const ProcfunMessage *message, gpointer user_data);

typedef struct _Talk Talk;

/* @to: subject of the other side. @from: of this one. @part_max: bytes of a message in one part.
 * @destroy: (nullable) */
Talk *talk_new (Connection *connection, const char *to, const char *from, guint64 id,
                gsize part_max, TalkFunc func, gpointer user_data, GDestroyNotify destroy);
void talk_free (Talk *self);

const char *talk_get_peer (const Talk *self);

void talk_send (Talk *self, const ProcfunMessage *message);

/* The same with the next one, or by talk_advance(). */
void talk_add (Talk *self, const ProcfunMessage *message);

/* A packet of the other side about this call, which is a part or an acknowledgement. FALSE: nobody
 * sends that. @func is called at its end, and may free the talk. */
gboolean talk_take (Talk *self, const Packet *packet);

/* Says now that all parts so far have come. */
void talk_acknowledge (Talk *self);

/* Does what is due. It is to be called a few times a second. @again: what was sent may be lost. */
void talk_advance (Talk *self, gint64 now, gboolean again);

/* Whether the other side has all that was sent. */
gboolean talk_is_quiet (const Talk *self);

/* Whether anything has come; and whether anything was sent, or is to be. */
gboolean talk_has_begun (const Talk *self);
gboolean talk_has_answered (const Talk *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Talk, talk_free)

G_END_DECLS
