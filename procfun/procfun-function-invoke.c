/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A function runs in this process: GVariants to C values, and back. */

#include "procfun/platform/intl.h"
#include "procfun/platform/stack.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-function-private.h"
#include "procfun/wire/type.h"

static STACK_BOUNDARY GVariant *
invoke_handler (ProcfunFunction *self, GVariant *args, GError **error)
{
  const GVariantType *type = procfun_function_is_generator (self)
                                 ? G_VARIANT_TYPE_UNIT
                                 : procfun_schema_get_variant_type (self->return_schema);
  GError *own_error = NULL;
  g_autoptr (GVariant) result = self->handler (args, self->user_data, &own_error);

  if (result != NULL)
    result = g_variant_take_ref (g_steal_pointer (&result));
  if (own_error != NULL)
    {
      g_propagate_error (error, own_error);
      return NULL;
    }
  /* Not even for (): an exception of another language arrives like this. */
  if (result == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                 _ ("%s() returned neither a result nor an error"), self->name);
  else if (!g_variant_is_of_type (result, type))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                 _ ("%s() returned “%s” instead of “%.*s”"), self->name,
                 g_variant_get_type_string (result), (int)g_variant_type_get_string_length (type),
                 g_variant_type_peek_string (type));
  else
    return g_steal_pointer (&result);
  return NULL;
}

/* The C values of the arguments, one after the other, each aligned for any type. */
#define ALIGNED(size) (((size) + 15) & ~(gsize)15)

static gsize
get_values_size (const ProcfunDefinition *definition)
{
  gsize size = ALIGNED (MAX (definition->result_size, 1));

  for (guint i = 0; i < definition->n_args; i++)
    size += ALIGNED (type_size (&definition->args[i]));
  return size;
}

static void
clear_values (const ProcfunDefinition *definition, gpointer *values, guint n)
{
  for (guint i = 0; i < n; i++)
    type_clear (&definition->args[i], values[i]);
}

static STACK_BOUNDARY GVariant *
invoke_thunk (ProcfunDefinition *definition, gpointer *values, gpointer result,
              GUnixFDList **result_fds, GError **error)
{
  GError *own_error = NULL;
  GVariant *variant;

  definition->thunk (values, result, &own_error);
  if (own_error
      != NULL) /* what was returned besides means nothing, and may be nothing that could be freed */
    {
      g_propagate_error (error, own_error);
      return NULL;
    }
  if ((definition->flags & PROCFUN_DEFINITION_GENERATOR) != 0)
    return g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  variant = type_to_variant (&definition->result, result, result_fds, error);
  if (variant != NULL)
    g_variant_ref_sink (variant);
  else
    g_prefix_error (error, _ ("the result of %s() cannot be sent: "), definition->name);
  type_clear (&definition->result, result);
  return variant;
}

static GVariant *
invoke_definition (ProcfunDefinition *definition, GVariant *args, GUnixFDList *fds,
                   GUnixFDList **result_fds, GError **error)
{
  g_autofree guint8 *room = g_malloc0 (get_values_size (definition));
  guint8 *at = room + ALIGNED (MAX (definition->result_size, 1));
  gpointer values[PROCFUN_MAX_ARGUMENTS];
  GVariant *result;
  guint n;

  type_init (&definition->result, room);
  for (n = 0; n < definition->n_args; n++)
    {
      g_autoptr (GVariant) arg = g_variant_get_child_value (args, n);

      values[n] = at;
      at += ALIGNED (type_size (&definition->args[n]));
      if (!type_from_variant (&definition->args[n], arg, fds, values[n], error))
        {
          g_prefix_error (error, _ ("%s() cannot be called with this: "), definition->name);
          clear_values (definition, values, n);
          return NULL;
        }
    }
  result = invoke_thunk (definition, values, room, result_fds, error);
  clear_values (definition, values, n);
  return result;
}

gboolean
procfun_function_is_boundary (gconstpointer start)
{
  return start == (gconstpointer)invoke_handler || start == (gconstpointer)invoke_thunk;
}

GVariant *
procfun_function_invoke (ProcfunFunction *self, GVariant *args, GUnixFDList *fds,
                         GUnixFDList **result_fds, GError **error)
{
  ProcfunDefinition *definition = g_atomic_pointer_get (&self->definition);

  if (self->handler != NULL)
    return invoke_handler (self, args, error);
  if (definition != NULL)
    return invoke_definition (definition, args, fds, result_fds, error);
  if (procfun_function_check_loaded (self, error))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("%s() cannot be called here: it is in another program"), self->name);
  return NULL;
}
