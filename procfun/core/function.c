/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/function.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include "procfun/values/type-packed.h"
#include "procfun/values/type.h"

/**
 * SECTION:procfun-function
 * @title: ProcfunFunction
 * @short_description: the description of a function
 *
 * The description of a function. Immutable.
 */

/**
 * ProcfunFunction:
 *
 * The description of a function. Immutable.
 *
 * Description of a function that can be called in a process of its own: its name, the
 * names and types of its arguments, the type of its result, and the hash that a child finds it by.
 *
 * The hash is the first 16 hexadecimal digits of the SHA-256 of the signature, which is the name,
 * the GVariant types of the arguments in parentheses, and the type of the result:
 * `distance((dd)(dd))d`. The result of a void function is `()`, and after what a
 * [generator][procfun-Generators] yields stands an asterisk: `lines(s)s*`.
 *
 * Since: 0.1
 */
G_DEFINE_FINAL_TYPE (ProcfunFunction, procfun_function, G_TYPE_OBJECT)

G_DEFINE_FLAGS_TYPE (ProcfunFunctionFlags, procfun_function_flags,
                     G_DEFINE_ENUM_VALUE (PROCFUN_FUNCTION_WITH_ERROR, "with-error"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_FUNCTION_RUN_TIME, "run-time"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_FUNCTION_GENERATOR, "generator"),
                     G_DEFINE_ENUM_VALUE (PROCFUN_FUNCTION_IDEMPOTENT, "idempotent"))

enum
{
  PROP_NAME = 1,
  PROP_HASH,
  PROP_SIGNATURE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void
procfun_function_finalize (GObject *object)
{
  ProcfunFunction *self = PROCFUN_FUNCTION (object);

  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self->name);
  g_free (self->signature);
  g_free (self->hash);
  g_free (self->plain_args);
  g_free (self->plain_result);
  g_clear_pointer (&self->args_schema, procfun_schema_unref);
  g_clear_pointer (&self->return_schema, procfun_schema_unref);
  g_clear_pointer (&self->module, module_free);

  G_OBJECT_CLASS (procfun_function_parent_class)->finalize (object);
}

