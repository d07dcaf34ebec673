/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-values.h"

/**
 * SECTION:procfun-values
 * @title: Value types
 * @short_description: C types for arrays of numbers, optional strings and descriptors
 *
 * Arguments, fields and results of functions have plain C and GLib types, see
 * PROCFUN_DEFINE_FUNCTION(). This page has the few types that C lacks: arrays of numbers with their
 * length; strings that may be %NULL; and file descriptors.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_FUNCTION (sum, double, (ProcfunDoubles, numbers))
 * {
 *   double total = 0;
 *
 *   for (gsize i = 0; i < numbers.length; i++)
 *     total += numbers.data[i];
 *   return total;
 * }
 * ]|
 *
 * Since: 0.1
 */

/* The seven arrays differ only in the type of a number. */
#define DEFINE_NUMBERS(Name, name, Number)                                                         \
  G_DEFINE_BOXED_TYPE (Name, name, name##_copy, name##_free)                                       \
                                                                                                   \
  Name name##_new (const Number *data, gsize length)                                               \
  {                                                                                                \
    Name nothing = { NULL, 0, NULL };                                                              \
                                                                                                   \
    g_return_val_if_fail (data != NULL || length == 0, nothing);                                   \
    g_return_val_if_fail (length <= G_MAXSSIZE / sizeof (Number), nothing);                        \
                                                                                                   \
    return name##_new_take ((Number *)g_memdup2 (data, length * sizeof (Number)), length);         \
  }                                                                                                \
                                                                                                   \
  Name name##_new_take (Number *data, gsize length)                                                \
  {                                                                                                \
    Name self = { NULL, 0, NULL };                                                                 \
                                                                                                   \
    g_return_val_if_fail (data != NULL || length == 0, self);                                      \
    g_return_val_if_fail (length <= G_MAXSSIZE / sizeof (Number), self);                           \
                                                                                                   \
    self.owner = g_bytes_new_take (data, length * sizeof (Number));                                \
    self.data = data;                                                                              \
    self.length = length;                                                                          \
    return self;                                                                                   \
  }                                                                                                \
                                                                                                   \
  void name##_clear (Name *self)                                                                   \
  {                                                                                                \
    g_return_if_fail (self != NULL);                                                               \
                                                                                                   \
    g_clear_pointer (&self->owner, g_bytes_unref);                                                 \
    self->data = NULL;                                                                             \
    self->length = 0;                                                                              \
  }                                                                                                \
                                                                                                   \
  Name *name##_copy (const Name *self)                                                             \
  {                                                                                                \
    Name *copy;                                                                                    \
                                                                                                   \
    g_return_val_if_fail (self != NULL, NULL);                                                     \
                                                                                                   \
    copy = g_new (Name, 1);                                                                        \
    *copy = self->owner != NULL ? *self : name##_new (self->data, self->length);                   \
    if (self->owner != NULL)                                                                       \
      g_bytes_ref (self->owner);                                                                   \
    return copy;                                                                                   \
  }                                                                                                \
                                                                                                   \
  void name##_free (Name *self)                                                                    \
  {                                                                                                \
    g_return_if_fail (self != NULL);                                                               \
                                                                                                   \
    name##_clear (self);                                                                           \
    g_free (self);                                                                                 \
  }

/**
 * procfun_int16s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of 16-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_int16s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int16s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of 16-bit integers that owns them, and copies nothing. A function returns such an
 * array.
 *
 * Returns: the array; free it with procfun_int16s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int16s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_int16s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_int16s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_int16s_free:
 * @self: (transfer full): an array from procfun_int16s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunInt16s, procfun_int16s, gint16)

/**
 * procfun_uint16s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of unsigned 16-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_uint16s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint16s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of unsigned 16-bit integers that owns them, and copies nothing. A function returns
 * such an array.
 *
 * Returns: the array; free it with procfun_uint16s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint16s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_uint16s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_uint16s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_uint16s_free:
 * @self: (transfer full): an array from procfun_uint16s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunUint16s, procfun_uint16s, guint16)

/**
 * procfun_int32s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of 32-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_int32s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int32s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of 32-bit integers that owns them, and copies nothing. A function returns such an
 * array.
 *
 * Returns: the array; free it with procfun_int32s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int32s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_int32s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_int32s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_int32s_free:
 * @self: (transfer full): an array from procfun_int32s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunInt32s, procfun_int32s, gint32)

/**
 * procfun_uint32s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of unsigned 32-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_uint32s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint32s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of unsigned 32-bit integers that owns them, and copies nothing. A function returns
 * such an array.
 *
 * Returns: the array; free it with procfun_uint32s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint32s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_uint32s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_uint32s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_uint32s_free:
 * @self: (transfer full): an array from procfun_uint32s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunUint32s, procfun_uint32s, guint32)

/**
 * procfun_int64s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of 64-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_int64s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int64s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of 64-bit integers that owns them, and copies nothing. A function returns such an
 * array.
 *
 * Returns: the array; free it with procfun_int64s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_int64s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_int64s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_int64s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_int64s_free:
 * @self: (transfer full): an array from procfun_int64s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunInt64s, procfun_int64s, gint64)

/**
 * procfun_uint64s_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of unsigned 64-bit integers that owns a copy of them.
 *
 * Returns: the array; free it with procfun_uint64s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint64s_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of unsigned 64-bit integers that owns them, and copies nothing. A function returns
 * such an array.
 *
 * Returns: the array; free it with procfun_uint64s_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_uint64s_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_uint64s_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_uint64s_free()
 *
 * Since: 0.1
 */

/**
 * procfun_uint64s_free:
 * @self: (transfer full): an array from procfun_uint64s_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunUint64s, procfun_uint64s, guint64)

/**
 * procfun_doubles_new: (skip)
 * @data: (array length=length) (nullable): numbers to copy
 * @length: the number of them
 *
 * Makes an array of doubles that owns a copy of them.
 *
 * Returns: the array; free it with procfun_doubles_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_doubles_new_take: (skip)
 * @data: (array length=length) (nullable) (transfer full): numbers from g_malloc() or a similar
 * function
 * @length: the number of them
 *
 * Makes an array of doubles that owns them, and copies nothing. A function returns such an
 * array.
 *
 * Returns: the array; free it with procfun_doubles_clear()
 *
 * Since: 0.1
 */

/**
 * procfun_doubles_clear:
 * @self: an array, which may own nothing
 *
 * Frees the numbers that the array owns, and makes it empty.
 *
 * Since: 0.1
 */

/**
 * procfun_doubles_copy:
 * @self: an array
 *
 * Makes an array on the heap. It shares the numbers that @self owns, and copies borrowed ones.
 *
 * Returns: (transfer full): the copy; free it with procfun_doubles_free()
 *
 * Since: 0.1
 */

/**
 * procfun_doubles_free:
 * @self: (transfer full): an array from procfun_doubles_copy()
 *
 * Frees an array on the heap and the numbers that it owns.
 *
 * Since: 0.1
 */
DEFINE_NUMBERS (ProcfunDoubles, procfun_doubles, double)
