/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* A source that runs @inner whenever that has something to do. It holds it. @inner is polled
 * without an owner: G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING. */
GSource *nested_source_new (GMainContext *inner);
