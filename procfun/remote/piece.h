/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A piece of a message as it travels over a link. */

#define PIECE_MAGIC 0xf5
#define LINK_VERSION 1

/* Of a piece's contents. A larger message goes in several. */
#define PIECE_MAX ((gsize)64 * 1024)

enum
{
  PIECE_FIRST = 1 << 0,
  PIECE_LAST = 1 << 1,
  PIECE_WHOLE = PIECE_FIRST | PIECE_LAST
};

/* All numbers are little-endian. Those of the message stand in its first piece. */
typedef struct
{
  guint8 magic;
  guint8 version;
  guint8 type;
  guint8 flags;
  guint32 id;
  guint32 size;      /* of the contents that follow */
  guint32 head_size; /* of the message */
  guint64 total;     /* likewise: its head and its payload */
} PieceHeader;

G_STATIC_ASSERT (sizeof (PieceHeader) == 24);

G_END_DECLS
