/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Makes @context, which this thread owns, its default. TRUE: it was not, and has to be popped by
 * g_main_context_pop_thread_default(). */
gboolean default_context_push (GMainContext *context);
