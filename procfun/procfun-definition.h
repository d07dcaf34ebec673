/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <procfun/procfun-call.h>
#include <procfun/procfun-function.h>
#include <procfun/procfun-type-info.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* for C and C++ alone */

/* The constant data that the macros of procfun-define.h put into a program, and the functions that
 * their code calls. Programs do not use them directly. */

typedef struct _ProcfunDefinition ProcfunDefinition;

#define PROCFUN_MAX_ARGUMENTS 12

typedef enum /*< skip >*/
{
  PROCFUN_DEFINITION_NONE = 0,
  PROCFUN_DEFINITION_WITH_ERROR = 1 << 0,
  PROCFUN_DEFINITION_GENERATOR = 1 << 1, /* the result is the type of an item */
  PROCFUN_DEFINITION_IDEMPOTENT = 1 << 2,
  PROCFUN_DEFINITION_SANDBOX_SHIFT = 8 /* a ProcfunSandbox from this bit on */
} ProcfunDefinitionFlags;

/* Calls the function: args[i] points to the i-th argument, result to room for the result. */
typedef void (*ProcfunThunk) (gpointer const *args, gpointer result, GError **error);

/* A constructor as the C library calls it. */
typedef void (*ProcfunConstructor) (int argc, char **argv, char **envp);

struct _ProcfunDefinition
{
  const char *name;
  const ProcfunMember *args;
  ProcfunThunk thunk;
  gconstpointer module; /* &__dso_handle: every executable and shared library has its own */
  ProcfunMember result;
  guint32 result_size; /* in bytes, 0 for void */
  guint16 n_args;
  guint16 flags;

  /* the library's */
  ProcfunDefinition *next;
  ProcfunDefinition *next_in_bucket;
  ProcfunFunction *function;
  gpointer reserved;
};

/* Constructors and destructor of a definition, see procfun-define-generate.h. @rest to @end are the
 * constructors of the module that have not run yet. @end may be NULL in shared libraries; it does
 * not tell whether the module is the executable. */
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_register (ProcfunDefinition *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_enter (ProcfunDefinition *self, ProcfunConstructor const *rest,
                               ProcfunConstructor const *end, int argc, char **argv, char **envp);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_unregister (ProcfunDefinition *self);

/* The typed wrappers call these. @values[i] points to the i-th argument; @result is always written:
 * zeroes on failure. */
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_definition_get_function (ProcfunDefinition *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCall *procfun_definition_call (ProcfunDefinition *self, gconstpointer const *values);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_run (ProcfunDefinition *self, ProcfunCall *call,
                                 GCancellable *cancellable, gpointer result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_process (ProcfunDefinition *self, gconstpointer const *values,
                                     gpointer result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_process_async (ProcfunDefinition *self, gconstpointer const *values,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_process_finish (ProcfunDefinition *self, GAsyncResult *async_result,
                                            gpointer result, GError **error);

PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_process_with (ProcfunDefinition *self, gconstpointer const *values,
                                          ProcfunExecutor *executor,
                                          const ProcfunCallSettings *settings, gpointer result,
                                          GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_process_with_async (ProcfunDefinition *self, gconstpointer const *values,
                                            ProcfunExecutor *executor,
                                            const ProcfunCallSettings *settings,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);

/* A receiver of items from a generator that runs in this process and thread.
 */
typedef struct _ProcfunReceiver ProcfunReceiver;

struct _ProcfunReceiver
{
  ProcfunDefinition *definition;
  gboolean (*take) (gconstpointer item, gpointer user_data);
  gpointer user_data;
  gboolean has_enough;
  ProcfunReceiver *outer;
};

PROCFUN_AVAILABLE_IN_0_1
void procfun_receiver_push (ProcfunReceiver *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_receiver_pop (ProcfunReceiver *self);

/* The typed wrappers of a generator call these. */
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_yield (ProcfunDefinition *self, gconstpointer item);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_next (ProcfunDefinition *self, ProcfunCall *call, gpointer item,
                                  GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_next_finish (ProcfunDefinition *self, ProcfunCall *call,
                                         GAsyncResult *async_result, gpointer item, GError **error);

/* The main() of procfun-worker: loads the shared library named on the command line, and serves its
 * functions. */
PROCFUN_AVAILABLE_IN_0_1
int procfun_worker_run (int argc, char **argv);

/* Frees the contents of a struct or an array of structs, and zeroes it. */
PROCFUN_AVAILABLE_IN_0_1
void procfun_value_clear (const ProcfunTypeInfo *info, gpointer value);

#endif

G_END_DECLS
