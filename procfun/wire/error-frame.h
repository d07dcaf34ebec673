/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Any GError as the payload of a frame: domain, code and message. */
GBytes *error_to_bytes (const GError *error);

/* The GError that was sent; %PROCFUN_ERROR_PROTOCOL when @bytes hold none. (transfer full) */
/* The domain of errors whose own domain is refused; they keep code and text. */
#define ERROR_UNKNOWN_DOMAIN "procfun-unknown-domain-quark"

GError *error_from_bytes (GBytes *bytes);
