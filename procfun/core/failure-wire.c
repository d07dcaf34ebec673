/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A failure on its way from another machine. */

#include "procfun/core/failure.h"

#include "procfun/base/limits.h"
#include "procfun/base/usage.h"
#include <string.h>

/* Of any Linux; the name of a signal is kept for ever. */
#define SIGNUM_MAX 128

/* Rows: the fields that are numbers. */
#define INTS(ROW)                                                                                  \
  ROW (cause)                                                                                      \
  ROW (pid)                                                                                        \
  ROW (exit_code)                                                                                  \
  ROW (signum)                                                                                     \
  ROW (wait_signum)                                                                                \
  ROW (signal_code)                                                                                \
  ROW (sender)                                                                                     \
  ROW (system_call)                                                                                \
  ROW (is_foreign_call)                                                                            \
  ROW (has_address)                                                                                \
  ROW (access)                                                                                     \
  ROW (stack_overflow)                                                                             \
  ROW (thread_id)                                                                                  \
  ROW (refused_call)                                                                               \
  ROW (step)

enum
{
#define INT_INDEX(field) INT_##field,
  INTS (INT_INDEX)
#undef INT_INDEX
      N_INTS
};

enum
{
  TEXT_VERDICT,
  TEXT_THREAD_NAME,
  TEXT_ABORT_MESSAGE,
  TEXT_PLACE,
  N_TEXTS
};

static char **
get_text (ProcfunFailure *self, gsize i)
{
  char **const texts[] = { &self->verdict, &self->thread_name, &self->abort_message, &self->place };

  return texts[i];
}

static GVariant *
texts_to_wire (ProcfunFailure *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ams"));
  for (gsize i = 0; i < N_TEXTS; i++)
    {
      g_autofree char *valid
          = *get_text (self, i) != NULL ? g_utf8_make_valid (*get_text (self, i), -1) : NULL;

      g_variant_builder_add (&builder, "ms", valid);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
backtrace_to_wire (ProcfunFailure *self)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_STRING_ARRAY);
  for (gsize i = 0; self->backtrace != NULL && self->backtrace[i] != NULL; i++)
    {
      g_autofree char *valid = g_utf8_make_valid (self->backtrace[i], -1);

      g_variant_builder_add (&builder, "s", valid);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
bytes_to_wire (gconstpointer data, gsize size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

static GVariant *
tail_to_wire (GBytes *tail)
{
  gsize size = 0;
  gconstpointer data = tail != NULL ? g_bytes_get_data (tail, &size) : NULL;

  return bytes_to_wire (data, size);
}

GVariant *
failure_to_wire (ProcfunFailure *self)
{
  const ProcfunLimits no_limits = { 0 };
  gint32 ints[N_INTS];
  guint64 addresses[2];
  GVariant *parts[8];

  failure_complete (self);
#define INT_OUT(field) ints[INT_##field] = (gint32)self->field;
  INTS (INT_OUT)
#undef INT_OUT
  addresses[0] = self->fault_address;
  addresses[1] = self->program_counter;
  parts[0] = g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, ints, N_INTS, sizeof *ints);
  parts[1] = g_variant_new_fixed_array (G_VARIANT_TYPE_UINT64, addresses, 2, sizeof *addresses);
  parts[2] = texts_to_wire (self);
  parts[3] = backtrace_to_wire (self);
  parts[4] = tail_to_wire (self->stdout_tail);
  parts[5] = tail_to_wire (self->stderr_tail);
  parts[6] = limits_to_variant (self->limits != NULL ? self->limits : &no_limits);
  parts[7] = bytes_to_wire (self->usage, self->usage != NULL ? sizeof *self->usage : 0);
  return g_variant_new_tuple (parts, G_N_ELEMENTS (parts));
}

/* Reading */

static gconstpointer
get_array (GVariant *wire, gsize i, gsize element_size, gsize n, GVariant **holder)
{
  gsize n_there = 0;
  gconstpointer array;

  *holder = g_variant_get_child_value (wire, i);
  array = g_variant_get_fixed_array (*holder, &n_there, element_size);
  return n_there == n ? array : NULL;
}

static gboolean
read_numbers (ProcfunFailure *self, GVariant *wire)
{
  g_autoptr (GVariant) int_holder = NULL;
  g_autoptr (GVariant) address_holder = NULL;
  const gint32 *ints = get_array (wire, 0, sizeof *ints, N_INTS, &int_holder);
  const guint64 *addresses = get_array (wire, 1, sizeof *addresses, 2, &address_holder);

  if (ints == NULL || addresses == NULL || ints[INT_cause] < 0
      || ints[INT_cause] >= FAILURE_N_CAUSES || ints[INT_step] < 0
      || ints[INT_step] > PROCFUN_STEP_KILL || ints[INT_access] < 0
      || ints[INT_access] > FAULT_EXECUTE || ints[INT_signum] < 0 || ints[INT_signum] > SIGNUM_MAX)
    return FALSE;
#define INT_IN(field) self->field = (__typeof__ (self->field))ints[INT_##field];
  INTS (INT_IN)
#undef INT_IN
  self->fault_address = addresses[0];
  self->program_counter = addresses[1];
  return TRUE;
}

static void
read_texts (ProcfunFailure *self, GVariant *wire)
{
  g_autoptr (GVariant) texts = g_variant_get_child_value (wire, 2);
  g_autoptr (GVariant) backtrace = g_variant_get_child_value (wire, 3);

  for (gsize i = 0; i < MIN (g_variant_n_children (texts), (gsize)N_TEXTS); i++)
    g_variant_get_child (texts, i, "ms", get_text (self, i));
  if (g_variant_n_children (backtrace) > 0)
    self->backtrace = g_variant_dup_strv (backtrace, NULL);
}

static GBytes *
read_tail (GVariant *wire, gsize i)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (wire, i);

  return g_variant_get_size (bytes) > 0 ? g_variant_get_data_as_bytes (bytes) : NULL;
}

ProcfunFailure *
failure_from_wire (GVariant *wire, const char *function_name)
{
  g_autoptr (ProcfunFailure) self = procfun_failure_new (PROCFUN_CAUSE_ERROR, function_name);
  g_autoptr (GVariant) limits = g_variant_get_child_value (wire, 6);
  g_autoptr (GVariant) usage_holder = NULL;
  const ProcfunUsage *usage;

  if (!read_numbers (self, wire))
    return NULL;
  read_texts (self, wire);
  self->stdout_tail = read_tail (wire, 4);
  self->stderr_tail = read_tail (wire, 5);
  if (g_variant_n_children (limits) > 0)
    self->limits = limits_from_variant (limits);
  usage = get_array (wire, 7, 1, sizeof *usage, &usage_holder);
  if (usage != NULL)
    {
      ProcfunUsage aligned;

      memcpy (&aligned, usage, sizeof aligned);
      self->usage = procfun_usage_copy (&aligned);
    }
  return g_steal_pointer (&self);
}
