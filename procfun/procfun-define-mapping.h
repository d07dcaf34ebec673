/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <procfun/procfun-buffer.h>
#include <procfun/procfun-define-each.h>
#include <procfun/procfun-type-info.h>
#include <procfun/procfun-values.h>

/* Maps the spelling of a type to its ProcfunKind and ProcfunTypeInfo, for
 * procfun-define-generate.h. Programs do not use it directly.
 *
 * procfun_mapping_of_ is pasted to the first word of the type. For a word in the list below the
 * result is a macro with a comma in it, so a second macro argument appears, the whole type; the
 * compiler then finds the kind of that type by _Generic or by a template. gboolean and other names
 * for the same C type become tag types here. Any other word is a type of PROCFUN_DEFINE_STRUCT or
 * _ENUM, or has no mapping. The size of "struct procfun_mapping_of_Point" then stands for the kind.
 * "struct procfun_mapping_of_FILE" is an incomplete type: the compiler's message has that name. A
 * pointer to either has a size that stands for no kind. */

/* clang-format off */
#define procfun_mapping_of_const ~, const
#define procfun_mapping_of_volatile ~, volatile
#define procfun_mapping_of_struct ~, struct
#define procfun_mapping_of_union ~, union
#define procfun_mapping_of_enum ~, enum
#define procfun_mapping_of_void ~, void
#define procfun_mapping_of__Bool ~, PROCFUN_BOOL_
#define procfun_mapping_of_bool ~, PROCFUN_BOOL_
#define procfun_mapping_of_char ~, char
#define procfun_mapping_of_signed ~, signed
#define procfun_mapping_of_unsigned ~, unsigned
#define procfun_mapping_of_short ~, short
#define procfun_mapping_of_int ~, int
#define procfun_mapping_of_long ~, long
#define procfun_mapping_of_float ~, float
#define procfun_mapping_of_double ~, double
#define procfun_mapping_of_int8_t ~, gint8
#define procfun_mapping_of_uint8_t ~, guint8
#define procfun_mapping_of_int16_t ~, gint16
#define procfun_mapping_of_uint16_t ~, guint16
#define procfun_mapping_of_int32_t ~, gint32
#define procfun_mapping_of_uint32_t ~, guint32
#define procfun_mapping_of_int64_t ~, gint64
#define procfun_mapping_of_uint64_t ~, guint64
#define procfun_mapping_of_size_t ~, gsize
#define procfun_mapping_of_ssize_t ~, gssize
#define procfun_mapping_of_gboolean ~, struct procfun_tag_gboolean_
#define procfun_mapping_of_gchar ~, gchar
#define procfun_mapping_of_guchar ~, guchar
#define procfun_mapping_of_gshort ~, gshort
#define procfun_mapping_of_gushort ~, gushort
#define procfun_mapping_of_gint ~, gint
#define procfun_mapping_of_guint ~, guint
#define procfun_mapping_of_glong ~, glong
#define procfun_mapping_of_gulong ~, gulong
#define procfun_mapping_of_gint8 ~, gint8
#define procfun_mapping_of_guint8 ~, guint8
#define procfun_mapping_of_gint16 ~, gint16
#define procfun_mapping_of_guint16 ~, guint16
#define procfun_mapping_of_gint32 ~, gint32
#define procfun_mapping_of_guint32 ~, guint32
#define procfun_mapping_of_gint64 ~, gint64
#define procfun_mapping_of_guint64 ~, guint64
#define procfun_mapping_of_gsize ~, gsize
#define procfun_mapping_of_gssize ~, gssize
#define procfun_mapping_of_gfloat ~, gfloat
#define procfun_mapping_of_gdouble ~, gdouble
#define procfun_mapping_of_gpointer ~, gpointer
#define procfun_mapping_of_gconstpointer ~, gconstpointer
#define procfun_mapping_of_GStrv ~, struct procfun_tag_GStrv_
#define procfun_mapping_of_GBytes ~, GBytes
#define procfun_mapping_of_GInputStream ~, GInputStream
#define procfun_mapping_of_GVariant ~, GVariant
#define procfun_mapping_of_GUnixFDList ~, GUnixFDList
#define procfun_mapping_of_ProcfunBuffer ~, ProcfunBuffer
#define procfun_mapping_of_ProcfunFd ~, struct procfun_tag_ProcfunFd_
#define procfun_mapping_of_ProcfunMaybeString ~, struct procfun_tag_ProcfunMaybeString_
#define procfun_mapping_of_ProcfunInt16s ~, ProcfunInt16s
#define procfun_mapping_of_ProcfunUint16s ~, ProcfunUint16s
#define procfun_mapping_of_ProcfunInt32s ~, ProcfunInt32s
#define procfun_mapping_of_ProcfunUint32s ~, ProcfunUint32s
#define procfun_mapping_of_ProcfunInt64s ~, ProcfunInt64s
#define procfun_mapping_of_ProcfunUint64s ~, ProcfunUint64s
#define procfun_mapping_of_ProcfunDoubles ~, ProcfunDoubles
/* clang-format on */

