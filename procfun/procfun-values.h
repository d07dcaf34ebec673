/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

typedef char *ProcfunMaybeString;
typedef int ProcfunFd;

typedef struct
{
  const gint16 *data;
  gsize length;
  GBytes *owner;
} ProcfunInt16s;
typedef struct
{
  const guint16 *data;
  gsize length;
  GBytes *owner;
} ProcfunUint16s;
typedef struct
{
  const gint32 *data;
  gsize length;
  GBytes *owner;
} ProcfunInt32s;
typedef struct
{
  const guint32 *data;
  gsize length;
  GBytes *owner;
} ProcfunUint32s;
typedef struct
{
  const gint64 *data;
  gsize length;
  GBytes *owner;
} ProcfunInt64s;
typedef struct
{
  const guint64 *data;
  gsize length;
  GBytes *owner;
} ProcfunUint64s;
typedef struct
{
  const double *data;
  gsize length;
  GBytes *owner;
} ProcfunDoubles;

G_END_DECLS
