/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-sandbox.h>
#include <procfun/procfun-schema.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_FUNCTION (procfun_function_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunFunction, procfun_function, PROCFUN, FUNCTION, GObject)

/**
 * ProcfunFunctionFlags:
 * @PROCFUN_FUNCTION_NONE: nothing special
 * @PROCFUN_FUNCTION_WITH_ERROR: the function can fail with a #GError of its own
 * @PROCFUN_FUNCTION_RUN_TIME: registered with procfun_registry_register(), not by a macro
 * @PROCFUN_FUNCTION_GENERATOR: yields any number of items, which procfun_call_next() takes, and the
 *     type of the result is that of an item
 * @PROCFUN_FUNCTION_IDEMPOTENT: running it twice has the same effect as running it once, so a lost
 * call may be run again; see #ProcfunPool:max-retries
 *
 * Facts about a function besides its types.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_FUNCTION_NONE = 0,
  PROCFUN_FUNCTION_WITH_ERROR = 1 << 0,
  PROCFUN_FUNCTION_RUN_TIME = 1 << 1,
  PROCFUN_FUNCTION_GENERATOR = 1 << 2,
  PROCFUN_FUNCTION_IDEMPOTENT = 1 << 3
} ProcfunFunctionFlags;

#define PROCFUN_TYPE_FUNCTION_FLAGS (procfun_function_flags_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_function_flags_get_type (void) G_GNUC_CONST;

PROCFUN_AVAILABLE_IN_0_1
const char *procfun_function_get_name (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_function_get_hash (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_function_get_signature (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_function_get_module (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunctionFlags procfun_function_get_flags (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_function_set_idempotent (ProcfunFunction *self, gboolean idempotent);
PROCFUN_AVAILABLE_IN_0_1
void procfun_function_set_sandbox (ProcfunFunction *self, ProcfunSandbox sandbox);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandbox procfun_function_get_sandbox (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_function_get_n_arguments (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_function_get_argument_name (ProcfunFunction *self, guint index);
PROCFUN_AVAILABLE_IN_0_1
const GVariantType *procfun_function_get_arguments_type (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
const GVariantType *procfun_function_get_return_type (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchema *procfun_function_get_arguments_schema (ProcfunFunction *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchema *procfun_function_get_return_schema (ProcfunFunction *self);

G_END_DECLS