static void
procfun_function_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  ProcfunFunction *self = PROCFUN_FUNCTION (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_HASH:
      g_value_set_string (value, self->hash);
      break;
    case PROP_SIGNATURE:
      g_value_set_string (value, self->signature);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
procfun_function_class_init (ProcfunFunctionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = procfun_function_finalize;
  object_class->get_property = procfun_function_get_property;

  /**
   * ProcfunFunction:name:
   *
   * The name in C.
   *
   * Since: 0.1
   */
  props[PROP_NAME]
      = g_param_spec_string ("name", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * ProcfunFunction:hash:
   *
   * The 16 hexadecimal digits that a child finds the function by.
   *
   * Since: 0.1
   */
  props[PROP_HASH]
      = g_param_spec_string ("hash", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * ProcfunFunction:signature:
   *
   * Name and types, like `distance((dd)(dd))d`.
   *
   * Since: 0.1
   */
  props[PROP_SIGNATURE] = g_param_spec_string ("signature", NULL, NULL, NULL,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
procfun_function_init (ProcfunFunction *self)
{
}

static ProcfunFunction *
function_new (const char *name, ProcfunSchema *args, ProcfunSchema *result,
              ProcfunFunctionFlags flags)
{
  ProcfunFunction *self = g_object_new (PROCFUN_TYPE_FUNCTION, NULL);
  const GVariantType *args_type = procfun_schema_get_variant_type (args);
  const GVariantType *return_type = procfun_schema_get_variant_type (result);

  self->name = g_strdup (name);
  self->flags = flags;
  self->idempotent = (flags & PROCFUN_FUNCTION_IDEMPOTENT) != 0;
  self->args_schema = args;
  self->return_schema = result;
  self->signature = g_strdup_printf (
      "%s%.*s%.*s%s", name, (int)g_variant_type_get_string_length (args_type),
      g_variant_type_peek_string (args_type), (int)g_variant_type_get_string_length (return_type),
      g_variant_type_peek_string (return_type), procfun_function_is_generator (self) ? "*" : "");
  self->hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->signature, -1);
  self->hash[16] = '\0';
  self->hash_number = g_ascii_strtoull (self->hash, NULL, 16);
  return self;
}

ProcfunFunction *
procfun_function_new_for_definition (ProcfunDefinition *definition)
{
  ProcfunFunctionFlags flags = PROCFUN_FUNCTION_NONE;
  ProcfunFunction *self;

  if ((definition->flags & PROCFUN_DEFINITION_WITH_ERROR) != 0)
    flags |= PROCFUN_FUNCTION_WITH_ERROR;
  if ((definition->flags & PROCFUN_DEFINITION_GENERATOR) != 0)
    flags |= PROCFUN_FUNCTION_GENERATOR;
  if ((definition->flags & PROCFUN_DEFINITION_IDEMPOTENT) != 0)
    flags |= PROCFUN_FUNCTION_IDEMPOTENT;
  self = function_new (
      definition->name, type_schema_arguments (definition->args, definition->n_args),
      type_schema_result (&definition->result, definition->args, definition->n_args), flags);
  self->sandbox = definition->flags >> PROCFUN_DEFINITION_SANDBOX_SHIFT;
  self->definition = definition;
  self->takes_streams
      = type_count_kind (definition->args, definition->n_args, PROCFUN_KIND_INPUT_STREAM) > 0;
  self->n_buffers
      = (guint)type_count_kind (definition->args, definition->n_args, PROCFUN_KIND_BUFFER);
  self->plain_args = type_plain_new_tuple (definition->args, definition->n_args);
  self->plain_result = self->n_buffers == 0 ? type_plain_new (&definition->result) : NULL;
  self->packs_args = type_are_packable (definition->args, definition->n_args);
  self->packs_result = self->n_buffers == 0 && type_is_packable (&definition->result);
  self->is_plain = self->packs_args && self->packs_result && !procfun_function_is_generator (self);
  self->module = module_new_for_address (definition->module);
  return self;
}

static gboolean
is_identifier (const char *name)
{
  if (!g_ascii_isalpha (name[0]) && name[0] != '_')
    return FALSE;
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && *c != '_')
      return FALSE;
  return TRUE;
}

static ProcfunSchema *
named_schema (const char *const *names, const GVariantType *type)
{
  g_autoptr (GPtrArray) children
      = g_ptr_array_new_with_free_func ((GDestroyNotify)procfun_schema_unref);

  for (const GVariantType *item = g_variant_type_first (type); item != NULL;
       item = g_variant_type_next (item))
    g_ptr_array_add (children, procfun_schema_new (item));
  return procfun_schema_new_named (PROCFUN_SCHEMA_ARGUMENTS, children->len, names,
                                   (ProcfunSchema *const *)children->pdata);
}

static gboolean
check_description (const char *name, const char *const *arg_names, const GVariantType *args_type,
                   const GVariantType *return_type, GError **error)
{
  const char *problem = NULL;

  if (!is_identifier (name))
    problem = N_ ("its name is no identifier");
  else if (!g_variant_type_is_tuple (args_type) || !g_variant_type_is_definite (args_type))
    problem = N_ ("the type of its arguments is no definite tuple");
  else if (!g_variant_type_is_definite (return_type))
    problem = N_ ("the type of its result is not definite");
  else if (g_strv_length ((char **)arg_names) != g_variant_type_n_items (args_type))
    problem = N_ ("there are not as many names as types of arguments");
  for (gsize i = 0; problem == NULL && arg_names[i] != NULL; i++)
    if (!is_identifier (arg_names[i]) || g_strv_contains (arg_names + i + 1, arg_names[i]))
      problem = N_ ("a name of an argument is no identifier, or is there twice");
  if (problem == NULL)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID,
               _ ("the function “%s” cannot be registered: %s"), name, _ (problem));
  return FALSE;
}

ProcfunFunction *
procfun_function_new_for_handler (const char *name, const char *const *arg_names,
                                  const GVariantType *args_type, const GVariantType *return_type,
                                  ProcfunFunctionFlags flags, ProcfunHandler handler,
                                  gpointer user_data, GDestroyNotify destroy, GError **error)
{
  static const char *const no_names[] = { NULL };
  ProcfunFunction *self;

  if (arg_names == NULL)
    arg_names = no_names;
  if (!check_description (name, arg_names, args_type, return_type, error))
    return NULL;
  self = function_new (name, named_schema (arg_names, args_type), procfun_schema_new (return_type),
                       flags | PROCFUN_FUNCTION_WITH_ERROR | PROCFUN_FUNCTION_RUN_TIME);
  self->handler = handler;
  self->user_data = user_data;
  self->destroy = destroy;
  return self;
}

ProcfunFunction *
procfun_function_new_for_module (const char *name, ProcfunSchema *args, ProcfunSchema *result,
                                 ProcfunFunctionFlags flags, Module *module)
{
  ProcfunFunction *self
      = function_new (name, procfun_schema_ref (args), procfun_schema_ref (result), flags);

  self->module = module;
  return self;
}

void
procfun_function_unload (ProcfunFunction *self)
{
  g_atomic_pointer_set (&self->definition, NULL);
  g_atomic_int_or (&self->state, FUNCTION_UNLOADED);
}

gboolean
procfun_function_check_loaded (ProcfunFunction *self, GError **error)
{
  if ((g_atomic_int_get (&self->state) & FUNCTION_UNLOADED) == 0)
    return TRUE;
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
               _ ("%s() cannot be called: the library that defines it was unloaded"), self->name);
  return FALSE;
}

gboolean
procfun_function_is_generator (ProcfunFunction *self)
{
  return (self->flags & PROCFUN_FUNCTION_GENERATOR) != 0;
}

void
procfun_function_set_ambiguous (ProcfunFunction *self)
{
  g_atomic_int_or (&self->state, FUNCTION_AMBIGUOUS);
}

gboolean
procfun_function_is_ambiguous (ProcfunFunction *self)
{
  return (g_atomic_int_get (&self->state) & FUNCTION_AMBIGUOUS) != 0;
}

/**
 * procfun_function_get_name:
 * @self: a #ProcfunFunction
 *
 * Gets the name of the function, as in C.
 *
 * Returns: (transfer none): the name
 *
 * Since: 0.1
 */
const char *
procfun_function_get_name (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->name;
}

/**
 * procfun_function_get_hash:
 * @self: a #ProcfunFunction
 *
 * Gets what a child finds the function by: the beginning of the SHA-256 of its signature.
 *
 * Returns: (transfer none): 16 hexadecimal digits
 *
 * Since: 0.1
 */
const char *
procfun_function_get_hash (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->hash;
}

/**
 * procfun_function_get_signature:
 * @self: a #ProcfunFunction
 *
 * Gets the name with the GVariant types of arguments and result, like `distance((dd)(dd))d`.
 *
 * Returns: (transfer none): the signature
 *
 * Since: 0.1
 */
const char *
procfun_function_get_signature (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->signature;
}

/**
 * procfun_function_get_module:
 * @self: a #ProcfunFunction
 *
 * Gets the file of the shared library that defines the function. Such a function is run by the
 * helper program `procfun-worker`, which loads that library alone.
 *
 * Returns: (transfer none) (nullable) (type filename): an absolute path, or %NULL for a function of
 * the program itself
 *
 * Since: 0.1
 */
const char *
procfun_function_get_module (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->module != NULL ? self->module->path : NULL;
}

/**
 * procfun_function_get_flags:
 * @self: a #ProcfunFunction
 *
 * Gets what is known about the function besides its types.
 *
 * Returns: the flags
 *
 * Since: 0.1
 */
ProcfunFunctionFlags
procfun_function_get_flags (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), PROCFUN_FUNCTION_NONE);
  return (self->flags & ~PROCFUN_FUNCTION_IDEMPOTENT)
         | (g_atomic_int_get (&self->idempotent) ? PROCFUN_FUNCTION_IDEMPOTENT : 0);
}

