/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Many requests under way at once, to several workers, on the main context. */

#define PIPELINE_WORKERS 2
#define PIPELINE_IN_FLIGHT 64 /* for each worker */

/* @send sends one request to the worker, and sees to it that pipeline_answered() is called with its
 * answer. Returns the ns for one of them. */
double pipeline_run (guint n, void (*send) (guint worker));

void pipeline_answered (guint worker);
