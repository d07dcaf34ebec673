/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Running a function in this process: GVariants to C values, and back. */

#include "procfun/base/intl.h"
#include "procfun/core/function.h"
#include "procfun/core/stream-spool.h"
#include "procfun/platform/stack.h"
#include "procfun/procfun-error.h"
#include "procfun/values/serialised.h"
#include "procfun/values/type-packed.h"
#include "procfun/values/type.h"
#include <gio/gfiledescriptorbased.h>
#include <string.h>

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
  /* NULL fails for type () as well: an exception of another language arrives like this. */
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

/* C values of the arguments, one after the other, each aligned for any type. */
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

/* A stream without a descriptor is read here: nobody else could, when this process is gone. */
static gboolean
make_sendable (const ProcfunMember *member, gpointer result, GError **error)
{
  GInputStream **stream = result;
  GInputStream *file;

  if (member->kind != PROCFUN_KIND_INPUT_STREAM || *stream == NULL
      || G_IS_FILE_DESCRIPTOR_BASED (*stream))
    return TRUE;
  file = stream_spool (*stream, error);
  if (file == NULL)
    return FALSE;
  g_object_unref (*stream);
  *stream = file;
  return TRUE;
}

static STACK_BOUNDARY GVariant *
invoke_thunk (ProcfunDefinition *definition, gpointer *values, gpointer result,
              GUnixFDList **result_fds, GError **error)
{
  GError *own_error = NULL;
  GVariant *variant;

  definition->thunk (values, result, &own_error);
  if (own_error != NULL) /* a result beside an error is not valid, and cannot be freed */
    {
      g_propagate_error (error, own_error);
      return NULL;
    }
  if ((definition->flags & PROCFUN_DEFINITION_GENERATOR) != 0)
    return g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
  variant = make_sendable (&definition->result, result, error)
                ? type_to_variant (&definition->result, result, result_fds, error)
                : NULL;
  if (variant != NULL)
    g_variant_ref_sink (variant);
  else
    g_prefix_error (error, _ ("the result of %s() cannot be sent: "), definition->name);
  type_clear (&definition->result, result);
  return variant;
}

/* Contents that the function has written go with the result. Takes @result. */
static GVariant *
add_buffers (const ProcfunDefinition *definition, gpointer *values, GVariant *result)
{
  GVariant *children[PROCFUN_MAX_ARGUMENTS + 1];
  GVariant *all;
  gsize n = 0;

  if (definition->result.kind != PROCFUN_KIND_VOID)
    children[n++] = result;
  for (guint i = 0; i < definition->n_args; i++)
    if (definition->args[i].kind == PROCFUN_KIND_BUFFER)
      children[n++] = type_to_variant (&definition->args[i], values[i], NULL, NULL);
  all = g_variant_ref_sink (g_variant_new_tuple (children, n));
  g_variant_unref (result);
  return all;
}

static GVariant *
invoke_definition (ProcfunDefinition *definition, guint n_buffers, GVariant *args, GUnixFDList *fds,
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
  if (result != NULL && n_buffers > 0)
    result = add_buffers (definition, values, result);
  clear_values (definition, values, n);
  return result;
}

/* Repeated calls with packed values */

struct _PackedInvocation
{
  ProcfunFunction *function;
  ProcfunDefinition *definition;
  gpointer values[PROCFUN_MAX_ARGUMENTS];  /* (borrowed): the arguments in @room */
  guint8 room[] __attribute__ ((aligned)); /* C values, that of the result first */
};

PackedInvocation *
packed_invocation_new (ProcfunFunction *function)
{
  ProcfunDefinition *definition = g_atomic_pointer_get (&function->definition);
  PackedInvocation *self;
  guint8 *at;

  if (definition == NULL || (definition->flags & PROCFUN_DEFINITION_GENERATOR) != 0
      || !function->packs_args || !function->packs_result)
    return NULL;
  self = g_malloc0 (sizeof *self + get_values_size (definition));
  self->function = function;
  self->definition = definition;
  at = self->room + ALIGNED (MAX (definition->result_size, 1));
  for (guint i = 0; i < definition->n_args; i++)
    {
      self->values[i] = at;
      at += ALIGNED (type_size (&definition->args[i]));
    }
  return self;
}

