/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"
#include <nats/nats.h>

G_BEGIN_DECLS

/* Options for libnats to reach a broker, and to prove who it is. (nullable) */
natsOptions *login_make_options (Address *address, GError **error);

/* It blocks. */
natsStatus login_connect (natsConnection **nats, natsOptions *options, Address *address);

/* For a status that is not NATS_OK. */
void login_set_error (GError **error, Address *address, natsStatus status);

G_END_DECLS
