/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/ending.h"
#include "procfun/process/items.h"
#include "procfun/procfun-function.h"

/* Frames that the process of a call sends: hello, events and items, and at last the answer. */
typedef struct
{
  Ending *ending;            /* of the call, borrowed: it knows the worker */
  ProcfunFunction *function; /* borrowed */
  guint32 call_id;
  gsize buffers_size;  /* in bytes, of contents that come back with the result */
  gboolean is_map;     /* many calls, whose results do not come here */
  gboolean is_started; /* the worker is known to be there */
  gboolean has_ended;  /* nothing more will come */
  int refused_call;    /* number of a system call that a sandbox has refused; 0: none is known */
  guint64 bytes_out;   /* of the result, or of the items that came */
  Items items;         /* of a generator */
} Reply;

void reply_init (Reply *self, Ending *ending, guint32 call_id);
void reply_clear (Reply *self);

/* A worker that was there before says no hello: the call starts at once. */
void reply_start (Reply *self);

/* Handles the frames of one turn. Returns their number. */
guint reply_receive (Reply *self);

/* The answer has come, and nothing else of the process needs to be waited for. */
gboolean reply_is_complete (Reply *self);
