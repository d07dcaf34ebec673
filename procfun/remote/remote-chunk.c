/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/remote-chunk.h"

#include "procfun/core/failure.h"
#include "procfun/core/function.h"
#include "procfun/values/serialised.h"
#include <string.h>

/* The results are an array; errors follow at the next multiple of 8: number of the element, and
 * what remote_end_pack() makes. */
#define ERRORS_TYPE G_VARIANT_TYPE ("a(tay)")
#define ALIGNED(size) (((size) + 7) & ~(gsize)7)

/* Packing */

static GVariant *
pack_error (const ChunkError *failed)
{
  ProcfunFailure *failure = procfun_error_get_failure (failed->error);
  g_autoptr (GBytes) packed = remote_end_pack (failed->error, failure);
  GVariant *parts[2];

  parts[0] = g_variant_new_uint64 (failed->at);
  parts[1] = g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, packed, TRUE);
  return g_variant_new_tuple (parts, 2);
}

static GVariant *
pack_errors (GArray *errors)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, ERRORS_TYPE);
  for (guint i = 0; i < errors->len; i++)
    g_variant_builder_add_value (&builder, pack_error (&g_array_index (errors, ChunkError, i)));
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

GBytes *
remote_chunk_pack (GVariant *results, GArray *errors, RemoteChunkHead *head)
{
  const gsize size = g_variant_get_size (results);
  g_autoptr (GVariant) packed = NULL;
  guint8 *data;

  head->results_size = size;
  if (errors->len == 0)
    return g_variant_get_data_as_bytes (results);
  packed = pack_errors (errors);
  data = g_malloc0 (ALIGNED (size) + g_variant_get_size (packed));
  g_variant_store (results, data);
  g_variant_store (packed, data + ALIGNED (size));
  return g_bytes_new_take (data, ALIGNED (size) + g_variant_get_size (packed));
}

/* Unpacking */

/* (nullable): it has not exactly @n elements, or is not in normal form */
static GVariant *
read_array (ProcfunSchema *element, GBytes *bytes, guint64 n)
{
  g_autoptr (ProcfunSchema) schema = procfun_schema_new_array (element);
  g_autoptr (GVariant) array = NULL;
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (!wire_serialised_is_normal (schema, data, size))
    return NULL;
  array = g_variant_ref_sink (g_variant_new_from_bytes (schema->type, bytes, TRUE));
  return g_variant_n_children (array) == n ? g_steal_pointer (&array) : NULL;
}

static void
add_error (CallChunk *chunk, gsize at, GBytes *bytes, ProcfunFunction *function, const char *host)
{
  ProcfunFailure *failure;
  GError *error = remote_end_unpack (bytes, procfun_function_get_name (function), &failure);

  if (failure != NULL)
    {
      failure->host = host;
      if (error->domain == PROCFUN_ERROR)
        failure_attach (failure, error);
      procfun_failure_unref (failure);
    }
  chunk_errors_add (chunk->errors, at, error);
}

/* Each error is of an element behind those before. */
static gboolean
read_errors (GBytes *bytes, guint64 n_gone, ProcfunFunction *function, const char *host,
             CallChunk *chunk)
{
  g_autoptr (GVariant) all
      = g_variant_ref_sink (g_variant_new_from_bytes (ERRORS_TYPE, bytes, FALSE));
  guint64 next = 0;

  if (!g_variant_is_normal_form (all))
    return FALSE;
  for (gsize i = 0; i < g_variant_n_children (all); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (all, i);
      g_autoptr (GVariant) packed = g_variant_get_child_value (child, 1);
      g_autoptr (GBytes) error = g_variant_get_data_as_bytes (packed);
      guint64 at;

      g_variant_get_child (child, 0, "t", &at);
      if (at < next || at >= n_gone)
        return FALSE;
      next = at + 1;
      add_error (chunk, at, error, function, host);
    }
  return TRUE;
}

gboolean
remote_chunk_unpack (GBytes *payload, const RemoteChunkHead *head, ProcfunFunction *function,
                     const char *host, CallChunk *chunk)
{
  const gsize size = g_bytes_get_size (payload);
  const gsize end = MIN (ALIGNED (head->results_size), size);
  g_autoptr (GBytes) results = NULL;
  g_autoptr (GBytes) errors = NULL;

  if (head->n_gone == 0 || head->n_gone > chunk->n || head->results_size > size)
    return FALSE;
  results = g_bytes_new_from_bytes (payload, 0, head->results_size);
  errors = g_bytes_new_from_bytes (payload, end, size - end);
  if (!read_errors (errors, head->n_gone, function, host, chunk))
    return FALSE;
  chunk->n_gone = head->n_gone;
  chunk->duration = MAX (head->duration, 0);
  chunk->results = read_array (procfun_function_get_return_schema (function), results,
                               head->n_gone - chunk->errors->len);
  return chunk->results != NULL;
}

GVariant *
remote_chunk_read_args (GBytes *payload, guint64 n, ProcfunFunction *function)
{
  return read_array (procfun_function_get_arguments_schema (function), payload, n);
}
