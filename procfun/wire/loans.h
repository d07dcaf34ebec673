/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/arena.h"
#include "procfun/wire/borrower.h"
#include "procfun/wire/lender.h"

/* Loans of one side of a channel, in both directions. */
typedef struct
{
  gboolean is_open;
  gboolean trusts;    /* the other side: what it could still change is taken */
  ArenaOut *places;   /* (nullable) (borrowed): for parts that are not lent but copied */
  ArenaIn *placed;    /* (borrowed) */
  Lender *lender;     /* (nullable) */
  Borrower *borrower; /* (nullable) */
} Loans;

void loans_clear (Loans *self);

/* Whether bytes can go with a frame without being copied. A callee may send others all the same:
 * they are copied once, and are at the caller's as the arena has them. */
gboolean loans_can_lend (Loans *self, gconstpointer data, gsize size);

/* Makes the beginning of the payload of a FRAME_LENT, and the descriptors that come with it, with
 * @fds (nullable) of the frame itself. FALSE: the parts have to be copied. */
gboolean loans_write (Loans *self, const FrameHeader *header, const GArray *parts, GUnixFDList *fds,
                      GByteArray *out, GUnixFDList **all);

/* The frame that @frame has lent something with takes its place, once @check has accepted its
 * header and the size of all. */
typedef gboolean (*LoansCheck) (const FrameHeader *header, gpointer user_data, GError **error);

gboolean loans_read (Loans *self, Frame *frame, LoansCheck check, gpointer user_data,
                     GError **error);
