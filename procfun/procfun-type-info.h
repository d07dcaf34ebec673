/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib.h>

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* for C and C++ alone */

/* The description of C types by the macros of procfun-define.h: constant data, which values/type.h
 * reads. Programs do not use it directly. */

typedef enum /*< skip >*/
{
  PROCFUN_KIND_NONE,
  PROCFUN_KIND_VOID,
  PROCFUN_KIND_GBOOLEAN,     /* b, gboolean */
  PROCFUN_KIND_BOOL,         /* b, bool */
  PROCFUN_KIND_UINT8,        /* y */
  PROCFUN_KIND_INT16,        /* n */
  PROCFUN_KIND_UINT16,       /* q */
  PROCFUN_KIND_INT32,        /* i */
  PROCFUN_KIND_UINT32,       /* u */
  PROCFUN_KIND_INT64,        /* x */
  PROCFUN_KIND_UINT64,       /* t */
  PROCFUN_KIND_DOUBLE,       /* d */
  PROCFUN_KIND_FLOAT,        /* d, float */
  PROCFUN_KIND_STRING,       /* s, char * */
  PROCFUN_KIND_CONST_STRING, /* s, const char * */
  PROCFUN_KIND_MAYBE_STRING, /* ms, ProcfunMaybeString */
  PROCFUN_KIND_STRV,         /* as, GStrv */
  PROCFUN_KIND_BYTES,        /* ay, GBytes * */
  PROCFUN_KIND_VARIANT,      /* v, GVariant * */
  PROCFUN_KIND_FD,           /* h, ProcfunFd */
  PROCFUN_KIND_FD_LIST,      /* ah, GUnixFDList * */
  PROCFUN_KIND_BUFFER,       /* ay, ProcfunBuffer *: an argument, and in the result once more */
  PROCFUN_KIND_INPUT_STREAM, /* h, GInputStream * */
  PROCFUN_KIND_INT16S,       /* an, ProcfunInt16s, and so on */
  PROCFUN_KIND_UINT16S,
  PROCFUN_KIND_INT32S,
  PROCFUN_KIND_UINT32S,
  PROCFUN_KIND_INT64S,
  PROCFUN_KIND_UINT64S,
  PROCFUN_KIND_DOUBLES,
  PROCFUN_KIND_STRUCT, /* (…), by its ProcfunTypeInfo */
  PROCFUN_KIND_ENUM,   /* i, by its ProcfunTypeInfo */
  PROCFUN_KIND_ARRAY   /* a…, of the struct or enum that is its ProcfunTypeInfo's element */
} ProcfunKind;

typedef struct _ProcfunTypeInfo ProcfunTypeInfo;
typedef struct _ProcfunMember ProcfunMember;
typedef struct _ProcfunEnumNick ProcfunEnumNick;

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

#endif

G_END_DECLS
