/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* The messages of this module are in the library's domain, which the library has bound. */
#define _(text) g_dgettext (GETTEXT_PACKAGE, text)
