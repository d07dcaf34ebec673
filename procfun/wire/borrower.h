/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/loan.h"

/* One who is lent memory, and keeps it mapped for the next time: see loan.h. Any thread may call
 * these, and free what was lent. */
typedef struct _Borrower Borrower;

Borrower *borrower_new (void);

/* Bytes that are still in use stay. */
void borrower_free (Borrower *self);

/* Takes the table. FALSE: it is none. */
gboolean borrower_set_table (Borrower *self, int fd);

/* Bytes that were lent. @fd: the one that came with them, or -1; it stays the caller's. NULL:
 * @error is set. */
GBytes *borrower_take (Borrower *self, const FrameLoan *loan, int fd, GError **error);

/* Whether this was lent, or a part of it. */
gboolean borrower_has (Borrower *self, gconstpointer data, gsize size);

/* The loan goes back with a frame, as often as this is called. FALSE: it is over. */
gboolean borrower_return (Borrower *self, gconstpointer data, gsize size, FrameLoan *loan);

/* It does not go back after all. */
void borrower_keep (Borrower *self, const FrameLoan *loan);

/* Unmaps the regions where nothing is in use. */
void borrower_give_back (Borrower *self);