/**
 * procfun_function_set_idempotent:
 * @self: a #ProcfunFunction
 * @idempotent: whether it is
 *
 * Says that running the function twice does no more than running it once, so that a #ProcfunPool
 * may run a call again that was lost with its process. What is defined by a macro can say so there,
 * see PROCFUN_DEFINE_IDEMPOTENT_FUNCTION(); this is for functions that are registered at run time.
 *
 * Since: 0.1
 */
void
procfun_function_set_idempotent (ProcfunFunction *self, gboolean idempotent)
{
  g_return_if_fail (PROCFUN_IS_FUNCTION (self));

  g_atomic_int_set (&self->idempotent, idempotent);
}

/**
 * procfun_function_set_sandbox:
 * @self: a #ProcfunFunction
 * @sandbox: the least sandbox of its calls
 *
 * Says that the function is to run in a sandbox of this level at least, whatever its call or
 * executor says, and that it must be whole. What is defined by a macro can say so there, see
 * PROCFUN_DEFINE_SANDBOXED_FUNCTION(), and then its process checks it, too; this is for generators
 * and for functions that are registered at run time. It is said before the function is called.
 *
 * Since: 0.1
 */
void
procfun_function_set_sandbox (ProcfunFunction *self, ProcfunSandbox sandbox)
{
  g_return_if_fail (PROCFUN_IS_FUNCTION (self));
  g_return_if_fail (sandbox <= PROCFUN_SANDBOX_PURE_COMPUTE);

  g_atomic_int_set (&self->sandbox, (gint)sandbox);
}

