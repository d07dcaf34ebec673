/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-schema.h"

/* How one process tells another what a function takes and gives:
 *   {"type": "i"}
 *   {"type": "(dd)", "fields": [{"name": "x", "type": "d"}, {"name": "y", "type": "d"}]}
 *   {"type": "i", "values": {"red": 0, "green": 1}}
 *   {"type": "a(dd)", "element": {"type": "(dd)", "fields": […]}}
 * Without json-glib, of which there is no library for static programs. */

void schema_to_json (ProcfunSchema *schema, GString *json);

/* The members of a struct, or the arguments of a function: an array of the above, with names. */
void schema_members_to_json (ProcfunSchema *schema, GString *json);
