/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-define-generator.h>

/**
 * SECTION:procfun-generator
 * @title: Generators
 * @short_description: functions that yield items one by one
 *
 * A generator is a function that yields items one by one, instead of a result at the end:
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_GENERATOR (squares, gint64, (int, from), (int, to))
 * {
 *   for (int i = from; i < to; i++)
 *     if (!squares_yield ((gint64)i * i))
 *       return;
 * }
 *
 * void
 * print_squares (void)
 * {
 *   g_autoptr (ProcfunCall) call = squares_call (1, 1000000);
 *   g_autoptr (GError) error = NULL;
 *   gint64 square;
 *
 *   while (squares_next (call, &square, NULL, &error))
 *     g_print ("%" G_GINT64_FORMAT "\n", square);
 *   if (error != NULL)
 *     g_printerr ("%s\n", error->message);
 * }
 * ]|
 *
 * The function is defined as `void squares (int from, int to)`, and beside it:
 *
 * - `gboolean squares_yield (gint64 item)` is for the body of the function: it passes an item to
 * the caller, and waits until the caller is ready for more. %FALSE means that the caller wants no
 * more items: the call was cancelled or dropped, or an item could not be sent; the function should
 * then clean up and return. Items are borrowed, as arguments are: the function frees its own.
 * - `ProcfunCall *squares_call (int from, int to)` makes a call, which starts with the request for
 * the first item.
 * - `gboolean squares_next (ProcfunCall *call, gint64 *item, GCancellable *cancellable, GError
 * **error)` waits for the next item, which the caller frees. %FALSE without an error is the end.
 * See procfun_call_next().
 * - `void squares_next_async (ProcfunCall *call, GCancellable *cancellable, GAsyncReadyCallback
 * callback, gpointer user_data)` and `gboolean squares_next_finish (ProcfunCall *call, GAsyncResult
 * *result, gint64 *item, GError
 *   **error)` are the pair for a main loop.
 * - `void squares_each (int from, int to, gboolean (*take) (gint64 item, gpointer user_data),
 * gpointer user_data)` runs the function in this process and gives each item to @take, which
 * returns %FALSE to end the function.
 * - `ProcfunFunction *squares_function (void)` gives the description of the function.
 *
 * `squares (1, 10)` is an ordinary function of this process. Its items go to the same place as
 * those of the running `squares` in this thread: to the caller of `squares_each()`, or, in a
 * process of its own, to the caller of the process. So it may call itself. Without such a caller,
 * `squares_yield()` returns %FALSE.
 *
 * A generator needs a process of its own: #ProcfunInline refuses it, as does procfun_call_run().
 * Its signature has an asterisk after the type of an item: `squares(ii)x*`.
 */

/**
 * PROCFUN_DEFINE_GENERATOR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses, like
 * `(int, a)`
 *
 * Defines a function that yields items, and its wrappers for calls in processes of their own. The
 * body follows.
 *
 * The beginning of this page lists the wrappers. An item can have any type of a result but `void`.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_GENERATOR(name, ...)                                                        \
  PROCFUN_DEFINE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, PLAIN_, name,                  \
                             PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_GENERATOR_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses
 *
 * Defines a generator that can fail: the function, and its `name_each()`, have one more parameter
 * at the end, `GError
 * **error`. The caller receives the items yielded before the error, and then the error.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_GENERATOR_WITH_ERROR(name, ...)                                             \
  PROCFUN_DEFINE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, ERROR_, name,                  \
                             PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_GENERATOR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_GENERATOR() does, but all that it defines is static; see
 * PROCFUN_DEFINE_STATIC_FUNCTION().
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_GENERATOR(name, ...)                                                 \
  PROCFUN_DEFINE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, PLAIN_, name,                  \
                             PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_GENERATOR_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_GENERATOR_WITH_ERROR() does, but all that it defines is static.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_GENERATOR_WITH_ERROR(name, ...)                                      \
  PROCFUN_DEFINE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, ERROR_, name,                  \
                             PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DECLARE_GENERATOR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses
 *
 * Declares a generator and its wrappers, for a header; or for a helper function that yields items,
 * before the generator. No semicolon follows.
 *
 * Since: 0.1
 */
#define PROCFUN_DECLARE_GENERATOR(name, ...)                                                       \
  PROCFUN_DECLARE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, PLAIN_, name,                 \
                              PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DECLARE_GENERATOR_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of an item, and then up to 12 pairs of a type and a name in parentheses
 *
 * Declares a generator that can fail, and its wrappers, for a header.
 *
 * Since: 0.1
 */
#define PROCFUN_DECLARE_GENERATOR_WITH_ERROR(name, ...)                                            \
  PROCFUN_DECLARE_GENERATOR_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, ERROR_, name,                 \
                              PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)
