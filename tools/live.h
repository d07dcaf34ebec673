/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A text on the terminal that is replaced from time to time. */

/* From here on keys come without Enter, and signals only while live_wait() waits. */
void live_begin (void);

/* As much of @text as there is room for. */
void live_show (const char *text);

/* Until it should be shown again. FALSE: the user wants to end it, by q, Ctrl-C or a signal. */
gboolean live_wait (void);

/* Leaves the terminal as it was. Gives the number of the signal that wanted the end, or 0. */
int live_end (void);
