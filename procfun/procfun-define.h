/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-define-generate.h>

/**
 * SECTION:procfun-define
 * @title: Definitions
 * @short_description: functions that can be called in a process of their own
 *
 * A function is marked by writing PROCFUN_DEFINE_FUNCTION() where its head would stand:
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_FUNCTION (add, int, (int, a), (int, b))
 * {
 *   return a + b;
 * }
 * ]|
 *
 * This defines the function itself, `int add (int a, int b)`, which is called in this process like
 * any other, and beside it:
 *
 * - `int add_process (int a, int b, GError **error)` calls it in a process of its own and waits for
 *   the result. On failure it returns 0, %NULL, a struct of zeroes or a #ProcfunFd of -1 and sets
 *   @error.
 * - `void add_process_async (int a, int b, GCancellable *cancellable, GAsyncReadyCallback callback,
 *   gpointer user_data)` does the same for a main loop, and `int add_process_finish (GAsyncResult
 *   *result, GError **error)` gives the result. The source object that the callback is given may be
 *   %NULL.
 * - `ProcfunCall *add_call (int a, int b)` makes a call that is not started, to choose an executor
 *   for it or to connect to its signals.
 * - `int add_run (ProcfunCall *call, GCancellable *cancellable, GError **error)` runs such a call.
 * - `void add_run_async (ProcfunCall *call, GCancellable *cancellable, GAsyncReadyCallback
 * callback, gpointer user_data)` does the same for a main loop, as procfun_call_run_async() does,
 * and `int add_run_finish (ProcfunCall *call, GAsyncResult *result, GError **error)` gives the
 * result.
 * - `int add_process_with (int a, int b, ProcfunExecutor *executor, const ProcfunCallSettings
 *   *settings, GError **error)` does what `add_process()` does, on that executor and with these
 *   settings; either may be %NULL.
 * - `void add_process_with_async (int a, int b, ProcfunExecutor *executor, const
 *   ProcfunCallSettings *settings, GCancellable *cancellable, GAsyncReadyCallback callback,
 * gpointer user_data)` does that for a main loop; `add_process_finish()` gives the result.
 * - `ProcfunFunction *add_function (void)` gives the description of the function.
 *
 * Where the result is `void`, these return %TRUE on success and %FALSE on failure.
 *
 * Types are spelled as in any prototype: numbers, `gboolean`, `bool`, `char *`, `const char *`,
 * `GStrv`, `GBytes *`, `GVariant *`, `GUnixFDList *`, `GInputStream *`,
 * the types of
 * [this section][procfun-Value-types], `ProcfunBuffer *` for arguments, and what
 * PROCFUN_DEFINE_STRUCT() and PROCFUN_DEFINE_ENUM() define; the [guide][guide-types] has them all.
 * A type that cannot be sent to another process does not compile, and the message of the compiler
 * names it.
 *
 * Arguments are borrowed: neither the function nor its wrappers free them. A result belongs to the
 * caller, both of the function and of its wrappers, and is freed by g_free(), g_bytes_unref() and
 * so on, or by the `_clear` of a struct or an array. A `const char *` is therefore no result:
 * nobody could own it. A floating #GVariant is sunk where it is an argument, and may be a result.
 *
 * Nothing has to be called in main(). A child is the same program again, which runs the function
 * before its main() would begin, and ends; what main() sets up does not exist there.
 *
 * In C++ the generated functions have C linkage.
 */

