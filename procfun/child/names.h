/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Whether this process was started to find names for the report of a crash: see wire/names.h. */
gboolean names_is_asked (int argc, char **argv);

/* Finds them, and ends the process. */
void names_serve (void) G_GNUC_NORETURN;
