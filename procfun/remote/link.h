/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Messages between a caller and a host, over any two descriptors: those of a socket, or of pipes.
 * A message has a head and a payload, which travel in pieces, so that a small message need not wait
 * for the end of a large one. A link never blocks; its source reads and writes. Both ends may be of
 * other machines and other programs, so nothing that comes is trusted. */

/* The name of each type. */
#define LINK_ROWS(ROW)                                                                             \
  /* a{sv}: what the sender is; the first message of both sides */                                 \
  ROW (HELLO, "hello")                                                                             \
  /* RemoteCallHead and options; payload: the arguments in serialised form */                      \
  ROW (CALL, "call")                                                                               \
  /* RemoteCancelHead */                                                                           \
  ROW (CANCEL, "cancel")                                                                           \
  /* RemoteStartedHead */                                                                          \
  ROW (STARTED, "started")                                                                         \
  /* RemoteOutputHead; payload: a line of text */                                                  \
  ROW (OUTPUT, "output")                                                                           \
  /* RemoteProgressHead; payload: text */                                                          \
  ROW (PROGRESS, "progress")                                                                       \
  /* Payload: an item of a generator in serialised form */                                         \
  ROW (ITEM, "item")                                                                               \
  /* RemoteTakeHead: how much more of a call's items and output its caller takes */                \
  ROW (TAKE, "take")                                                                               \
  /* RemoteEndHead; payload: the result in serialised form, or an error */                         \
  ROW (END, "end")                                                                                 \
  /* The sender lives. */                                                                          \
  ROW (PING, "ping")                                                                               \
  /* The sender takes no more calls, and leaves when those that run have ended. */                 \
  ROW (DRAIN, "drain")                                                                             \
  /* Between links alone. guint64: bytes of pieces that were read */                               \
  ROW (CREDIT, "credit")

typedef enum
{
  LINK_NONE,
#define LINK_TYPE(type, name) LINK_##type,
  LINK_ROWS (LINK_TYPE)
#undef LINK_TYPE
      LINK_AFTER_LAST
} LinkType;

const char *link_type_get_name (LinkType type);

/* Largest head, in bytes. */
#define LINK_HEAD_MAX ((gsize)256 * 1024)

typedef struct
{
  LinkType type;
  guint32 id;      /* of the call; 0: of none */
  GBytes *head;    /* aligned to 8 */
  GBytes *payload; /* the same */
} LinkMessage;

typedef struct _Link Link;

/* A message has come. The link may be freed in it. */
typedef void (*LinkFunc) (Link *link, const LinkMessage *message, gpointer user_data);

/* There is nothing more, once: the other side has gone, or sent what it must not. @error: why. */
typedef void (*LinkEndFunc) (Link *link, const GError *error, gpointer user_data);

/* Takes the descriptors, which may be one and the same, and makes them not block. @max_payload: in
 * bytes. */
Link *link_new (int in_fd, int out_fd, guint64 max_payload, GMainContext *context, LinkFunc func,
                LinkEndFunc end_func, gpointer user_data);
void link_free (Link *self);

/* Takes @payload (nullable); copies the head. Nothing is sent any more once the link has ended. */
void link_send (Link *self, LinkType type, guint32 id, gconstpointer head, gsize head_size,
                GBytes *payload);

/* The same, and takes neither. Both are (nullable). */
void link_send_bytes (Link *self, LinkType type, guint32 id, GBytes *head, GBytes *payload);

/* Tries to write all that waits, for at most @ms milliseconds. */
void link_flush (Link *self, int ms);

/* Bytes that wait to be sent. */
gsize link_get_unsent (const Link *self);

/* When the last bytes came: monotonic time in µs. */
gint64 link_get_heard_at (const Link *self);

/* Text that came before the first message. (nullable) */
const char *link_get_banner (const Link *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Link, link_free)

G_END_DECLS
