/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-schema.h"
#include "procfun/wire/journal.h"
#include <gio/gunixfdlist.h>

/* The caller's side of what wire/journal.h describes. It is read and not mapped: what the callee
 * changes meanwhile changes nothing here. */
typedef struct
{
  int fd;
  gsize room; /* for results, in bytes */
} Journal;

/* @max_payload: how many bytes a result may take. */
gboolean journal_open (Journal *self, guint64 max_payload, GError **error);
void journal_clear (Journal *self);

/* For a new call, with a @budget in µs; its descriptor. (transfer full) */
GUnixFDList *journal_begin (Journal *self, gint64 budget);

/* What is there, of a call with @n elements. FALSE: it cannot be believed. */
gboolean journal_read_head (Journal *self, gsize n, JournalHead *head);

/* The results that the @head speaks of: an array of @type, whose schema is @schema; not floating.
 */
GVariant *journal_read_results (Journal *self, const JournalHead *head, ProcfunSchema *schema,
                                GError **error);
