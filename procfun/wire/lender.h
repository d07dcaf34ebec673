/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/values/bytes.h"
#include "procfun/wire/loan.h"

/* One who lends memory to another process, and has what he has lent as long as it is used there:
 * see loan.h. Any thread may call these. */
typedef struct
{
  GMutex lock;
  LoanTable *table; /* (nullable) */
  guint64 areas[LOAN_REGIONS];
  GBytes *held[LOAN_SLOTS]; /* (nullable) elements */
  guint32 n_slots;          /* that were ever in use */
} Lender;

Lender *lender_new (void);
void lender_free (Lender *self);

/* Loans of @parts, all of them in memory of bytes_find(): appended to @loans (element-type
 * FrameLoan), and the descriptors that go with them to @fds. FALSE: they have to be copied. */
gboolean lender_lend (Lender *self, const GArray *parts, GArray *loans, GUnixFDList *fds,
                      gboolean *has_table);

/* They were not sent. */
void lender_undo (Lender *self, const GArray *loans, gboolean has_table);

/* Frees what is used no more. */
void lender_sweep (Lender *self);

/* Bytes that come back. (nullable): NULL where they were not lent */
GBytes *lender_take_back (Lender *self, const FrameLoan *loan);
