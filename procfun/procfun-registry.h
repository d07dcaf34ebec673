/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <procfun/procfun-function.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_REGISTRY (procfun_registry_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunRegistry, procfun_registry, PROCFUN, REGISTRY, GObject)

/**
 * ProcfunHandler:
 * @args: a tuple of the registered type
 * @user_data: data of the registration
 * @error: return location for the function's own error
 *
 * The body of a function that is registered at run time. It runs in the process of the call.
 *
 * Returns: (transfer full): the result, of the registered type: an empty tuple for `()`. Or %NULL
 *     with @error set on failure
 *
 * Since: 0.1
 */
typedef GVariant *(*ProcfunHandler) (GVariant *args, gpointer user_data, GError **error);

PROCFUN_AVAILABLE_IN_0_1
ProcfunRegistry *procfun_registry_get_default (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunRegistry *procfun_registry_new (void);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_registry_register (ProcfunRegistry *self, const char *name,
                                            const char *const *arg_names,
                                            const GVariantType *args_type,
                                            const GVariantType *return_type, ProcfunHandler handler,
                                            gpointer user_data, GDestroyNotify destroy,
                                            GError **error);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_registry_register_generator (ProcfunRegistry *self, const char *name,
                                                      const char *const *arg_names,
                                                      const GVariantType *args_type,
                                                      const GVariantType *item_type,
                                                      ProcfunHandler handler, gpointer user_data,
                                                      GDestroyNotify destroy, GError **error);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_registry_lookup (ProcfunRegistry *self, const char *hash);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_registry_lookup_by_name (ProcfunRegistry *self, const char *name);
PROCFUN_AVAILABLE_IN_0_1
void procfun_registry_serve (ProcfunRegistry *self);

G_END_DECLS