/**
 * PROCFUN_DEFINE_FUNCTION:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses, like
 * `(int, a)`
 *
 * Defines a function, whose body follows, and what is needed to call it in a process of its own.
 *
 * The beginning of this page says what that is.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_FUNCTION(name, ...)                                                         \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, PLAIN_, name,                            \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_FUNCTION_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Defines a function that can fail: it has one more parameter at the end, `GError **error`.
 *
 * An error that the body sets arrives at the caller of another process with its domain, code and
 * message. What the body returns beside an error is not looked at, and not freed. In a process of
 * its own @error is never %NULL.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_FUNCTION_WITH_ERROR (first_line, char *, (const char *, path))
 * {
 *   char *text;
 *
 *   if (!g_file_get_contents (path, &text, NULL, error))
 *     return NULL;
 *   text[strcspn (text, "\n")] = '\0';
 *   return text;
 * }
 * ]|
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_FUNCTION_WITH_ERROR(name, ...)                                              \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, ERROR_, name,                            \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_FUNCTION:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION() does, but all that it defines is static.
 *
 * Two files of a program can't each have a static function of the same name and types: a child
 * could not tell them apart. This is reported when the program starts, and calls of either fail
 * with %PROCFUN_ERROR_INVALID.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_FUNCTION(name, ...)                                                  \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, PLAIN_, name,                            \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION_WITH_ERROR() does, but all that it defines is static.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR(name, ...)                                       \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, ERROR_, name,                            \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_IDEMPOTENT_FUNCTION:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION() does, and declares that running the function twice has the
 * same effect as running it once; see #ProcfunPool:max-retries. It is declared in headers like any
 * other.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_IDEMPOTENT_FUNCTION(name, ...)                                              \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, AGAIN_PLAIN_, name,                      \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_IDEMPOTENT_FUNCTION_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION_WITH_ERROR() does, and declares that running the function twice
 * has the same effect as running it once; see #ProcfunPool:max-retries.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_IDEMPOTENT_FUNCTION_WITH_ERROR(name, ...)                                   \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, AGAIN_ERROR_, name,                      \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_STATIC_FUNCTION() does, and declares that running the function twice has
 * the same effect as running it once; see #ProcfunPool:max-retries.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION(name, ...)                                       \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, AGAIN_PLAIN_, name,                      \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION_WITH_ERROR:
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR() does, and declares that running the
 * function twice has the same effect as running it once; see #ProcfunPool:max-retries.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_IDEMPOTENT_FUNCTION_WITH_ERROR(name, ...)                            \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, AGAIN_ERROR_, name,                      \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_SANDBOXED_FUNCTION:
 * @LEVEL: `NO_NEW_PRIVS`, `NO_NETWORK`, `READ_ONLY` or `PURE_COMPUTE`, as in #ProcfunSandbox
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION() does, and declares that the function runs in a sandbox
 * of this level at least, wherever it is called from: its calls fail with
 * %PROCFUN_ERROR_SANDBOX where that cannot be had, and it cannot be called without a process. It is
 * declared in headers like any other.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_SANDBOXED_FUNCTION(LEVEL, name, ...)                                        \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, LEVEL##_PLAIN_, name,                    \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_SANDBOXED_FUNCTION_WITH_ERROR:
 * @LEVEL: `NO_NEW_PRIVS`, `NO_NETWORK`, `READ_ONLY` or `PURE_COMPUTE`, as in #ProcfunSandbox
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_FUNCTION_WITH_ERROR() does, and declares that the function runs in a
 * sandbox of this level at least, wherever it is called from.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_SANDBOXED_FUNCTION_WITH_ERROR(LEVEL, name, ...)                             \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, LEVEL##_ERROR_, name,                    \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION:
 * @LEVEL: `NO_NEW_PRIVS`, `NO_NETWORK`, `READ_ONLY` or `PURE_COMPUTE`, as in #ProcfunSandbox
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_STATIC_FUNCTION() does, and declares that the function runs in a sandbox
 * of this level at least, wherever it is called from.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION(LEVEL, name, ...)                                 \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, LEVEL##_PLAIN_, name,                    \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION_WITH_ERROR:
 * @LEVEL: `NO_NEW_PRIVS`, `NO_NETWORK`, `READ_ONLY` or `PURE_COMPUTE`, as in #ProcfunSandbox
 * @name: the name of the function
 * @...: the type of the result, and then up to 12 pairs of a type and a name in parentheses
 *
 * Does what PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR() does, and declares that the function runs
 * in a sandbox of this level at least, wherever it is called from.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STATIC_SANDBOXED_FUNCTION_WITH_ERROR(LEVEL, name, ...)                      \
  PROCFUN_DEFINE_ (PROCFUN_COUNT_ (__VA_ARGS__), STATIC_, LEVEL##_ERROR_, name,                    \
                   PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DECLARE_FUNCTION:
 * @name: the name of the function
 * @...: the same as in its PROCFUN_DEFINE_FUNCTION(): the type of the result, and the arguments
 *
 * Declares a function and its wrappers, for a header. So C++ can call functions that are defined in
 * C, and the other way round. No semicolon follows.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DECLARE_FUNCTION (add, int, (int, a), (int, b))
 * ]|
 *
 * Since: 0.1
 */
