/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/module.h"
#include "procfun/procfun-definition.h"
#include "procfun/procfun-function.h"
#include "procfun/procfun-registry.h"
#include "procfun/values/byte-buffer.h"
#include "procfun/values/type-plain.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* Bits that are set while a function exists, and stay. */
typedef enum
{
  FUNCTION_CALLABLE = 1 << 0, /* alone: function_check_callable() has nothing to check in it */
  FUNCTION_AMBIGUOUS = 1 << 1,
  FUNCTION_UNLOADED = 1 << 2
} FunctionState;

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
  Module *module;  /* (nullable): functions registered at run time have none */
  gint idempotent; /* flag that may be set later */
  gint sandbox;    /* likewise: the least ProcfunSandbox of its calls */
  guint state;     /* bits of FunctionState */

  ProcfunDefinition
      *definition;         /* (nullable): definition of a macro, until its library is unloaded */
  TypePlain *plain_args;   /* (nullable): layout of the arguments, if all are plain */
  TypePlain *plain_result; /* (nullable): likewise of the result, or of an item */
  gboolean takes_streams;  /* which are read only once */
  guint n_buffers;         /* among the arguments: the result is a struct with them */
  gboolean packs_args;     /* they need no GVariants: see values/type-packed.h */
  gboolean packs_result;   /* likewise the result, or an item */
  gboolean is_plain;       /* both need none, and it is no generator: see plain-call.h */

  ProcfunHandler handler; /* (nullable): registered at run time */
  gpointer user_data;
  GDestroyNotify destroy;
};

/* @definition may go before the function does: procfun_function_unload() cuts the tie. */
ProcfunFunction *procfun_function_new_for_definition (ProcfunDefinition *definition);

/* Checks names and types, which bindings pass on from programs: %PROCFUN_ERROR_INVALID. */
ProcfunFunction *procfun_function_new_for_handler (const char *name, const char *const *arg_names,
                                                   const GVariantType *args_type,
                                                   const GVariantType *return_type,
                                                   ProcfunFunctionFlags flags,
                                                   ProcfunHandler handler, gpointer user_data,
                                                   GDestroyNotify destroy, GError **error);

/* Function of another program or library, which can only be called in a process. The schemas are
 * borrowed, @module is taken. */
ProcfunFunction *procfun_function_new_for_module (const char *name, ProcfunSchema *args,
                                                  ProcfunSchema *result, ProcfunFunctionFlags flags,
                                                  Module *module);

void procfun_function_unload (ProcfunFunction *self);
gboolean procfun_function_check_loaded (ProcfunFunction *self, GError **error);

gboolean procfun_function_is_generator (ProcfunFunction *self);

/* Marks a function as one of two with the same module and hash: a child could not choose. */
void procfun_function_set_ambiguous (ProcfunFunction *self);
gboolean procfun_function_is_ambiguous (ProcfunFunction *self);

static inline ProcfunSandbox
function_get_sandbox (ProcfunFunction *self)
{
  return (ProcfunSandbox)g_atomic_int_get (&self->sandbox);
}

/* Asked once at the beginning of a call. FALSE: no other process can run the function for this one.
 * Fails with %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_NESTED, %PROCFUN_ERROR_INVALID or
 * %PROCFUN_ERROR_NOT_FOUND. */
gboolean function_check_callable (ProcfunFunction *self, GError **error);

/* A part of that: FALSE: this process must not call anything, with %PROCFUN_ERROR_NESTED. */
gboolean function_check_process (ProcfunFunction *self, GError **error);

/* Runs the function in this process. @args has the right type. The result is not floating; it is ()
 * for void and for a generator, whose items go to the running function of
 * procfun_context_set_running(). Descriptors of the result are appended to *@result_fds. */
GVariant *procfun_function_invoke (ProcfunFunction *self, GVariant *args, GUnixFDList *fds,
                                   GUnixFDList **result_fds, GError **error);

/* Repeated calls without a GVariant in between, of functions whose arguments and result can be
 * packed. */
typedef struct _PackedInvocation PackedInvocation;

PackedInvocation *packed_invocation_new (ProcfunFunction *function); /* (nullable) */
void packed_invocation_free (PackedInvocation *self);

/* Takes the arguments in serialised form. FALSE: procfun_function_invoke() tells why. @owner:
 * (nullable): has @args. */
gboolean packed_invocation_prepare (PackedInvocation *self, const guint8 *args, gsize size,
                                    GBytes *owner);

/* Runs the function with these once, and appends the result to @out, whose length is a multiple
 * of 8; or makes a value of it, not floating, where that is not copied. */
gboolean packed_invocation_run (PackedInvocation *self, Buffer *out, GVariant **value,
                                GError **error);

/* Both at once where all values are plain: see values/type-plain.h. @result has room for the
 * serialised form. */
gboolean packed_invocation_is_plain (PackedInvocation *self);
gboolean packed_invocation_run_plain (PackedInvocation *self, const guint8 *args, guint8 *result,
                                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PackedInvocation, packed_invocation_free)

/* TRUE: procfun_function_invoke() calls code of the program from the function at @start. For signal
 * handlers, too. */
gboolean procfun_function_is_boundary (gconstpointer start);

G_END_DECLS
