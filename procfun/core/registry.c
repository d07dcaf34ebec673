/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/registry.h"

#include "procfun/base/intl.h"
#include "procfun/core/definition.h"
#include "procfun/core/function.h"
#include "procfun/procfun-error.h"

/**
 * SECTION:procfun-registry
 * @title: ProcfunRegistry
 * @short_description: the functions that can be called
 *
 * Functions, by hash and by name.
 */

/**
 * ProcfunRegistry:
 *
 * Functions, by hash and by name.
 *
 * A registry is a list of functions, found by hash or by name. The default one holds all that
 * macros define in the program and its libraries, and what was registered at run time. It is a
 * #GListModel of #ProcfunFunction.
 *
 * Bindings register handlers at run time. Their calls run in a new process of the same program with
 * the same command line, so the program must come by procfun_registry_serve() after it has
 * registered its functions.
 *
 * Since: 0.1
 */
struct _ProcfunRegistry
{
  GObject parent_instance;

  GMutex lock;
  GPtrArray *functions; /* (element-type ProcfunFunction) */
  GHashTable *by_hash;  /* (element-type utf8 ProcfunFunction), the first one of each hash */
  GHashTable *by_name;  /* (element-type utf8 ProcfunFunction), the first one of each name */
  GHashTable *handlers; /* (element-type utf8 ProcfunFunction), by hash: those of run time */
  gboolean is_default;
  guint generation; /* of the definitions in @functions */
};

static void procfun_registry_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ProcfunRegistry, procfun_registry, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      procfun_registry_list_model_init))

static ProcfunRegistry *default_registry;

static void
procfun_registry_finalize (GObject *object)
{
  ProcfunRegistry *self = PROCFUN_REGISTRY (object);

  g_hash_table_unref (self->by_hash);
  g_hash_table_unref (self->by_name);
  g_hash_table_unref (self->handlers);
  g_ptr_array_unref (self->functions);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (procfun_registry_parent_class)->finalize (object);
}

static void
procfun_registry_class_init (ProcfunRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = procfun_registry_finalize;
}

static void
procfun_registry_init (ProcfunRegistry *self)
{
  g_mutex_init (&self->lock);
  self->functions = g_ptr_array_new_with_free_func (g_object_unref);
  self->by_hash = g_hash_table_new (g_str_hash, g_str_equal);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  self->handlers = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
add_to_tables (ProcfunRegistry *self, ProcfunFunction *function)
{
  if (!g_hash_table_contains (self->by_hash, procfun_function_get_hash (function)))
    g_hash_table_insert (self->by_hash, (char *)procfun_function_get_hash (function), function);
  if (!g_hash_table_contains (self->by_name, procfun_function_get_name (function)))
    g_hash_table_insert (self->by_name, (char *)procfun_function_get_name (function), function);
}

static void
add (ProcfunRegistry *self, ProcfunFunction *function)
{
  g_ptr_array_add (self->functions, g_object_ref (function));
  add_to_tables (self, function);
}

/* Adds functions of libraries that were loaded meanwhile. */
static void
update (ProcfunRegistry *self)
{
  g_autoptr (GPtrArray) defined = NULL;
  guint generation, n_before, n_added;

  if (!self->is_default)
    return;
  generation = procfun_definitions_get_generation ();
  if (g_atomic_int_get ((gint *)&self->generation) == (gint)generation)
    return;

  defined = procfun_definitions_list_functions ();
  g_mutex_lock (&self->lock);
  n_before = self->functions->len;
  for (guint i = 0; i < defined->len; i++)
    if (!g_ptr_array_find (self->functions, defined->pdata[i], NULL))
      add (self, defined->pdata[i]);
  n_added = self->functions->len - n_before;
  g_atomic_int_set ((gint *)&self->generation, (gint)generation);
  g_mutex_unlock (&self->lock);
  if (n_added > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), n_before, 0, n_added);
}

