/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* Reads the text format of OpenMetrics 1.0, and asserts that it is as its specification says, in
 * the parts that we write: families in one piece, with type before samples; suffixes by type;
 * names, labels and numbers well-formed; no sample twice; buckets that count up to +Inf and the
 * count; the mark of the end. Gives the samples: from “name{labels}” to text. */
GHashTable *openmetrics_read (const char *text);

double openmetrics_get (GHashTable *samples, const char *sample);
