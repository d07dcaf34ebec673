/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-schema.h"

G_BEGIN_DECLS

/* An array of values that come one by one, each as a text of its own. */
typedef struct _JsonBatch JsonBatch;

JsonBatch *wire_json_batch_new (ProcfunSchema *element);
void wire_json_batch_free (JsonBatch *self);

/* Appends an element. @schema: that of the elements, or, where these are tuples of one value, that
 * of the value. FALSE: nothing was appended. */
gboolean wire_json_batch_add (JsonBatch *self, ProcfunSchema *schema, const char *text,
                              gsize length, GError **error);

/* Appends @value, which has the type of the elements and is in normal form; a floating reference is
 * taken. */
void wire_json_batch_add_value (JsonBatch *self, GVariant *value);

/* Elements, and bytes of them */
gsize wire_json_batch_get_n (const JsonBatch *self);
gsize wire_json_batch_get_size (const JsonBatch *self);

/* All that was added; nothing is left. (transfer full): not floating, and trusted */
GVariant *wire_json_batch_steal (JsonBatch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (JsonBatch, wire_json_batch_free)

G_END_DECLS