/* Values are kept only between preparing and running. */
void
packed_invocation_free (PackedInvocation *self)
{
  clear_values (self->definition, self->values, self->definition->n_args);
  g_free (self);
}

static STACK_BOUNDARY gboolean
invoke_packed_thunk (PackedInvocation *self, GError **error)
{
  GError *own_error = NULL;

  self->definition->thunk (self->values, self->room, &own_error);
  if (own_error == NULL)
    return TRUE;
  g_propagate_error (error, own_error);
  return FALSE;
}

gboolean
packed_invocation_prepare (PackedInvocation *self, const guint8 *args, gsize size, GBytes *owner)
{
  const ProcfunFunction *function = self->function;

  if (function->plain_args == NULL)
    return type_unpack_arguments (self->definition->args, function->args_schema, args, size, owner,
                                  self->values);
  return wire_serialised_is_normal (function->args_schema, args, size)
         && type_plain_unpack (function->plain_args, args, self->values);
}

/* A value that cannot be packed is refused there, in words. */
static gboolean
pack_result (PackedInvocation *self, Buffer *out, GVariant **value, GError **error)
{
  const gsize length = out->length;

  if (type_pack (&self->definition->result, self->function->return_schema, self->room, out))
    return TRUE;
  out->length = length;
  *value = type_to_variant (&self->definition->result, self->room, NULL, error);
  if (*value == NULL)
    g_prefix_error (error, _ ("the result of %s() cannot be sent: "), self->definition->name);
  else
    g_variant_ref_sink (*value);
  return *value != NULL;
}

gboolean
packed_invocation_run (PackedInvocation *self, Buffer *out, GVariant **value, GError **error)
{
  gboolean ok;

  type_init (&self->definition->result, self->room);
  ok = invoke_packed_thunk (self, error);
  if (ok) /* a result beside an error is not valid, and cannot be freed */
    {
      ok = pack_result (self, out, value, error);
      type_clear (&self->definition->result, self->room);
    }
  if (self->function->plain_args == NULL)
    clear_values (self->definition, self->values, self->definition->n_args);
  return ok;
}

gboolean
packed_invocation_is_plain (PackedInvocation *self)
{
  return self->function->plain_args != NULL && self->function->plain_result != NULL;
}

/* Arguments that cannot be unpacked fail in there as well. */
static gboolean
fail_to_unpack (PackedInvocation *self, const guint8 *args, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (args, self->function->plain_args->size);
  g_autoptr (GVariant) tuple = g_variant_ref_sink (
      g_variant_new_from_bytes (procfun_function_get_arguments_type (self->function), bytes, TRUE));
  GVariant *result = procfun_function_invoke (self->function, tuple, NULL, NULL, error);

  g_clear_pointer (&result, g_variant_unref);
  return FALSE;
}

gboolean
packed_invocation_run_plain (PackedInvocation *self, const guint8 *args, guint8 *result,
                             GError **error)
{
  const TypePlain *plain_result = self->function->plain_result;
  gconstpointer value = self->room;

  if (!type_plain_unpack (self->function->plain_args, args, self->values))
    return fail_to_unpack (self, args, error);
  if (!invoke_packed_thunk (self, error))
    return FALSE;
  memset (result, 0, plain_result->size);
  type_plain_pack (plain_result, &value, result);
  return TRUE;
}

gboolean
procfun_function_is_boundary (gconstpointer start)
{
  return start == (gconstpointer)invoke_handler || start == (gconstpointer)invoke_thunk
         || start == (gconstpointer)invoke_packed_thunk;
}

GVariant *
procfun_function_invoke (ProcfunFunction *self, GVariant *args, GUnixFDList *fds,
                         GUnixFDList **result_fds, GError **error)
{
  ProcfunDefinition *definition = g_atomic_pointer_get (&self->definition);

  if (self->handler != NULL)
    return invoke_handler (self, args, error);
  if (definition != NULL)
    return invoke_definition (definition, self->n_buffers, args, fds, result_fds, error);
  if (procfun_function_check_loaded (self, error))
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_NOT_FOUND,
                 _ ("%s() cannot be called here: it is in another program"), self->name);
  return NULL;
}
