/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-define-each.h>
#include <procfun/procfun-define-mapping.h>
#include <procfun/procfun-definition.h>
#include <procfun/procfun-values.h>

/* The parts of the macros of procfun-define.h. Programs do not use them directly.
 *
 * n counts the arguments that follow as ..., of which the first is the result or the name, see
 * PROCFUN_EACH_; "Type" and "arg" or "field" come in pairs. Names end with an underscore where a
 * body or an argument could have the same name. */

#ifdef __cplusplus
#define PROCFUN_PROTOTYPE_EXTERN_ extern "C"
#else
#define PROCFUN_PROTOTYPE_EXTERN_ extern
#endif
#define PROCFUN_PROTOTYPE_STATIC_ G_GNUC_UNUSED static
#define PROCFUN_SCOPE_EXTERN_
#define PROCFUN_SCOPE_STATIC_ static

/* A function that a header declares is declared again where it is defined. */
#define PROCFUN_BEGIN_PROTOTYPES_                                                                  \
  _Pragma ("GCC diagnostic push") _Pragma ("GCC diagnostic ignored \"-Wredundant-decls\"")
#define PROCFUN_END_PROTOTYPES_ _Pragma ("GCC diagnostic pop")

/* The result of a call in another process. */
#define PROCFUN_RESULT_(Return) PROCFUN_CAT_ (PROCFUN_RESULT_, PROCFUN_IS_VOID_ (Return)) (Return)
#define PROCFUN_RESULT_VOID_(Return) gboolean
#define PROCFUN_RESULT_VALUE_(Return) Return

/* "Type arg, " for each, and the parameters of the function itself. */
#define PROCFUN_PARAMETER_(c, pair) PROCFUN_PARAMETER_OF_ pair,
#define PROCFUN_COMMA_PARAMETER_(c, pair) , PROCFUN_PARAMETER_OF_ pair
#define PROCFUN_PARAMETER_OF_(Type, arg) Type arg
#define PROCFUN_PARAMETERS_PLAIN_(n, ...)                                                          \
  PROCFUN_LIST_ (n, PROCFUN_COMMA_PARAMETER_, ~, void, __VA_ARGS__)
#define PROCFUN_PARAMETERS_ERROR_(n, ...)                                                          \
  PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) GError **error

/* `name_run_async()` is the library's function by another name, which takes no room. */
#define PROCFUN_DECLARE_(n, scope, fails, name, Return, ...)                                       \
  PROCFUN_BEGIN_PROTOTYPES_                                                                        \
  PROCFUN_PROTOTYPE_##scope Return name (PROCFUN_PARAMETERS_##fails (n, __VA_ARGS__));             \
  PROCFUN_PROTOTYPE_##scope PROCFUN_RESULT_ (Return)                                               \
      name##_process (PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) GError **error_);      \
  PROCFUN_PROTOTYPE_##scope void name##_process_async (                                            \
      PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) GCancellable *cancellable_,            \
      GAsyncReadyCallback callback_, gpointer user_data_);                                         \
  PROCFUN_PROTOTYPE_##scope PROCFUN_RESULT_ (Return)                                               \
      name##_process_finish (GAsyncResult *async_result_, GError **error_);                        \
  PROCFUN_PROTOTYPE_##scope ProcfunCall *name##_call (                                             \
      PROCFUN_LIST_ (n, PROCFUN_COMMA_PARAMETER_, ~, void, __VA_ARGS__));                          \
  PROCFUN_PROTOTYPE_##scope PROCFUN_RESULT_ (Return)                                               \
      name##_run (ProcfunCall *call_, GCancellable *cancellable_, GError **error_);                \
  PROCFUN_PROTOTYPE_EXTERN_ void name##_run_async (                                                \
      ProcfunCall *call_, GCancellable *cancellable_, GAsyncReadyCallback callback_,               \
      gpointer user_data_) __asm__("procfun_call_run_async");                                      \
  PROCFUN_PROTOTYPE_##scope PROCFUN_RESULT_ (Return)                                               \
      name##_run_finish (ProcfunCall *call_, GAsyncResult *async_result_, GError **error_);        \
  PROCFUN_PROTOTYPE_##scope PROCFUN_RESULT_ (Return) name##_process_with (                         \
      PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) ProcfunExecutor *executor_,            \
      const ProcfunCallSettings *settings_, GError **error_);                                      \
  PROCFUN_PROTOTYPE_##scope void name##_process_with_async (                                       \
      PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) ProcfunExecutor *executor_,            \
      const ProcfunCallSettings *settings_, GCancellable *cancellable_,                            \
      GAsyncReadyCallback callback_, gpointer user_data_);                                         \
  PROCFUN_PROTOTYPE_##scope ProcfunFunction *name##_function (void);                               \
  PROCFUN_END_PROTOTYPES_

