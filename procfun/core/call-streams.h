/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call.h"
#include "procfun/procfun-definition.h"

G_BEGIN_DECLS

/* Streams among the arguments of a call. One without a descriptor is pumped through a pipe while
 * the call runs. */

/* C values of the arguments, with a pipe in place of each such stream. */
typedef struct
{
  gconstpointer values[PROCFUN_MAX_ARGUMENTS];
  GInputStream *streams[PROCFUN_MAX_ARGUMENTS]; /* (nullable) (owned) */
  GPtrArray *pumps;                             /* (nullable) (owned) */
} PipedValues;

gboolean piped_values_init (PipedValues *self, const ProcfunMember *args, gsize n_args,
                            gconstpointer const *values, GError **error);
void piped_values_clear (PipedValues *self);

/* Takes the pumps. */
void call_take_pumps (ProcfunCall *self, PipedValues *values);

void call_start_pumps (ProcfunCall *self);
void call_end_pumps (ProcfunCall *self);

/* For an executor that cannot end the function. */
void call_cut_pumps_at_failure (ProcfunCall *self);

/* A stream that has failed is the reason of the failure, and a result that was made of a part of it
 * does not count. Takes @result. */
GVariant *call_check_pumps (ProcfunCall *self, GVariant *result, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PipedValues, piped_values_clear)

G_END_DECLS
