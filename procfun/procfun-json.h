/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <json-glib/json-glib.h>
#include <procfun/procfun-schema.h>

G_BEGIN_DECLS

PROCFUN_AVAILABLE_IN_0_1
JsonNode *procfun_json_from_variant (ProcfunSchema *schema, GVariant *value, GError **error);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_json_to_variant (ProcfunSchema *schema, JsonNode *node, GError **error);

G_END_DECLS