struct procfun_tag_gboolean_;
struct procfun_tag_GStrv_;
struct procfun_tag_ProcfunFd_;
struct procfun_tag_ProcfunMaybeString_;

/* m (type, kind) for each C type with a mapping. */
/* clang-format off */
#define PROCFUN_EACH_KIND_(m) \
  m (void, PROCFUN_KIND_VOID) \
  m (struct procfun_tag_gboolean_, PROCFUN_KIND_GBOOLEAN) \
  m (PROCFUN_BOOL_, PROCFUN_KIND_BOOL) \
  m (unsigned char, PROCFUN_KIND_UINT8) \
  m (short, PROCFUN_KIND_INT16) \
  m (unsigned short, PROCFUN_KIND_UINT16) \
  m (int, PROCFUN_KIND_INT32) \
  m (unsigned int, PROCFUN_KIND_UINT32) \
  m (long, sizeof (long) == 8 ? PROCFUN_KIND_INT64 : PROCFUN_KIND_INT32) \
  m (unsigned long, sizeof (long) == 8 ? PROCFUN_KIND_UINT64 : PROCFUN_KIND_UINT32) \
  m (long long, PROCFUN_KIND_INT64) \
  m (unsigned long long, PROCFUN_KIND_UINT64) \
  m (double, PROCFUN_KIND_DOUBLE) \
  m (float, PROCFUN_KIND_FLOAT) \
  m (char *, PROCFUN_KIND_STRING) \
  m (const char *, PROCFUN_KIND_CONST_STRING) \
  m (struct procfun_tag_ProcfunMaybeString_, PROCFUN_KIND_MAYBE_STRING) \
  m (struct procfun_tag_GStrv_, PROCFUN_KIND_STRV) \
  m (GBytes *, PROCFUN_KIND_BYTES) \
  m (GVariant *, PROCFUN_KIND_VARIANT) \
  m (struct procfun_tag_ProcfunFd_, PROCFUN_KIND_FD) \
  m (GUnixFDList *, PROCFUN_KIND_FD_LIST) \
  m (ProcfunBuffer *, PROCFUN_KIND_BUFFER) \
  m (GInputStream *, PROCFUN_KIND_INPUT_STREAM) \
  m (ProcfunInt16s, PROCFUN_KIND_INT16S) \
  m (ProcfunUint16s, PROCFUN_KIND_UINT16S) \
  m (ProcfunInt32s, PROCFUN_KIND_INT32S) \
  m (ProcfunUint32s, PROCFUN_KIND_UINT32S) \
  m (ProcfunInt64s, PROCFUN_KIND_INT64S) \
  m (ProcfunUint64s, PROCFUN_KIND_UINT64S) \
  m (ProcfunDoubles, PROCFUN_KIND_DOUBLES)
/* clang-format on */

#ifdef __cplusplus

#define PROCFUN_BOOL_ bool
#define PROCFUN_STATIC_ASSERT_(condition, message) static_assert (condition, message)

extern "C++"
{
  template <typename T> struct ProcfunKindOf_
  {
    enum
    {
      kind = PROCFUN_KIND_NONE
    };
  };

#define PROCFUN_KIND_OF_TEMPLATE_(type, its_kind)                                                  \
  template <> struct ProcfunKindOf_<type>                                                          \
  {                                                                                                \
    enum                                                                                           \
    {                                                                                              \
      kind = its_kind                                                                              \
    };                                                                                             \
  };
  PROCFUN_EACH_KIND_ (PROCFUN_KIND_OF_TEMPLATE_)
#undef PROCFUN_KIND_OF_TEMPLATE_
}

#define PROCFUN_KIND_OF_BUILTIN_(unused, ...) (+ProcfunKindOf_<__VA_ARGS__>::kind)

#else

