/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/thunk.h"

#include "procfun/values/type.h"

/* Values on the other side: bytes and a type. */
static GVariant *
transmit (GVariant *variant, ProcfunSchema *schema)
{
  g_autoptr (GVariant) sent = g_variant_ref_sink (variant);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (sent);
  const GVariantType *type = procfun_schema_get_variant_type (schema);
  GVariant *received = g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, FALSE));

  g_assert_true (g_variant_is_of_type (sent, type));
  g_assert_true (g_variant_is_normal_form (received));
  return received;
}

static gboolean
call_thunk (const ProcfunDefinition *self, gpointer *args, gpointer result, GError **error)
{
  GError *local_error = NULL;

  self->thunk (args, result, &local_error);
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}

/* The callee's side. */
static GVariant *
serve (const ProcfunDefinition *self, GVariant *variant, GUnixFDList *fds, GUnixFDList **result_fds,
       GError **error)
{
  gpointer *args = g_new0 (gpointer, self->n_args + 1);
  gpointer result = g_malloc0 (MAX (self->result_size, 1));
  GVariant *answer = NULL;

  for (gsize i = 0; i < self->n_args; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);

      args[i] = g_malloc (type_size (&self->args[i]));
      g_assert_true (type_from_variant (&self->args[i], child, fds, args[i], NULL));
    }
  if (call_thunk (self, args, result, error))
    answer = type_to_variant (&self->result, result, result_fds, error);
  type_clear (&self->result, result);
  for (gsize i = 0; i < self->n_args; i++)
    {
      type_clear (&self->args[i], args[i]);
      g_free (args[i]);
    }
  g_free (args);
  g_free (result);
  return answer;
}

gboolean
thunk_call (const ProcfunDefinition *self, gconstpointer const *values, gpointer result,
            GError **error)
{
  g_autoptr (ProcfunSchema) schema = type_schema_arguments (self->args, self->n_args);
  g_autoptr (ProcfunSchema) result_schema = type_schema (&self->result);
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GUnixFDList) result_fds = NULL;
  g_autoptr (GVariant) sent = NULL;
  g_autoptr (GVariant) received = NULL;

  type_init (&self->result, result);
  sent = type_arguments_to_variant (self->args, self->n_args, values, &fds, error);
  if (sent == NULL)
    return FALSE;
  sent = transmit (sent, schema);

  received = serve (self, sent, fds, &result_fds, error);
  if (received == NULL)
    return FALSE;
  received = transmit (received, result_schema);
  return type_from_variant (&self->result, received, result_fds, result, error);
}
