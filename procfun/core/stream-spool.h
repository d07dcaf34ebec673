/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Reads a stream to its end, into a file without a name. (transfer full) (nullable): the file as a
 * stream. */
GInputStream *stream_spool (GInputStream *stream, GError **error);

G_END_DECLS
