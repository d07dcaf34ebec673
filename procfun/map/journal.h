/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-schema.h"
#include "procfun/wire/journal.h"
#include <gio/gunixfdlist.h>

/* The caller reads a journal and does not map it, so that nothing can change after a check. */

/* Begins a call that may take @budget µs, with room for a result of @max_result bytes. Opens or
 * replaces the journal where that is necessary. Its descriptor. (transfer full) (nullable): shared
 * memory is not available */
GUnixFDList *journal_begin (Journal *self, guint64 max_result, gint64 budget);

/* No element is begun from the one at @at on. TRUE: that one was begun, or may have been, and is
 * not known to be done. */
gboolean journal_end_at (Journal *self, guint64 at);

/* The head after a call with @n elements whose results have @schema. FALSE: it cannot be true. */
gboolean journal_read_head (Journal *self, gsize n, const ProcfunSchema *schema, JournalHead *head);

/* The results that @head counts: an array; not floating. */
GVariant *journal_read_results (Journal *self, const JournalHead *head, ProcfunSchema *schema,
                                GError **error);
