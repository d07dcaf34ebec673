/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Registers it, and its URLs nats: and tls:. */
void nats_engine_register (GTypeModule *module);

G_END_DECLS
