/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Bytes of procfun_bytes_new(); each differs from its neighbours. */
GBytes *shared_bytes_new (gsize size, guint8 first);
guint64 shared_bytes_sum (GBytes *bytes);

/* Whether the memory is that of a memfd. */
gboolean shared_bytes_has (gconstpointer data);
gboolean shared_bytes_is_mapped (GBytes *bytes);

/* Run @call, which they take, and return its result, of that type. */
GVariant *shared_bytes_run_any (ProcfunExecutor *executor, ProcfunCall *call, gboolean async);
guint64 shared_bytes_run_number (ProcfunExecutor *executor, ProcfunCall *call, gboolean async);
GBytes *shared_bytes_run (ProcfunExecutor *executor, ProcfunCall *call, gboolean async);
gboolean shared_bytes_run_truth (ProcfunExecutor *executor, ProcfunCall *call, gboolean async);

G_END_DECLS
