/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-limits.h>
#include <procfun/procfun-pool.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunMapOnError:
 * @PROCFUN_MAP_STOP: the first element that fails ends the map
 * @PROCFUN_MAP_COLLECT: the other elements continue, and the errors are collected
 *
 * The reaction of a #ProcfunMap to an element that fails.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_MAP_STOP,
  PROCFUN_MAP_COLLECT
} ProcfunMapOnError;

#define PROCFUN_TYPE_MAP_ON_ERROR (procfun_map_on_error_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_map_on_error_get_type (void) G_GNUC_CONST;

/**
 * ProcfunMapNextFunc:
 * @user_data: data of the function
 *
 * Gives the arguments of the next element.
 *
 * Returns: (transfer full) (nullable): a tuple, which may be floating; or %NULL at the end
 *
 * Since: 0.1
 */
typedef GVariant *(*ProcfunMapNextFunc) (gpointer user_data);

/**
 * ProcfunMapItemFunc:
 * @item: (type GObject): an item of a #GListModel
 * @user_data: data of the function
 *
 * Makes arguments of an item.
 *
 * Returns: (transfer full) (nullable): a tuple, which may be floating; or %NULL to end the map
 *   before this item
 *
 * Since: 0.1
 */
typedef GVariant *(*ProcfunMapItemFunc) (gpointer item, gpointer user_data);

#define PROCFUN_TYPE_MAP (procfun_map_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunMap, procfun_map, PROCFUN, MAP, GObject)

PROCFUN_AVAILABLE_IN_0_1
ProcfunMap *procfun_map_new (ProcfunPool *pool, ProcfunFunction *function);
PROCFUN_AVAILABLE_IN_0_1
ProcfunMap *procfun_map_new_on (ProcfunExecutor *executor, ProcfunFunction *function);
PROCFUN_AVAILABLE_IN_0_1
ProcfunExecutor *procfun_map_get_executor (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunPool *procfun_map_get_pool (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_map_get_function (ProcfunMap *self);

PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_array (ProcfunMap *self, GVariant *array_of_args);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_model (ProcfunMap *self, GListModel *model, ProcfunMapItemFunc func,
                            gpointer user_data, GDestroyNotify destroy);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_iterator (ProcfunMap *self, ProcfunMapNextFunc func, gpointer user_data,
                               GDestroyNotify destroy);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_push (ProcfunMap *self, GVariant *args);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_end_input (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_fail_input (ProcfunMap *self, const GError *error);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_map_get_n_pushed (ProcfunMap *self);

PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_ordered (ProcfunMap *self, gboolean ordered);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_map_get_ordered (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_on_error (ProcfunMap *self, ProcfunMapOnError on_error);
PROCFUN_AVAILABLE_IN_0_1
ProcfunMapOnError procfun_map_get_on_error (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_chunk_size (ProcfunMap *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_map_get_chunk_size (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_timeout (ProcfunMap *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_map_get_timeout (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_deadline (ProcfunMap *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_map_get_deadline (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_set_limits (ProcfunMap *self, ProcfunLimits *limits);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLimits *procfun_map_get_limits (ProcfunMap *self);

PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_map_run (ProcfunMap *self, GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_run_async (ProcfunMap *self, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_map_run_finish (ProcfunMap *self, GAsyncResult *result, GError **error);

PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_map_next (ProcfunMap *self, guint64 *index, GCancellable *cancellable,
                            GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_map_next_async (ProcfunMap *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_map_next_finish (ProcfunMap *self, GAsyncResult *result, guint64 *index,
                                   GError **error);

PROCFUN_AVAILABLE_IN_0_1
void procfun_map_cancel_element (ProcfunMap *self, guint64 index);

PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_map_get_n_done (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_map_get_n_failed (ProcfunMap *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 *procfun_map_get_failed (ProcfunMap *self, gsize *n);
PROCFUN_AVAILABLE_IN_0_1
GError *procfun_map_get_error (ProcfunMap *self, guint64 index);

PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_pool_map (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                            GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_pool_map_async (ProcfunPool *self, ProcfunFunction *function, GVariant *array_of_args,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_pool_map_finish (ProcfunPool *self, GAsyncResult *result, GError **error);

G_END_DECLS
