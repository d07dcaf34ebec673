/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/wire/channel.h"

/* Items of a generator that were not taken yet. The function runs ahead of its reader by a window
 * of items and bytes, and no further. */
typedef struct
{
  GQueue queue;     /* (element-type Item) */
  FrameCredit came; /* all three counted from the beginning */
  FrameCredit taken;
  FrameCredit credit; /* totals that the function was told */
} Items;

void items_init (Items *self);
void items_clear (Items *self);

/* Tells the function how much more it may yield, if that is much. */
void items_give_credit (Items *self, Channel *channel, guint32 call_id);

/* Takes @value and (nullable) @fds, which came in @size bytes. FALSE: it may not come, and is
 * freed. */
gboolean items_push (Items *self, GVariant *value, GUnixFDList *fds, gsize size);

gboolean items_is_empty (const Items *self);

/* (transfer full) (nullable): NULL when there is none; its descriptors, *@fds, too. */
GVariant *items_pop (Items *self, GUnixFDList **fds);
