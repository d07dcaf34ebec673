/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/frame.h"
#include <sys/uio.h>

/* Memory by which one process gives large payloads to another: the sender makes it, the receiver
 * maps it, and both keep it for the next ones. It belongs to one channel and is never given to
 * another process; neither side trusts what the other one wrote. */

/* The head of each region. Both sides write it. */
typedef struct
{
  guint32 use;       /* atomic: ArenaUse */
  guint32 n_cleared; /* how often the memory was given back */
} ArenaHead;

typedef enum
{
  ARENA_FREE,
  ARENA_USED,    /* the receiver needs what is there, or the sender writes it */
  ARENA_CLEARING /* one of both gives the memory back */
} ArenaUse;

#define ARENA_DATA ((gsize)4096) /* where the payload begins */
#define ARENA_REGIONS 4

/* The index of memory for one payload alone, which nobody can change. */
#define ARENA_SEALED G_MAXUINT32

/* Sending */

/* A payload: bytes, and the serialised form of a value. */
typedef struct
{
  struct iovec parts[2];
  GVariant *value; /* (nullable): it follows them */
  gsize size;      /* of all, in bytes */
} ArenaContent;

/* Memory for this payload alone, which nobody can change. @is_large: only in large pages, else
 * there is no value. -1: there is none to have. */
int arena_seal (const ArenaContent *content, gboolean is_large);

typedef struct
{
  gpointer memory; /* (nullable) */
  gsize room;      /* for a payload, in bytes */
  gsize populated; /* of that, what is in memory and mapped */
  guint32 n_cleared;
} ArenaRegion;

typedef struct
{
  ArenaRegion regions[ARENA_REGIONS];
} ArenaOut;

/* Puts a payload where no other one is needed, and says where. @fd: (out): what the receiver must
 * have for it, or -1. FALSE: there is no memory for it. */
gboolean arena_out_put (ArenaOut *self, const ArenaContent *content, guint32 *index, int *fd);

/* The receiver does not get what @index needs. */
void arena_out_drop (ArenaOut *self, guint32 index);
void arena_out_clear (ArenaOut *self);

/* Gives the memory of free regions back, on both sides; they stay. */
gboolean arena_out_is_there (const ArenaOut *self);
void arena_out_give_back (ArenaOut *self);

/* Receiving */

typedef struct _ArenaMapping ArenaMapping;

typedef struct
{
  ArenaMapping *mappings[ARENA_REGIONS]; /* (nullable) */
  gboolean trusts;                       /* the sender: what it could still change is not copied */
  GMutex lock;                           /* of the mappings */
} ArenaIn;

void arena_in_init (ArenaIn *self);

/* The payload of @size bytes that the sender has put there. @fd: what came with it, or -1; it stays
 * the caller's. NULL: %PROCFUN_ERROR_PROTOCOL or %PROCFUN_ERROR_LIMIT. */
GBytes *arena_in_take (ArenaIn *self, guint32 index, int fd, gsize size, GError **error);

/* The same, never copied: a sender who is not trusted can change them as long as they are there. */
GBytes *arena_in_peek (ArenaIn *self, guint32 index, int fd, gsize size, GError **error);
void arena_in_clear (ArenaIn *self);
gboolean arena_in_is_there (const ArenaIn *self);
void arena_in_give_back (ArenaIn *self);