/* Removes a function whose library is unloaded. */
static void
forget (ProcfunFunction *function)
{
  ProcfunRegistry *self = default_registry;
  gboolean found;
  guint index;

  g_mutex_lock (&self->lock);
  found = g_ptr_array_find (self->functions, function, &index);
  if (found)
    {
      g_hash_table_remove_all (self->by_hash);
      g_hash_table_remove_all (self->by_name);
      g_ptr_array_remove_index (self->functions, index);
      for (guint i = 0; i < self->functions->len; i++)
        add_to_tables (self, self->functions->pdata[i]);
    }
  g_mutex_unlock (&self->lock);
  if (found)
    g_list_model_items_changed (G_LIST_MODEL (self), index, 1, 0);
}

static GType
procfun_registry_get_item_type (GListModel *model)
{
  return PROCFUN_TYPE_FUNCTION;
}

static guint
procfun_registry_get_n_items (GListModel *model)
{
  ProcfunRegistry *self = PROCFUN_REGISTRY (model);
  guint n;

  update (self);
  g_mutex_lock (&self->lock);
  n = self->functions->len;
  g_mutex_unlock (&self->lock);
  return n;
}

static gpointer
procfun_registry_get_item (GListModel *model, guint position)
{
  ProcfunRegistry *self = PROCFUN_REGISTRY (model);
  gpointer item = NULL;

  update (self);
  g_mutex_lock (&self->lock);
  if (position < self->functions->len)
    item = g_object_ref (self->functions->pdata[position]);
  g_mutex_unlock (&self->lock);
  return item;
}

static void
procfun_registry_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = procfun_registry_get_item_type;
  iface->get_n_items = procfun_registry_get_n_items;
  iface->get_item = procfun_registry_get_item;
}

/**
 * procfun_registry_get_default:
 *
 * Gets the registry of the program: all that macros define in it and in the libraries that are
 * loaded, and what is registered with it.
 *
 * Returns: (transfer none): the default registry
 *
 * Since: 0.1
 */
ProcfunRegistry *
procfun_registry_get_default (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      ProcfunRegistry *self = procfun_registry_new ();

      self->is_default = TRUE;
      default_registry = self;
      procfun_definitions_set_unload_hook (forget);
      g_once_init_leave (&once, 1);
    }
  return default_registry;
}

/**
 * procfun_registry_new:
 *
 * Makes a registry, which is empty. Most programs use procfun_registry_get_default().
 *
 * Returns: (transfer full): a new registry
 *
 * Since: 0.1
 */
ProcfunRegistry *
procfun_registry_new (void)
{
  return g_object_new (PROCFUN_TYPE_REGISTRY, NULL);
}

static ProcfunFunction *
register_function (ProcfunRegistry *self, ProcfunFunction *function, GError **error)
{
  ProcfunFunction *other;
  guint position;

  update (self);
  g_mutex_lock (&self->lock);
  other = g_hash_table_lookup (self->handlers, procfun_function_get_hash (function));
  position = self->functions->len;
  if (other == NULL)
    {
      add (self, function);
      g_hash_table_insert (self->handlers, (char *)procfun_function_get_hash (function), function);
    }
  g_mutex_unlock (&self->lock);
  if (other != NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
                   _ ("%s and %s have the same hash %s"), procfun_function_get_signature (function),
                   procfun_function_get_signature (other), procfun_function_get_hash (function));
      return NULL;
    }
  g_list_model_items_changed (G_LIST_MODEL (self), position, 0, 1);
  return function;
}

static ProcfunFunction *
register_handler (ProcfunRegistry *self, const char *name, const char *const *arg_names,
                  const GVariantType *args_type, const GVariantType *return_type,
                  ProcfunFunctionFlags flags, ProcfunHandler handler, gpointer user_data,
                  GDestroyNotify destroy, GError **error)
{
  g_autoptr (ProcfunFunction) function = procfun_function_new_for_handler (
      name, arg_names, args_type, return_type, flags, handler, user_data, destroy, error);

  if (function != NULL)
    return register_function (self, function, error);
  if (destroy != NULL)
    destroy (user_data);
  return NULL;
}

