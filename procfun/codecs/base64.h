/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Base64 of RFC 4648, section 4, padded. */

/* Writes (@size + 2) / 3 * 4 characters, without a NUL. */
void wire_base64_encode (char *text, const guint8 *data, gsize size);

/* FALSE if @text is not strictly Base64: no other characters, complete padding, zero bits after the
 * end. GLib's decoder skips unknown characters. Writes at most @length / 4 * 3 bytes, and their
 * number to @size. */
gboolean wire_base64_decode (guint8 *data, gsize *size, const char *text, gsize length);

G_END_DECLS
