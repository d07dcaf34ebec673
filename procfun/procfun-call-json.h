/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <json-glib/json-glib.h>
#include <procfun/procfun-call.h>

G_BEGIN_DECLS

PROCFUN_AVAILABLE_IN_0_1
ProcfunCall *procfun_call_new_json (ProcfunFunction *function, JsonNode *args, GError **error);
PROCFUN_AVAILABLE_IN_0_1
JsonNode *procfun_call_get_result_json (ProcfunCall *self, GError **error);

G_END_DECLS