#define PROCFUN_BOOL_ _Bool
#define PROCFUN_STATIC_ASSERT_(condition, message) _Static_assert(condition, message)

/* Pointers, because tags and void have no values, and because a value would lose its qualifiers. */
#define PROCFUN_KIND_OF_CASE_(type, kind) type * : kind,
#define PROCFUN_KIND_OF_BUILTIN_(unused, ...)                                                      \
  _Generic((__VA_ARGS__ *)0, PROCFUN_EACH_KIND_ (PROCFUN_KIND_OF_CASE_) default : 0)

#endif

/* The kind by the size of struct procfun_mapping_of_Point, which has no other purpose. */
#define PROCFUN_MAPPING_SIZE_(kind) (1024 + kind)
#define PROCFUN_KIND_OF_USER_(...)                                                                 \
  (sizeof (struct __VA_ARGS__) > 1024 ? (int)sizeof (struct __VA_ARGS__) - 1024 : 0)

#define PROCFUN_WHOSE_(...) PROCFUN_THIRD_ (__VA_ARGS__, BUILTIN_, USER_, ~)

/* The ProcfunKind of a type as a constant expression. */
#define PROCFUN_KIND_OF_(Type) PROCFUN_KIND_OF_AGAIN_ (procfun_mapping_of_##Type)
#define PROCFUN_KIND_OF_AGAIN_(...)                                                                \
  PROCFUN_CAT_ (PROCFUN_KIND_OF_, PROCFUN_WHOSE_ (__VA_ARGS__)) (__VA_ARGS__)

/* Its ProcfunTypeInfo or NULL. */
#define PROCFUN_INFO_OF_(Type)                                                                     \
  PROCFUN_CAT_ (PROCFUN_INFO_OF_, PROCFUN_WHOSE_ (procfun_mapping_of_##Type)) (Type)
#define PROCFUN_INFO_OF_BUILTIN_(Type) NULL
#define PROCFUN_INFO_OF_USER_(Type) procfun_info_of_##Type + 0

/* Tells a result from void before the compiler knows types. "void *" counts as void here, and
 * PROCFUN_ASSERT_RESULT_ refuses it. */
#define procfun_void_void ~, VOID_, VOID_, VOID_
#define PROCFUN_IS_VOID_(Type) PROCFUN_IS_VOID_AGAIN_ (procfun_void_##Type, ~, VALUE_, ~)
#define PROCFUN_IS_VOID_AGAIN_(...) PROCFUN_THIRD_ (__VA_ARGS__, ~)

/* Without quotation marks, which gcc would print with a backslash. */
#define PROCFUN_NO_MAPPING_(text) "procfun has no mapping for the type " text
#ifndef __GI_SCANNER__
#define PROCFUN_NO_OWNER_                                                                          \
  "procfun: nobody could own a result of the type const char *; return char *, which the caller "  \
  "frees"
#define PROCFUN_ARGUMENT_ONLY_                                                                     \
  "procfun: a ProcfunBuffer * can only be an argument, and not of a generator"
#endif

/* Assertions about the type of an argument, of a field or an item, and of a result. */
#define PROCFUN_ASSERT_VALUE_(Type)                                                                \
  PROCFUN_STATIC_ASSERT_ (PROCFUN_KIND_OF_ (Type) > PROCFUN_KIND_VOID, PROCFUN_NO_MAPPING_ (#Type));
#define PROCFUN_ASSERT_INNER_(Type)                                                                \
  PROCFUN_ASSERT_VALUE_ (Type)                                                                     \
  PROCFUN_STATIC_ASSERT_ (PROCFUN_KIND_OF_ (Type) != PROCFUN_KIND_BUFFER, PROCFUN_ARGUMENT_ONLY_);
#define PROCFUN_ASSERT_RESULT_(Type)                                                               \
  PROCFUN_STATIC_ASSERT_ (PROCFUN_KIND_OF_ (Type) > PROCFUN_KIND_NONE,                             \
                          PROCFUN_NO_MAPPING_ (#Type));                                            \
  PROCFUN_STATIC_ASSERT_ (PROCFUN_KIND_OF_ (Type) != PROCFUN_KIND_CONST_STRING,                    \
                          PROCFUN_NO_OWNER_);                                                      \
  PROCFUN_STATIC_ASSERT_ (PROCFUN_KIND_OF_ (Type) != PROCFUN_KIND_BUFFER, PROCFUN_ARGUMENT_ONLY_);
