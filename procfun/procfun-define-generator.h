/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-define-generate.h>

/* The parts of the macros of procfun-generator.h. Programs do not use them directly;
 * procfun-define-generate.h explains n, Type and arg. */

#define PROCFUN_DECLARE_GENERATOR_(n, scope, fails, name, Item, ...)                               \
  PROCFUN_BEGIN_PROTOTYPES_                                                                        \
  PROCFUN_PROTOTYPE_##scope void name (PROCFUN_PARAMETERS_##fails (n, __VA_ARGS__));               \
  PROCFUN_PROTOTYPE_##scope gboolean name##_yield (Item item_);                                    \
  PROCFUN_PROTOTYPE_##scope void name##_each (                                                     \
      PROCFUN_PARAMETERS_OF_EACH_ (n, fails, Item, __VA_ARGS__));                                  \
  PROCFUN_PROTOTYPE_##scope ProcfunCall *name##_call (                                             \
      PROCFUN_LIST_ (n, PROCFUN_COMMA_PARAMETER_, ~, void, __VA_ARGS__));                          \
  PROCFUN_PROTOTYPE_##scope gboolean name##_next (ProcfunCall *call_, Item *item_,                 \
                                                  GCancellable *cancellable_, GError **error_);    \
  PROCFUN_PROTOTYPE_##scope void name##_next_async (                                               \
      ProcfunCall *call_, GCancellable *cancellable_, GAsyncReadyCallback callback_,               \
      gpointer user_data_);                                                                        \
  PROCFUN_PROTOTYPE_##scope gboolean name##_next_finish (                                          \
      ProcfunCall *call_, GAsyncResult *async_result_, Item *item_, GError **error_);              \
  PROCFUN_PROTOTYPE_##scope ProcfunFunction *name##_function (void);                               \
  PROCFUN_END_PROTOTYPES_

#define PROCFUN_PARAMETERS_OF_EACH_(n, fails, Item, ...)                                           \
  PROCFUN_EACH_ (n, PROCFUN_PARAMETER_, ~, __VA_ARGS__)                                            \
  gboolean (*take_) (Item item, gpointer user_data),                                               \
      gpointer user_data_ PROCFUN_COMMA_ERROR_PARAMETER_##fails
#define PROCFUN_COMMA_ERROR_PARAMETER_PLAIN_
#define PROCFUN_COMMA_ERROR_PARAMETER_ERROR_ , GError **error_