#define PROCFUN_DECLARE_FUNCTION(name, ...)                                                        \
  PROCFUN_DECLARE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, PLAIN_, name,                           \
                    PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DECLARE_FUNCTION_WITH_ERROR:
 * @name: the name of the function
 * @...: the same as in its PROCFUN_DEFINE_FUNCTION_WITH_ERROR()
 *
 * Declares a function that can fail, and its wrappers, for a header.
 *
 * Since: 0.1
 */
#define PROCFUN_DECLARE_FUNCTION_WITH_ERROR(name, ...)                                             \
  PROCFUN_DECLARE_ (PROCFUN_COUNT_ (__VA_ARGS__), EXTERN_, ERROR_, name,                           \
                    PROCFUN_FIRST_ (__VA_ARGS__), __VA_ARGS__)

/**
 * PROCFUN_DEFINE_STRUCT:
 * @Name: the name of the type
 * @...: up to 64 pairs of a type and a name in parentheses: the fields
 *
 * Defines a C struct that can be an argument, a result, a field of another such struct, or the
 * element of an array. It may stand in a header.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
 * ]|
 *
 * defines:
 *
 * - `typedef struct _Point { double x; double y; } Point`
 * - `void Point_clear (Point *self)`, which frees the contents of the fields and sets them to
 * zeroes (descriptors to -1); and `g_auto (Point)` calls it
 * - `PointArray`, with the fields `Point *data` and `gsize length`, for arrays of such structs
 * - `void PointArray_clear (PointArray *self)`, which frees the array and the contents of its
 * elements, by g_free(); and `g_auto (PointArray)`
 *
 * A result, and an argument in a child, owns all memory that its fields point to, also by `const
 * char *`. The caller's arguments are only read, so their fields may point to any memory.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_STRUCT(Name, ...)                                                           \
  PROCFUN_DEFINE_STRUCT_ (PROCFUN_COUNT_ (Name, __VA_ARGS__), Name, Name, __VA_ARGS__)

/**
 * PROCFUN_DEFINE_ENUM:
 * @Name: the name of the type
 * @...: up to 64 values, each a name or a pair of a name and a number in parentheses
 *
 * Defines a C enumeration that can be an argument, a result, a field of a struct, or the element of
 * an array. It may stand in a header.
 *
 * |[<!-- language="C" -->
 * PROCFUN_DEFINE_ENUM (Colour, COLOUR_RED, (COLOUR_DARK_BLUE, 5))
 * ]|
 *
 * defines the enumeration `Colour`, and `ColourArray` with `ColourArray_clear` as
 * PROCFUN_DEFINE_STRUCT() does. A value without a name is valid, and is passed as a number.
 *
 * In JSON a value is its nick, like `"dark-blue"`: the name in small letters, without the prefix of
 * all names, and with `-` for `_`. In GVariant terms it is `i`.
 *
 * Since: 0.1
 */
#define PROCFUN_DEFINE_ENUM(Name, ...)                                                             \
  PROCFUN_DEFINE_ENUM_ (PROCFUN_COUNT_ (Name, __VA_ARGS__), Name, Name, __VA_ARGS__)