#define PROCFUN_DEFINE_(n, scope, fails, name, Return, ...)                                        \
  PROCFUN_EACH_ (n, PROCFUN_ASSERT_ARGUMENT_, ~, __VA_ARGS__)                                      \
  PROCFUN_ASSERT_RESULT_ (Return)                                                                  \
  PROCFUN_STATIC_ASSERT_ (n - 1 <= PROCFUN_MAX_ARGUMENTS,                                          \
                          "procfun: " #name "() has more than 12 arguments");                      \
  PROCFUN_DECLARE_ (n, scope, fails, name, Return, __VA_ARGS__)                                    \
  PROCFUN_DEFINE_DATA_ (n, fails, name, Return, __VA_ARGS__)                                       \
  PROCFUN_DEFINE_ENTRIES_ (name)                                                                   \
  PROCFUN_DEFINE_NOTE_ (name, #name)                                                               \
  PROCFUN_DEFINE_WRAPPERS_ (n, scope, name, Return, PROCFUN_IS_VOID_ (Return), __VA_ARGS__)        \
  PROCFUN_SCOPE_##scope Return name (PROCFUN_PARAMETERS_##fails (n, __VA_ARGS__))

#define PROCFUN_ASSERT_ARGUMENT_(c, pair) PROCFUN_ASSERT_ARGUMENT_OF_ pair
#define PROCFUN_ASSERT_ARGUMENT_OF_(Type, arg) PROCFUN_ASSERT_VALUE_ (Type)
#define PROCFUN_ASSERT_FIELD_(c, pair) PROCFUN_ASSERT_FIELD_OF_ pair
#define PROCFUN_ASSERT_FIELD_OF_(Type, field) PROCFUN_ASSERT_INNER_ (Type)

/* The description of the function, and its thunk for the library. The thunk calls the function
 * through a variable: a compiler that knows the function drops a call that seems to do nothing, or
 * to crash.
 */
#define PROCFUN_DEFINE_DATA_(n, fails, name, Return, ...)                                          \
  PROCFUN_DEFINE_THUNK_ (n, fails, name, Return, __VA_ARGS__)                                      \
  PROCFUN_DEFINE_DESCRIPTION_ (n, PROCFUN_DEFINITION_##fails, name, Return, __VA_ARGS__)

#define PROCFUN_DEFINE_THUNK_(n, fails, name, Return, ...)                                         \
  static void procfun_thunk_of_##name (G_GNUC_UNUSED gpointer const *args_,                        \
                                       G_GNUC_UNUSED gpointer result_,                             \
                                       G_GNUC_UNUSED GError **error_)                              \
  {                                                                                                \
    enum                                                                                           \
    {                                                                                              \
      PROCFUN_EACH_ (n, PROCFUN_POSITION_, ~, __VA_ARGS__) procfun_n_args                          \
    };                                                                                             \
    __typeof__ (&name) volatile function_ = name;                                                  \
    PROCFUN_CAT_ (PROCFUN_ASSIGN_, PROCFUN_IS_VOID_ (Return))                                      \
    (Return) function_ (PROCFUN_PASS_##fails (n, __VA_ARGS__));                                    \
  }

#define PROCFUN_DEFINE_DESCRIPTION_(n, its_flags, name, Return, ...)                               \
  static const ProcfunMember procfun_args_of_##name[]                                              \
      = { PROCFUN_EACH_ (n, PROCFUN_ARGUMENT_, ~, __VA_ARGS__){ NULL, NULL, 0, 0 } };              \
  static ProcfunDefinition procfun_definition_of_##name                                            \
      = { #name,                                                                                   \
          procfun_args_of_##name,                                                                  \
          procfun_thunk_of_##name,                                                                 \
          &__dso_handle,                                                                           \
          { NULL, PROCFUN_INFO_OF_ (Return), 0, PROCFUN_KIND_OF_ (Return) },                       \
          PROCFUN_CAT_ (PROCFUN_SIZE_, PROCFUN_IS_VOID_ (Return)) (Return),                        \
          n - 1,                                                                                   \
          its_flags,                                                                               \
          NULL,                                                                                    \
          NULL,                                                                                    \
          NULL,                                                                                    \
          NULL };

#define PROCFUN_DEFINITION_PLAIN_ PROCFUN_DEFINITION_NONE
#define PROCFUN_DEFINITION_ERROR_ PROCFUN_DEFINITION_WITH_ERROR

/* Idempotent functions are like the others. */
#define PROCFUN_PARAMETERS_AGAIN_PLAIN_ PROCFUN_PARAMETERS_PLAIN_
#define PROCFUN_PARAMETERS_AGAIN_ERROR_ PROCFUN_PARAMETERS_ERROR_
#define PROCFUN_PASS_AGAIN_PLAIN_ PROCFUN_PASS_PLAIN_
#define PROCFUN_PASS_AGAIN_ERROR_ PROCFUN_PASS_ERROR_
#define PROCFUN_DEFINITION_AGAIN_PLAIN_ PROCFUN_DEFINITION_IDEMPOTENT
#ifndef __GI_SCANNER__ /* which would make a constant of it */
#define PROCFUN_DEFINITION_AGAIN_ERROR_                                                            \
  PROCFUN_DEFINITION_WITH_ERROR | PROCFUN_DEFINITION_IDEMPOTENT
#endif

/* And so are those for a sandbox, with a row for each level. */
#ifndef __GI_SCANNER__
#define PROCFUN_PARAMETERS_NO_NEW_PRIVS_PLAIN_ PROCFUN_PARAMETERS_PLAIN_
#define PROCFUN_PASS_NO_NEW_PRIVS_PLAIN_ PROCFUN_PASS_PLAIN_
#define PROCFUN_PARAMETERS_NO_NEW_PRIVS_ERROR_ PROCFUN_PARAMETERS_ERROR_
#define PROCFUN_PASS_NO_NEW_PRIVS_ERROR_ PROCFUN_PASS_ERROR_
#define PROCFUN_DEFINITION_NO_NEW_PRIVS_PLAIN_ PROCFUN_DEFINITION_IN_ (NO_NEW_PRIVS)
#define PROCFUN_DEFINITION_NO_NEW_PRIVS_ERROR_                                                     \
  PROCFUN_DEFINITION_WITH_ERROR | PROCFUN_DEFINITION_IN_ (NO_NEW_PRIVS)
#define PROCFUN_PARAMETERS_NO_NETWORK_PLAIN_ PROCFUN_PARAMETERS_PLAIN_
#define PROCFUN_PASS_NO_NETWORK_PLAIN_ PROCFUN_PASS_PLAIN_
#define PROCFUN_PARAMETERS_NO_NETWORK_ERROR_ PROCFUN_PARAMETERS_ERROR_
#define PROCFUN_PASS_NO_NETWORK_ERROR_ PROCFUN_PASS_ERROR_
#define PROCFUN_DEFINITION_NO_NETWORK_PLAIN_ PROCFUN_DEFINITION_IN_ (NO_NETWORK)
#define PROCFUN_DEFINITION_NO_NETWORK_ERROR_                                                       \
  PROCFUN_DEFINITION_WITH_ERROR | PROCFUN_DEFINITION_IN_ (NO_NETWORK)
#define PROCFUN_PARAMETERS_READ_ONLY_PLAIN_ PROCFUN_PARAMETERS_PLAIN_
#define PROCFUN_PASS_READ_ONLY_PLAIN_ PROCFUN_PASS_PLAIN_
#define PROCFUN_PARAMETERS_READ_ONLY_ERROR_ PROCFUN_PARAMETERS_ERROR_
#define PROCFUN_PASS_READ_ONLY_ERROR_ PROCFUN_PASS_ERROR_
#define PROCFUN_DEFINITION_READ_ONLY_PLAIN_ PROCFUN_DEFINITION_IN_ (READ_ONLY)
#define PROCFUN_DEFINITION_READ_ONLY_ERROR_                                                        \
  PROCFUN_DEFINITION_WITH_ERROR | PROCFUN_DEFINITION_IN_ (READ_ONLY)
#define PROCFUN_PARAMETERS_PURE_COMPUTE_PLAIN_ PROCFUN_PARAMETERS_PLAIN_
#define PROCFUN_PASS_PURE_COMPUTE_PLAIN_ PROCFUN_PASS_PLAIN_
#define PROCFUN_PARAMETERS_PURE_COMPUTE_ERROR_ PROCFUN_PARAMETERS_ERROR_
#define PROCFUN_PASS_PURE_COMPUTE_ERROR_ PROCFUN_PASS_ERROR_
#define PROCFUN_DEFINITION_PURE_COMPUTE_PLAIN_ PROCFUN_DEFINITION_IN_ (PURE_COMPUTE)
#define PROCFUN_DEFINITION_PURE_COMPUTE_ERROR_                                                     \
  PROCFUN_DEFINITION_WITH_ERROR | PROCFUN_DEFINITION_IN_ (PURE_COMPUTE)
#define PROCFUN_DEFINITION_IN_(LEVEL) (PROCFUN_SANDBOX_##LEVEL << PROCFUN_DEFINITION_SANDBOX_SHIFT)
#endif

#define PROCFUN_POSITION_(c, pair) PROCFUN_POSITION_OF_ pair,
#define PROCFUN_POSITION_OF_(Type, arg) procfun_position_of_##arg
#define PROCFUN_PASS_(c, pair) PROCFUN_PASS_OF_ pair,
#define PROCFUN_COMMA_PASS_(c, pair) , PROCFUN_PASS_OF_ pair
#define PROCFUN_PASS_OF_(Type, arg) *(Type *)args_[procfun_position_of_##arg]
#define PROCFUN_PASS_PLAIN_(n, ...) PROCFUN_LIST_ (n, PROCFUN_COMMA_PASS_, ~, , __VA_ARGS__)
#define PROCFUN_PASS_ERROR_(n, ...) PROCFUN_EACH_ (n, PROCFUN_PASS_, ~, __VA_ARGS__) error_
#define PROCFUN_ASSIGN_VOID_(Return)
#define PROCFUN_ASSIGN_VALUE_(Return) *(Return *)result_ =
#define PROCFUN_SIZE_VOID_(Return) 0
#define PROCFUN_SIZE_VALUE_(Return) sizeof (Return)

#define PROCFUN_ARGUMENT_(c, pair) PROCFUN_ARGUMENT_OF_ pair,
/* clang-format off */
#define PROCFUN_ARGUMENT_OF_(Type, arg) { #arg, PROCFUN_INFO_OF_ (Type), 0, PROCFUN_KIND_OF_ (Type) }
/* clang-format on */

/* Pointers to functions among the constructors and destructors of the module, and not attributes,
 * because gcc's LTO merges attributed ones into a function without arguments, and because the entry
 * must know its place: the entries after it have not run yet when the library takes over. Linkers
 * put .init_array.00101, gcc's section for priority 101, before sections without a priority.
 *
 * The order of the entries among themselves, and how many constructors follow the last one, depends
 * on compiler, linker and LTO. A compiler that optimizes the whole program may run the constructors
 * of C++ globals before or after ours: either way each runs exactly once. */
#define PROCFUN_DEFINE_ENTRIES_(name)                                                              \
  PROCFUN_ONCE_ static void procfun_register_##name (int argc_, char **argv_, char **envp_);       \
  PROCFUN_ONCE_ static void procfun_enter_##name (int argc_, char **argv_, char **envp_);          \
  PROCFUN_ONCE_ static void procfun_unregister_##name (void);                                      \
  static ProcfunConstructor procfun_first_of_##name PROCFUN_IN_SECTION_ (".init_array.00101")      \
      = procfun_register_##name;                                                                   \
  static ProcfunConstructor procfun_entry_of_##name PROCFUN_IN_SECTION_ (".init_array")            \
      = procfun_enter_##name;                                                                      \
  static void (*procfun_last_of_##name) (void) PROCFUN_IN_SECTION_ (".fini_array")                 \
      = procfun_unregister_##name;                                                                 \
  static void procfun_register_##name (G_GNUC_UNUSED int argc_, G_GNUC_UNUSED char **argv_,        \
                                       G_GNUC_UNUSED char **envp_)                                 \
  {                                                                                                \
    procfun_definition_register (&procfun_definition_of_##name);                                   \
  }                                                                                                \
  static void procfun_enter_##name (int argc_, char **argv_, char **envp_)                         \
  {                                                                                                \
    procfun_definition_enter (&procfun_definition_of_##name, &procfun_entry_of_##name + 1,         \
                              __init_array_end, argc_, argv_, envp_);                              \
  }                                                                                                \
  static void procfun_unregister_##name (void)                                                     \
  {                                                                                                \
    procfun_definition_unregister (&procfun_definition_of_##name);                                 \
  }

/* Run once: small, and apart from what is run often. */
#define PROCFUN_ONCE_ __attribute__ ((cold))
#define PROCFUN_IN_SECTION_(section_name) __attribute__ ((section (section_name), used))

#ifndef __GI_SCANNER__
G_BEGIN_DECLS
extern void *__dso_handle __attribute__ ((visibility ("hidden")));
/* Set by the linker. GNU ld leaves it NULL in a shared library, lld and gold do not, so it does not
 * tell whether this is the executable. */
extern ProcfunConstructor const __init_array_end[] __attribute__ ((weak, visibility ("hidden")));
G_END_DECLS
#endif

/* An ELF note: tools find the functions of a file without executing it. Aligned explicitly, because
 * compilers may align arrays to more and so leave holes between the notes; and without the red
 * zones of clang's AddressSanitizer. */
#define PROCFUN_DEFINE_NOTE_(name, text)                                                           \
  static const struct                                                                              \
  {                                                                                                \
    guint32 owner_size;                                                                            \
    guint32 text_size;                                                                             \
    guint32 type;                                                                                  \
    char owner[8];                                                                                 \
    char its_text[(sizeof (text) + 3) / 4 * 4];                                                    \
  } procfun_note_of_##name __attribute__ ((aligned (4)))                                           \
  PROCFUN_NO_RED_ZONE_ PROCFUN_IN_SECTION_ (".note.procfun")                                       \
      = { 8, sizeof (text), 1, "procfun", text };

#ifdef __clang__
#define PROCFUN_NO_RED_ZONE_ __attribute__ ((no_sanitize ("address")))
#else
#define PROCFUN_NO_RED_ZONE_
#endif

#define PROCFUN_VALUES_(n, ...)                                                                    \
  gconstpointer const values_[] = { PROCFUN_EACH_ (n, PROCFUN_VALUE_, ~, __VA_ARGS__) NULL };
#define PROCFUN_VALUE_(c, pair) PROCFUN_VALUE_OF_ pair,
#define PROCFUN_VALUE_OF_(Type, arg) &arg

#define PROCFUN_RETURN_VOID_(Return, function, ...) return function (__VA_ARGS__, NULL, error_);
#define PROCFUN_RETURN_VALUE_(Return, function, ...)                                               \
  Return result_;                                                                                  \
  function (__VA_ARGS__, &result_, error_);                                                        \
  return result_;

/* clang-format off */
#define PROCFUN_DEFINE_WRAPPERS_(n, scope, name, Return, is_void, ...) \
  PROCFUN_SCOPE_##scope PROCFUN_RESULT_ (Return) \
  name##_process (PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) GError **error_) \
  { \
    PROCFUN_VALUES_ (n, __VA_ARGS__) \
    PROCFUN_CAT_ (PROCFUN_RETURN_, is_void) \
    (Return, procfun_definition_process, &procfun_definition_of_##name, values_) \
  } \
  PROCFUN_SCOPE_##scope void \
  name##_process_async (PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) \
                        GCancellable *cancellable_, \
                        GAsyncReadyCallback callback_, gpointer user_data_) \
  { \
    PROCFUN_VALUES_ (n, __VA_ARGS__) \
    procfun_definition_process_async (&procfun_definition_of_##name, values_, cancellable_, \
                                      callback_, user_data_); \
  } \
  G_GNUC_NO_INLINE PROCFUN_SCOPE_##scope PROCFUN_RESULT_ (Return) \
  name##_process_finish (GAsyncResult *async_result_, GError **error_) \
  { \
    PROCFUN_CAT_ (PROCFUN_RETURN_, is_void) \
    (Return, procfun_definition_process_finish, &procfun_definition_of_##name, async_result_) \
  } \
  PROCFUN_SCOPE_##scope ProcfunCall * \
  name##_call (PROCFUN_LIST_ (n, PROCFUN_COMMA_PARAMETER_, ~, void, __VA_ARGS__)) \
  { \
    PROCFUN_VALUES_ (n, __VA_ARGS__) \
    return procfun_definition_call (&procfun_definition_of_##name, values_); \
  } \
  PROCFUN_SCOPE_##scope PROCFUN_RESULT_ (Return) \
  name##_run (ProcfunCall *call_, GCancellable *cancellable_, GError **error_) \
  { \
    PROCFUN_CAT_ (PROCFUN_RETURN_, is_void) \
    (Return, procfun_definition_run, &procfun_definition_of_##name, call_, cancellable_) \
  } \
  PROCFUN_SCOPE_##scope PROCFUN_RESULT_ (Return) \
  name##_run_finish (G_GNUC_UNUSED ProcfunCall *call_, GAsyncResult *async_result_, \
                     GError **error_) \
  { \
    return name##_process_finish (async_result_, error_); \
  } \
  PROCFUN_SCOPE_##scope PROCFUN_RESULT_ (Return) \
  name##_process_with (PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) \
                       ProcfunExecutor *executor_, const ProcfunCallSettings *settings_, \
                       GError **error_) \
  { \
    PROCFUN_VALUES_ (n, __VA_ARGS__) \
    PROCFUN_CAT_ (PROCFUN_RETURN_, is_void) \
    (Return, procfun_definition_process_with, &procfun_definition_of_##name, values_, executor_, \
     settings_) \
  } \
  PROCFUN_SCOPE_##scope void \
  name##_process_with_async (PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__) \
                             ProcfunExecutor *executor_, const ProcfunCallSettings *settings_, \
                             GCancellable *cancellable_, GAsyncReadyCallback callback_, \
                             gpointer user_data_) \
  { \
    PROCFUN_VALUES_ (n, __VA_ARGS__) \
    procfun_definition_process_with_async (&procfun_definition_of_##name, values_, executor_, \
                                           settings_, cancellable_, callback_, user_data_); \
  } \
  PROCFUN_SCOPE_##scope ProcfunFunction *name##_function (void) \
  { \
    return procfun_definition_get_function (&procfun_definition_of_##name); \
  }
/* clang-format on */

/* Struct and enumeration: the C type, its array, their descriptions, and the types whose sizes
 * stand for a kind. */
#define PROCFUN_DEFINE_STRUCT_(n, Name, ...)                                                       \
  PROCFUN_EACH_ (n, PROCFUN_ASSERT_FIELD_, ~, __VA_ARGS__)                                         \
  typedef struct _##Name Name;                                                                     \
  struct _##Name                                                                                   \
  {                                                                                                \
    PROCFUN_EACH_ (n, PROCFUN_FIELD_, ~, __VA_ARGS__)                                              \
  };                                                                                               \
  static const ProcfunMember procfun_fields_of_##Name[]                                            \
      = { PROCFUN_EACH_ (n, PROCFUN_FIELD_MEMBER_, Name, __VA_ARGS__){ NULL, NULL, 0, 0 } };       \
  PROCFUN_DEFINE_INFO_ (Name, procfun_fields_of_##Name, NULL, NULL, n - 1, PROCFUN_KIND_STRUCT)    \
  PROCFUN_DEFINE_ARRAY_ (Name)                                                                     \
  PROCFUN_DEFINE_CLEAR_ (Name)

#define PROCFUN_FIELD_(c, pair) PROCFUN_PARAMETER_OF_ pair;
#define PROCFUN_FIELD_MEMBER_(Name, pair) PROCFUN_FIELD_MEMBER_AGAIN_ (Name, PROCFUN_UNPACK_ pair)
#define PROCFUN_FIELD_MEMBER_AGAIN_(...) PROCFUN_FIELD_MEMBER_OF_ (__VA_ARGS__)
#define PROCFUN_FIELD_MEMBER_OF_(Name, Type, field)                                                \
  { #field, PROCFUN_INFO_OF_ (Type), offsetof (Name, field), PROCFUN_KIND_OF_ (Type) },
#define PROCFUN_UNPACK_(Type, field) Type, field

#define PROCFUN_DEFINE_ENUM_(n, Name, ...)                                                         \
  typedef enum                                                                                     \
  {                                                                                                \
    PROCFUN_LIST_ (n, PROCFUN_COMMA_ENUMERATOR_, ~, , __VA_ARGS__)                                 \
  } Name;                                                                                          \
  PROCFUN_STATIC_ASSERT_ (sizeof (Name) == 4, "procfun: values of " #Name " must fit an int");     \
  static const ProcfunEnumNick procfun_nicks_of_##Name[]                                           \
      = { PROCFUN_EACH_ (n, PROCFUN_NICK_, ~, __VA_ARGS__){ NULL, 0 } };                           \
  PROCFUN_DEFINE_INFO_ (Name, NULL, procfun_nicks_of_##Name, NULL, n - 1, PROCFUN_KIND_ENUM)       \
  PROCFUN_DEFINE_ARRAY_ (Name)

/* A VALUE, or a pair of it and a number. */
#define PROCFUN_COMMA_ENUMERATOR_(c, VALUE)                                                        \
  , PROCFUN_CAT_ (PROCFUN_ENUMERATOR_, PROCFUN_IS_PAIR_ (VALUE)) (VALUE)
#define PROCFUN_ENUMERATOR_SINGLE_(VALUE) VALUE
#define PROCFUN_ENUMERATOR_PAIR_(pair) PROCFUN_ENUMERATOR_OF_ pair
#define PROCFUN_ENUMERATOR_OF_(VALUE, number) VALUE = number
#define PROCFUN_NICK_(c, VALUE) PROCFUN_CAT_ (PROCFUN_NICK_, PROCFUN_IS_PAIR_ (VALUE)) (VALUE),
#define PROCFUN_NICK_SINGLE_(VALUE) PROCFUN_NICK_OF_ (VALUE, ~)
#define PROCFUN_NICK_PAIR_(pair) PROCFUN_NICK_OF_ pair
/* clang-format off */
#define PROCFUN_NICK_OF_(VALUE, number) { #VALUE, VALUE }
/* clang-format on */

#define PROCFUN_IS_PAIR_(x) PROCFUN_IS_PAIR_AGAIN_ (PROCFUN_PAIR_ x, ~, SINGLE_, ~)
#define PROCFUN_IS_PAIR_AGAIN_(...) PROCFUN_THIRD_ (__VA_ARGS__, ~)
#define PROCFUN_PAIR_(...) ~, PAIR_, PAIR_

#define PROCFUN_DEFINE_ARRAY_(Element)                                                             \
  typedef struct                                                                                   \
  {                                                                                                \
    Element *data;                                                                                 \
    gsize length;                                                                                  \
  } Element##Array;                                                                                \
  PROCFUN_DEFINE_INFO_ (Element##Array, NULL, NULL, procfun_info_of_##Element, 0,                  \
                        PROCFUN_KIND_ARRAY)                                                        \
  PROCFUN_DEFINE_CLEAR_ (Element##Array)

#define PROCFUN_DEFINE_INFO_(Name, members, nicks, element, n_members, kind)                       \
  PROCFUN_DEFINE_INFO_AGAIN_ (Name, members, nicks, element, n_members, kind)
#define PROCFUN_DEFINE_INFO_AGAIN_(Name, members, nicks, element, n_members, its_kind)             \
  static const ProcfunTypeInfo procfun_info_of_##Name[] G_GNUC_UNUSED                              \
      = { { #Name, members, nicks, element, sizeof (Name), n_members, its_kind } };                \
  struct procfun_mapping_of_##Name                                                                 \
  {                                                                                                \
    char kind[PROCFUN_MAPPING_SIZE_ (its_kind)];                                                   \
  };

#define PROCFUN_DEFINE_CLEAR_(Name) PROCFUN_DEFINE_CLEAR_AGAIN_ (Name)
#define PROCFUN_DEFINE_CLEAR_AGAIN_(Name)                                                          \
  G_GNUC_UNUSED static inline void Name##_clear (Name *self)                                       \
  {                                                                                                \
    procfun_value_clear (procfun_info_of_##Name, self);                                            \
  }                                                                                                \
  G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Name, Name##_clear)
