/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-limits.h"

G_BEGIN_DECLS

/* 0: no limit. Times in µs, sizes in bytes. */
struct _ProcfunLimits
{
  guint64 memory;
  guint64 cpu_time;
  guint64 open_files;
  guint64 file_size;
  guint64 processes;
  guint64 result_size;
  guint64 output_size;
};

/* Wire form: a{st} with the limits that are set. Floating. */
GVariant *limits_to_variant (const ProcfunLimits *self);

/* (nullable): NULL if limits_to_variant() cannot have made @variant. */
ProcfunLimits *limits_from_variant (GVariant *variant);

/* Limits that the kernel keeps for a process. They cannot be taken back, so the process has no call
 * after that. */
gboolean limits_need_process (const ProcfunLimits *self);

/* (transfer full) (nullable): the stricter of each; NULL: they limit nothing. Both (nullable). */
ProcfunLimits *limits_merge (const ProcfunLimits *self, const ProcfunLimits *other);

/* Value of one limit as text, as “200M”; NULL when it is not set. */
char *limits_describe (const ProcfunLimits *self, const char *name);

G_END_DECLS
