/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-schema.h"

/* Schemas as JSON, for the description of a function in another process:
 *   {"type": "i"}
 *   {"type": "(dd)", "fields": [{"name": "x", "type": "d"}, {"name": "y", "type": "d"}]}
 *   {"type": "i", "values": {"red": 0, "green": 1}}
 *   {"type": "a(dd)", "element": {"type": "(dd)", "fields": […]}}
 * Without json-glib, because Debian has no static library of it. */

void schema_to_json (ProcfunSchema *schema, GString *json);

/* The members of a struct, or the arguments of a function: an array of the above, with names. */
void schema_members_to_json (ProcfunSchema *schema, GString *json);
