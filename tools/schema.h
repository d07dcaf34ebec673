/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <procfun.h>

/* Reads what codecs/schema-json.h writes, in another program: %PROCFUN_ERROR_PROTOCOL where it is
 * something else. (transfer full) */
ProcfunSchema *schema_from_json (JsonNode *node, GError **error);
ProcfunSchema *schema_from_json_members (ProcfunSchemaKind kind, JsonNode *node, GError **error);
