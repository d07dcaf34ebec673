/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Messages between callers and hosts as the broker carries them. Nothing that comes is trusted. */

typedef enum
{
  /* Of a caller, by way of the stream */
  PACKET_CALL = 1,

  /* Between both, about a call */
  PACKET_PART,  /* @number: counted from 1; of a message, whose sizes stand in its first part */
  PACKET_ACK,   /* @number: all parts up to that one have come */
  PACKET_FETCH, /* of a host: the call is large, and its parts are to be sent */
  PACKET_BACK,  /* of a host: the call has not begun, and is to be submitted again */
  PACKET_GONE,  /* the sender knows no such call */

  /* About each other */
  PACKET_PING,
  PACKET_PONG,
  PACKET_WHO,  /* of a caller: hosts are to say that they are there */
  PACKET_HOST, /* of a host; @number: slots; @heartbeat: how often it says so; its profile */
  PACKET_BYE,  /* of a host: it ends */
  PACKET_AFTER_LAST
} PacketType;

typedef enum
{
  PACKET_FIRST = 1 << 0,
  PACKET_LAST = 1 << 1,
  PACKET_IS_LARGE = 1 << 2 /* of a call: its head and payload are to be fetched */
} PacketFlags;

typedef struct
{
  PacketType type;
  PacketFlags flags;
  ProcfunMessageFlags message_flags;
  guint kind;       /* of the message */
  const char *from; /* subject on which the sender is reached */
  guint64 id;       /* of the call, a number of its caller */
  guint64 number;
  gint64 heartbeat; /* of the sender, in µs; 0: none */
  guint64 head_size;
  guint64 size;    /* of the message: its head, padded, and its payload */
  GBytes *profile; /* (nullable) */
  GBytes *data;    /* (nullable): so much of the message as is in this packet */
} Packet;

/* Bytes of the longest head of a packet, with what is before its data. */
#define PACKET_OVERHEAD 1024

GBytes *packet_make (const Packet *self);

/* Several packets as one message. (element-type GBytes) */
GBytes *packet_join (GPtrArray *packets);

/* The packet that begins at @at, which is set to where the next one does. FALSE: it is none. What
 * is in it is owned by @self, which is cleared by packet_clear(). */
gboolean packet_read (Packet *self, GBytes *bytes, gsize *at);
void packet_clear (Packet *self);

/* The message as one, its head padded so that the payload is aligned, in parts of what is given;
 * and back again. @message refers to nothing but @bytes. FALSE: it is none. */
guint64 packet_get_message_size (const ProcfunMessage *message);
GBytes *packet_cut_message (const ProcfunMessage *message, guint64 at, gsize size);
gboolean packet_split_message (const Packet *first, GBytes *bytes, ProcfunMessage *message);

/* Name of a host, the last word of its subject. */
const char *packet_get_name (const char *subject);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Packet, packet_clear)

G_END_DECLS
