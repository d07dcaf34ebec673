/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"

G_BEGIN_DECLS

/* Makes the stream and the consumer of a pool, or gives them the settings of @address where they
 * are there. It blocks. */
gboolean setup_pool (Address *address, GError **error);

G_END_DECLS
