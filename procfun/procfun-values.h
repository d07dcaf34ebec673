/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>

#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunMaybeString: (skip)
 *
 * A `char *` that may be %NULL, as the type of an argument, a field or a result; `ms` in GVariant
 * terms. A plain `char *` that is %NULL is an error.
 *
 * Since: 0.1
 */
typedef char *ProcfunMaybeString;

/**
 * ProcfunFd: (skip)
 *
 * A file descriptor, as the type of an argument, a field or a result; `h` in GVariant terms.
 *
 * The function gets a descriptor of its own for the same open file. It is close-on-exec, and closed
 * after the function returns; the caller keeps the descriptor that it passed. The caller closes a
 * descriptor in a result; if the call failed, it is -1. Received descriptors are never 0 to 2, even
 * if these are free, so none is mistaken for a standard stream. As with other types, a function
 * must not return an argument: it returns a dup() of it.
 *
 * The `_clear()` function of a struct closes its descriptors and sets them to -1. It ignores 0,
 * which is an unset field in a struct of zeroes.
 *
 * Since: 0.1
 */
typedef int ProcfunFd;

/**
 * ProcfunInt16s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of 16-bit integers, as the type of an argument, a field or a result; `an` in GVariant
 * terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_int16s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunInt16s ProcfunInt16s;
struct _ProcfunInt16s
{
  const gint16 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_INT16S (procfun_int16s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_int16s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt16s procfun_int16s_new (const gint16 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt16s procfun_int16s_new_take (gint16 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int16s_clear (ProcfunInt16s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt16s *procfun_int16s_copy (const ProcfunInt16s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int16s_free (ProcfunInt16s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunInt16s, procfun_int16s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunInt16s, procfun_int16s_free)

/**
 * ProcfunUint16s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of unsigned 16-bit integers, as the type of an argument, a field or a result; `aq` in
 * GVariant terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_uint16s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunUint16s ProcfunUint16s;
struct _ProcfunUint16s
{
  const guint16 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_UINT16S (procfun_uint16s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_uint16s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint16s procfun_uint16s_new (const guint16 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint16s procfun_uint16s_new_take (guint16 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint16s_clear (ProcfunUint16s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint16s *procfun_uint16s_copy (const ProcfunUint16s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint16s_free (ProcfunUint16s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunUint16s, procfun_uint16s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunUint16s, procfun_uint16s_free)

/**
 * ProcfunInt32s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of 32-bit integers, as the type of an argument, a field or a result; `ai` in GVariant
 * terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_int32s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunInt32s ProcfunInt32s;
struct _ProcfunInt32s
{
  const gint32 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_INT32S (procfun_int32s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_int32s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt32s procfun_int32s_new (const gint32 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt32s procfun_int32s_new_take (gint32 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int32s_clear (ProcfunInt32s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt32s *procfun_int32s_copy (const ProcfunInt32s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int32s_free (ProcfunInt32s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunInt32s, procfun_int32s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunInt32s, procfun_int32s_free)

/**
 * ProcfunUint32s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of unsigned 32-bit integers, as the type of an argument, a field or a result; `au` in
 * GVariant terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_uint32s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunUint32s ProcfunUint32s;
struct _ProcfunUint32s
{
  const guint32 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_UINT32S (procfun_uint32s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_uint32s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint32s procfun_uint32s_new (const guint32 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint32s procfun_uint32s_new_take (guint32 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint32s_clear (ProcfunUint32s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint32s *procfun_uint32s_copy (const ProcfunUint32s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint32s_free (ProcfunUint32s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunUint32s, procfun_uint32s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunUint32s, procfun_uint32s_free)

/**
 * ProcfunInt64s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of 64-bit integers, as the type of an argument, a field or a result; `ax` in GVariant
 * terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_int64s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunInt64s ProcfunInt64s;
struct _ProcfunInt64s
{
  const gint64 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_INT64S (procfun_int64s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_int64s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt64s procfun_int64s_new (const gint64 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt64s procfun_int64s_new_take (gint64 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int64s_clear (ProcfunInt64s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunInt64s *procfun_int64s_copy (const ProcfunInt64s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_int64s_free (ProcfunInt64s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunInt64s, procfun_int64s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunInt64s, procfun_int64s_free)

/**
 * ProcfunUint64s:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of unsigned 64-bit integers, as the type of an argument, a field or a result; `at` in
 * GVariant terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_uint64s_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunUint64s ProcfunUint64s;
struct _ProcfunUint64s
{
  const guint64 *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_UINT64S (procfun_uint64s_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_uint64s_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint64s procfun_uint64s_new (const guint64 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint64s procfun_uint64s_new_take (guint64 *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint64s_clear (ProcfunUint64s *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUint64s *procfun_uint64s_copy (const ProcfunUint64s *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_uint64s_free (ProcfunUint64s *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunUint64s, procfun_uint64s_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunUint64s, procfun_uint64s_free)

/**
 * ProcfunDoubles:
 * @data: (array length=length) (nullable): the numbers
 * @length: the number of them
 * @owner: (nullable): the memory with @data, or %NULL if @data is borrowed
 *
 * An array of doubles, as the type of an argument, a field or a result; `ad` in GVariant terms.
 *
 * To pass numbers of your own, set @data and @length and leave @owner %NULL. An array from another
 * process has an owner; its numbers are read in place, and are freed by procfun_doubles_clear().
 *
 * Since: 0.1
 */
typedef struct _ProcfunDoubles ProcfunDoubles;
struct _ProcfunDoubles
{
  const double *data;
  gsize length;
  GBytes *owner;
};

#define PROCFUN_TYPE_DOUBLES (procfun_doubles_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_doubles_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunDoubles procfun_doubles_new (const double *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
ProcfunDoubles procfun_doubles_new_take (double *data, gsize length);
PROCFUN_AVAILABLE_IN_0_1
void procfun_doubles_clear (ProcfunDoubles *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunDoubles *procfun_doubles_copy (const ProcfunDoubles *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_doubles_free (ProcfunDoubles *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProcfunDoubles, procfun_doubles_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunDoubles, procfun_doubles_free)

G_END_DECLS
