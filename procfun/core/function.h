/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/module.h"
#include "procfun/procfun-definition.h"
#include "procfun/procfun-function.h"
#include "procfun/procfun-registry.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

struct _ProcfunFunction
{
  GObject parent_instance;

  char *name;
  char *signature;
  char *hash;
  guint64 hash_number;
  ProcfunFunctionFlags flags;
  ProcfunSchema *args_schema;
  ProcfunSchema *return_schema;
  Module *module;  /* (nullable) */
  gint idempotent; /* the flag, which may be set later */
  gint ambiguous;
  gint unloaded;

  ProcfunDefinition *definition; /* (nullable): of a macro, until its library is unloaded */

  ProcfunHandler handler; /* (nullable): registered at run time */
  gpointer user_data;
  GDestroyNotify destroy;
};

/* @definition may go before the function does: procfun_function_unload() then cuts the tie. */
ProcfunFunction *procfun_function_new_for_definition (ProcfunDefinition *definition);

/* Checks what it is given, since bindings pass what programs say: %PROCFUN_ERROR_INVALID. */
ProcfunFunction *procfun_function_new_for_handler (const char *name, const char *const *arg_names,
                                                   const GVariantType *args_type,
                                                   const GVariantType *return_type,
                                                   ProcfunFunctionFlags flags,
                                                   ProcfunHandler handler, gpointer user_data,
                                                   GDestroyNotify destroy, GError **error);

/* What another program or library says of itself: it can be called in its own process, and not
 * here. The schemas are borrowed, @module is taken. */
ProcfunFunction *procfun_function_new_for_module (const char *name, ProcfunSchema *args,
                                                  ProcfunSchema *result, ProcfunFunctionFlags flags,
                                                  Module *module);

void procfun_function_unload (ProcfunFunction *self);
gboolean procfun_function_check_loaded (ProcfunFunction *self, GError **error);

/* (nullable): none for functions registered at run time, which only a running main() can find. */
const Module *procfun_function_get_loaded_module (ProcfunFunction *self);
gboolean procfun_function_is_generator (ProcfunFunction *self);
guint64 procfun_function_get_hash_number (ProcfunFunction *self);

/* A second function of the same module and hash: which of the two a child would run is not known.
 */
void procfun_function_set_ambiguous (ProcfunFunction *self);
gboolean procfun_function_is_ambiguous (ProcfunFunction *self);

/* Runs it here. @args has the right type; the result is not floating, and () for void and for a
 * generator, whose items go to what procfun_context_set_running() has set. Descriptors
 * of the result are appended to *@result_fds. */
GVariant *procfun_function_invoke (ProcfunFunction *self, GVariant *args, GUnixFDList *fds,
                                   GUnixFDList **result_fds, GError **error);

/* The same again and again, without a GVariant in between: @args is the serialised form of the
 * arguments, and @result room for that of the result. Only where all of them are plain: see
 * values/type-private.h. */
typedef struct _PlainInvocation PlainInvocation;

PlainInvocation *plain_invocation_new (ProcfunFunction *function); /* (nullable) */
void plain_invocation_free (PlainInvocation *self);
gboolean plain_invocation_run (PlainInvocation *self, const guint8 *args, guint8 *result,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PlainInvocation, plain_invocation_free)

/* Whether what begins at @start is what procfun_function_invoke() calls a program's code from. For
 * signal handlers, too. */
gboolean procfun_function_is_boundary (gconstpointer start);

G_END_DECLS
