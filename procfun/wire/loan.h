/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/values/parts.h"
#include "procfun/wire/frame.h"

/* Parts of values that lie in shared memory, and are lent with a frame instead of copied into it.
 * FRAME_LENT has them before the frame, whose payload is the rest. */

/* The beginning of its payload. The descriptors of memory come before those of the frame: the table
 * where it is new, then one for each loan that brings memory. */
typedef struct
{
  FrameHeader header; /* of the frame */
  guint32 n_loans;
  guint16 n_fds; /* of memory */
  guint16 has_table;
} FrameLent;

typedef enum
{
  LOAN_MAPPED,   /* in a region that the receiver has mapped */
  LOAN_REGION,   /* the region comes with it */
  LOAN_BACK,     /* what the receiver has lent */
  LOAN_CONSTANT, /* memory that nobody can change comes with it */
  LOAN_PLACED,   /* in a region of the arena, where the lender can still change it */
  LOAN_PLACE     /* the region comes with it */
} LoanKind;

typedef struct
{
  guint64 offset; /* in the region, or in the loan that comes back */
  guint64 size;   /* in bytes */
  guint32 kind;   /* LoanKind */
  guint32 region; /* index, among those that are lent or of the arena */
  guint32 slot;   /* index: of the loan */
  guint32 depth;  /* number of indices */
  guint32 indices[PARTS_MAX_DEPTH];
} FrameLoan;

/* Memory that both sides write, of one lender and one borrower. */

#define LOAN_REGIONS 256
#define LOAN_SLOTS 1792

/* A region that the borrower has mapped; without it the word is 0. */
#define LOAN_REGION_MAPPED (1U << 31)

typedef struct
{
  guint32 regions[LOAN_REGIONS]; /* and number of loans in it */
  guint32 slots[LOAN_SLOTS];     /* uses of a loan; 0: it is over */
} LoanTable;