/**
 * procfun_registry_register:
 * @self: a #ProcfunRegistry
 * @name: the name of the function: an identifier of C
 * @arg_names: (array zero-terminated=1) (nullable): the names of its arguments: identifiers, each
 * different; %NULL for none
 * @args_type: the type of a tuple of its arguments
 * @return_type: the type of its result, `()` for none
 * @handler: (scope notified): what runs
 * @user_data: for @handler
 * @destroy: (nullable): called with @user_data when the function is no longer needed
 * @error: return location for a #GError
 *
 * Adds a function. For calls in a process of their own the program must also call
 * procfun_registry_serve().
 *
 * Fails with %PROCFUN_ERROR_INVALID when names or types are not valid, or when a function with the
 * same signature is registered here already. @user_data is then freed by @destroy, too.
 *
 * Returns: (transfer none): the function
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_registry_register (ProcfunRegistry *self, const char *name, const char *const *arg_names,
                           const GVariantType *args_type, const GVariantType *return_type,
                           ProcfunHandler handler, gpointer user_data, GDestroyNotify destroy,
                           GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL && args_type != NULL && return_type != NULL && handler != NULL,
                        NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return register_handler (self, name, arg_names, args_type, return_type, PROCFUN_FUNCTION_NONE,
                           handler, user_data, destroy, error);
}

/**
 * procfun_registry_register_generator:
 * @self: a #ProcfunRegistry
 * @name: the name of the function: an identifier of C
 * @arg_names: (array zero-terminated=1) (nullable): the names of its arguments: identifiers, each
 * different; %NULL for none
 * @args_type: the type of a tuple of its arguments
 * @item_type: the type of an item
 * @handler: (scope notified): what runs: it yields items with procfun_yield_item(), and returns an
 * empty tuple in the end
 * @user_data: for @handler
 * @destroy: (nullable): called with @user_data when the function is no longer needed
 * @error: return location for a #GError
 *
 * Adds a generator, of whose calls procfun_call_next() takes the items. Otherwise it is like
 * procfun_registry_register().
 *
 * Returns: (transfer none): the function
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_registry_register_generator (ProcfunRegistry *self, const char *name,
                                     const char *const *arg_names, const GVariantType *args_type,
                                     const GVariantType *item_type, ProcfunHandler handler,
                                     gpointer user_data, GDestroyNotify destroy, GError **error)
{
  g_return_val_if_fail (PROCFUN_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL && args_type != NULL && item_type != NULL && handler != NULL,
                        NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return register_handler (self, name, arg_names, args_type, item_type, PROCFUN_FUNCTION_GENERATOR,
                           handler, user_data, destroy, error);
}

/* Not a function of a macro with the same hash, which main() does not serve. */
ProcfunFunction *
procfun_registry_find_handler (ProcfunRegistry *self, const char *hash)
{
  ProcfunFunction *function;

  g_mutex_lock (&self->lock);
  function = g_hash_table_lookup (self->handlers, hash);
  g_mutex_unlock (&self->lock);
  return function;
}

static ProcfunFunction *
look_up (ProcfunRegistry *self, GHashTable *table, const char *key)
{
  ProcfunFunction *function;

  update (self);
  g_mutex_lock (&self->lock);
  function = g_hash_table_lookup (table, key);
  g_mutex_unlock (&self->lock);
  return function;
}

/**
 * procfun_registry_lookup:
 * @self: a #ProcfunRegistry
 * @hash: 16 hexadecimal digits
 *
 * Finds a function by its hash. Where several modules define the same one, this is the one that
 * came first.
 *
 * Returns: (transfer none) (nullable): the function, or %NULL
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_registry_lookup (ProcfunRegistry *self, const char *hash)
{
  g_return_val_if_fail (PROCFUN_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (hash != NULL, NULL);

  return look_up (self, self->by_hash, hash);
}

/**
 * procfun_registry_lookup_by_name:
 * @self: a #ProcfunRegistry
 * @name: the name of a function
 *
 * Finds a function by its name. Where several have it, this is the one that came first.
 *
 * Returns: (transfer none) (nullable): the function, or %NULL
 *
 * Since: 0.1
 */
ProcfunFunction *
procfun_registry_lookup_by_name (ProcfunRegistry *self, const char *name)
{
  g_return_val_if_fail (PROCFUN_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return look_up (self, self->by_name, name);
}