#define PROCFUN_DEFINE_GENERATOR_(n, scope, fails, name, Item, ...)                                \
  PROCFUN_EACH_ (n, PROCFUN_ASSERT_FIELD_, ~, __VA_ARGS__)                                         \
  PROCFUN_ASSERT_VALUE_ (Item)                                                                     \
  PROCFUN_ASSERT_RESULT_ (Item)                                                                    \
  PROCFUN_STATIC_ASSERT_ (n - 1 <= PROCFUN_MAX_ARGUMENTS,                                          \
                          "procfun: " #name "() has more than 12 arguments");                      \
  PROCFUN_DECLARE_GENERATOR_ (n, scope, fails, name, Item, __VA_ARGS__)                            \
  PROCFUN_DEFINE_THUNK_ (n, fails, name, void, __VA_ARGS__)                                        \
  PROCFUN_DEFINE_DESCRIPTION_ (n, PROCFUN_DEFINITION_GENERATOR | PROCFUN_DEFINITION_##fails, name, \
                               Item, __VA_ARGS__)                                                  \
  PROCFUN_DEFINE_ENTRIES_ (name)                                                                   \
  PROCFUN_DEFINE_NOTE_ (name, #name)                                                               \
  PROCFUN_DEFINE_ITEM_WRAPPERS_ (scope, name, Item)                                                \
  PROCFUN_DEFINE_EACH_ (n, scope, fails, name, Item, __VA_ARGS__)                                  \
  PROCFUN_DEFINE_CALL_ (n, scope, name, __VA_ARGS__)                                               \
  PROCFUN_SCOPE_##scope void name (PROCFUN_PARAMETERS_##fails (n, __VA_ARGS__))

#define PROCFUN_DEFINE_ITEM_WRAPPERS_(scope, name, Item)                                           \
  PROCFUN_SCOPE_##scope gboolean name##_yield (Item item_)                                         \
  {                                                                                                \
    return procfun_definition_yield (&procfun_definition_of_##name, &item_);                       \
  }                                                                                                \
  PROCFUN_SCOPE_##scope gboolean name##_next (ProcfunCall *call_, Item *item_,                     \
                                              GCancellable *cancellable_, GError **error_)         \
  {                                                                                                \
    return procfun_definition_next (&procfun_definition_of_##name, call_, item_, cancellable_,     \
                                    error_);                                                       \
  }                                                                                                \
  PROCFUN_SCOPE_##scope void name##_next_async (ProcfunCall *call_, GCancellable *cancellable_,    \
                                                GAsyncReadyCallback callback_,                     \
                                                gpointer user_data_)                               \
  {                                                                                                \
    procfun_call_next_async (call_, cancellable_, callback_, user_data_);                          \
  }                                                                                                \
  PROCFUN_SCOPE_##scope gboolean name##_next_finish (                                              \
      ProcfunCall *call_, GAsyncResult *async_result_, Item *item_, GError **error_)               \
  {                                                                                                \
    return procfun_definition_next_finish (&procfun_definition_of_##name, call_, async_result_,    \
                                           item_, error_);                                         \
  }                                                                                                \
  PROCFUN_SCOPE_##scope ProcfunFunction *name##_function (void)                                    \
  {                                                                                                \
    return procfun_definition_get_function (&procfun_definition_of_##name);                        \
  }

/* Passes an item within this process, to a function that takes it by its C type, which the library
 * does not know. */
#define PROCFUN_DEFINE_EACH_(n, scope, fails, name, Item, ...)                                     \
  struct procfun_taker_of_##name                                                                   \
  {                                                                                                \
    gboolean (*take) (Item item, gpointer user_data);                                              \
    gpointer user_data;                                                                            \
  };                                                                                               \
  static gboolean procfun_take_of_##name (gconstpointer item_, gpointer user_data_)                \
  {                                                                                                \
    const struct procfun_taker_of_##name *taker_                                                   \
        = (const struct procfun_taker_of_##name *)user_data_;                                      \
    return taker_->take (*(Item const *)item_, taker_->user_data);                                 \
  }                                                                                                \
  PROCFUN_SCOPE_##scope void name##_each (                                                         \
      PROCFUN_PARAMETERS_OF_EACH_ (n, fails, Item, __VA_ARGS__))                                   \
  {                                                                                                \
    gpointer const values_[] = { PROCFUN_EACH_ (n, PROCFUN_VALUE_, ~, __VA_ARGS__) NULL };         \
    struct procfun_taker_of_##name taker_ = { take_, user_data_ };                                 \
    ProcfunReceiver receiver_                                                                      \
        = { &procfun_definition_of_##name, procfun_take_of_##name, &taker_, FALSE, NULL };         \
    procfun_receiver_push (&receiver_);                                                            \
    procfun_thunk_of_##name (values_, NULL, PROCFUN_THE_ERROR_##fails);                            \
    procfun_receiver_pop (&receiver_);                                                             \
  }

#define PROCFUN_THE_ERROR_PLAIN_ NULL
#define PROCFUN_THE_ERROR_ERROR_ error_

#define PROCFUN_DEFINE_CALL_(n, scope, name, ...)                                                  \
  PROCFUN_SCOPE_##scope ProcfunCall *name##_call (                                                 \
      PROCFUN_LIST_ (n, PROCFUN_COMMA_PARAMETER_, ~, void, __VA_ARGS__))                           \
  {                                                                                                \
    PROCFUN_VALUES_ (n, __VA_ARGS__)                                                               \
    return procfun_definition_call (&procfun_definition_of_##name, values_);                       \
  }
