/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Base64 of RFC 4648, section 4, padded. GLib's decoder skips what it does not know, and both of
 * its directions take several times as long. */

/* (@size + 2) / 3 * 4 characters. */
void wire_base64_encode (char *text, const guint8 *data, gsize size);

/* Strict: no other characters, padding complete, bits behind the end zero. At most @length / 4 * 3
 * bytes, whose number is left in @size. FALSE if @text is not Base64. */
gboolean wire_base64_decode (guint8 *data, gsize *size, const char *text, gsize length);

G_END_DECLS
