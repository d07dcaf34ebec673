/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <procfun/procfun-call.h>
#include <procfun/procfun-function.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/* What the macros of procfun-define.h leave in a program: constant data, and calls of the functions
 * below. Programs use the macros; nothing here is for use by hand. */

typedef enum /*< skip >*/
{
  PROCFUN_KIND_NONE,
  PROCFUN_KIND_VOID,
  PROCFUN_KIND_GBOOLEAN,      /* b, gboolean */
  PROCFUN_KIND_BOOL,          /* b, bool */
  PROCFUN_KIND_UINT8,         /* y */
  PROCFUN_KIND_INT16,         /* n */
  PROCFUN_KIND_UINT16,        /* q */
  PROCFUN_KIND_INT32,         /* i */
  PROCFUN_KIND_UINT32,        /* u */
  PROCFUN_KIND_INT64,         /* x */
  PROCFUN_KIND_UINT64,        /* t */
  PROCFUN_KIND_DOUBLE,        /* d */
  PROCFUN_KIND_FLOAT,         /* d, float */
  PROCFUN_KIND_STRING,        /* s, char * */
  PROCFUN_KIND_CONST_STRING,  /* s, const char * */
  PROCFUN_KIND_MAYBE_STRING,  /* ms, ProcfunMaybeString */
  PROCFUN_KIND_STRV,          /* as, GStrv */
  PROCFUN_KIND_BYTES,         /* ay, GBytes * */
  PROCFUN_KIND_VARIANT,       /* v, GVariant * */
  PROCFUN_KIND_FD,            /* h, ProcfunFd */
  PROCFUN_KIND_FD_LIST,       /* ah, GUnixFDList * */
  PROCFUN_KIND_INT16S,        /* an, ProcfunInt16s, and so on */
  PROCFUN_KIND_UINT16S,
  PROCFUN_KIND_INT32S,
  PROCFUN_KIND_UINT32S,
  PROCFUN_KIND_INT64S,
  PROCFUN_KIND_UINT64S,
  PROCFUN_KIND_DOUBLES,
  PROCFUN_KIND_STRUCT,        /* (…), by its ProcfunTypeInfo */
  PROCFUN_KIND_ENUM,          /* i, by its ProcfunTypeInfo */
  PROCFUN_KIND_ARRAY          /* a…, of the struct or enum that is its ProcfunTypeInfo's element */
} ProcfunKind;

typedef struct _ProcfunTypeInfo ProcfunTypeInfo;
typedef struct _ProcfunMember ProcfunMember;
typedef struct _ProcfunEnumNick ProcfunEnumNick;
typedef struct _ProcfunDefinition ProcfunDefinition;

/* An argument, a field, or (without a name) a result. */
struct _ProcfunMember
{
  const char *name;
  const ProcfunTypeInfo *info; /* (nullable): for the last three kinds only */
  guint32 offset;              /* of a field, in bytes */
  guint32 kind;
};

struct _ProcfunEnumNick
{
  const char *name; /* the C name; nicks are derived from all names of the enumeration together */
  gint32 value;
};

/* A struct, an enumeration, or an array of one of these. */
struct _ProcfunTypeInfo
{
  const char *name;
  const ProcfunMember *members;   /* struct */
  const ProcfunEnumNick *nicks;   /* enumeration */
  const ProcfunTypeInfo *element; /* array */
  guint32 size;                   /* sizeof one value, in bytes */
  guint16 n_members;              /* members or nicks */
  guint16 kind;
};

typedef enum /*< skip >*/
{
  PROCFUN_DEFINITION_NONE = 0,
  PROCFUN_DEFINITION_WITH_ERROR = 1 << 0
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
  gconstpointer module; /* &__dso_handle, which every executable and shared library has its own of */
  ProcfunMember result;
  guint32 result_size; /* in bytes, 0 for void */
  guint16 n_args;
  guint16 flags;

  /* the library's */
  ProcfunDefinition *next;
  ProcfunFunction *function;
  gpointer reserved[2];
};

/* Constructors and destructor of a definition, see procfun-define.h. @rest to @end are the constructors that the
 * executable has still to run. */
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_register (ProcfunDefinition *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_enter (ProcfunDefinition *self, ProcfunConstructor const *rest,
                               ProcfunConstructor const *end, int argc, char **argv, char **envp);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_unregister (ProcfunDefinition *self);

/* What the typed wrappers do. @values[i] points to the i-th argument; @result is always written: zeroes on failure. */
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_definition_get_function (ProcfunDefinition *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCall *procfun_definition_call (ProcfunDefinition *self, gconstpointer const *values);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_run (ProcfunDefinition *self, ProcfunCall *call, GCancellable *cancellable,
                                 gpointer result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_process (ProcfunDefinition *self, gconstpointer const *values, gpointer result,
                                     GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_definition_process_async (ProcfunDefinition *self, gconstpointer const *values,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_definition_process_finish (ProcfunDefinition *self, GAsyncResult *async_result,
                                            gpointer result, GError **error);

/* Frees what a struct or an array of structs owns, and zeroes it. */
PROCFUN_AVAILABLE_IN_0_1
void procfun_value_clear (const ProcfunTypeInfo *info, gpointer value);

G_END_DECLS