/**
 * procfun_function_get_sandbox:
 * @self: a #ProcfunFunction
 *
 * Gets the least sandbox of calls of the function, as its definition or
 * procfun_function_set_sandbox() says.
 *
 * Returns: a level
 *
 * Since: 0.1
 */
ProcfunSandbox
procfun_function_get_sandbox (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), PROCFUN_SANDBOX_NONE);

  return function_get_sandbox (self);
}

/**
 * procfun_function_get_n_arguments:
 * @self: a #ProcfunFunction
 *
 * Gets the number of arguments. The error of a function that can fail is none of them.
 *
 * Returns: 0 to 12, or more for a function that was registered at run time
 *
 * Since: 0.1
 */
guint
procfun_function_get_n_arguments (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), 0);
  return procfun_schema_get_n_children (self->args_schema);
}

/**
 * procfun_function_get_argument_name:
 * @self: a #ProcfunFunction
 * @index: the position of the argument, from 0 on
 *
 * Gets the name of an argument.
 *
 * Returns: (transfer none): the name, as in C
 *
 * Since: 0.1
 */
const char *
procfun_function_get_argument_name (ProcfunFunction *self, guint index)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  g_return_val_if_fail (index < procfun_function_get_n_arguments (self), NULL);
  return procfun_schema_get_child_name (self->args_schema, index);
}

/**
 * procfun_function_get_arguments_type:
 * @self: a #ProcfunFunction
 *
 * Gets the type of all arguments together.
 *
 * Returns: (transfer none): the type of a tuple
 *
 * Since: 0.1
 */
const GVariantType *
procfun_function_get_arguments_type (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return procfun_schema_get_variant_type (self->args_schema);
}

/**
 * procfun_function_get_return_type:
 * @self: a #ProcfunFunction
 *
 * Gets the type of the result.
 *
 * Returns: (transfer none): the type, `()` for a void function
 *
 * Since: 0.1
 */
const GVariantType *
procfun_function_get_return_type (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return procfun_schema_get_variant_type (self->return_schema);
}

/**
 * procfun_function_get_arguments_schema:
 * @self: a #ProcfunFunction
 *
 * Gets the type of all arguments together, with their names and those of what they contain.
 *
 * Returns: (transfer none): the schema of a tuple
 *
 * Since: 0.1
 */
ProcfunSchema *
procfun_function_get_arguments_schema (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->args_schema;
}

/**
 * procfun_function_get_return_schema:
 * @self: a #ProcfunFunction
 *
 * Gets the type of the result, with the names of what it contains.
 *
 * Returns: (transfer none): the schema
 *
 * Since: 0.1
 */
ProcfunSchema *
procfun_function_get_return_schema (ProcfunFunction *self)
{
  g_return_val_if_fail (PROCFUN_IS_FUNCTION (self), NULL);
  return self->return_schema;
}
