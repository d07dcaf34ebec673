/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

/* The executors that live in this process. */

typedef struct _ExecutorEntry ExecutorEntry;

/* From its construction to its end. The numbers count up from 1. */
ExecutorEntry *executor_list_add (ProcfunExecutor *executor, guint *number);
void executor_list_remove (ExecutorEntry *entry);

/* In the order in which they were made. (transfer full) (element-type ProcfunExecutor) */
GPtrArray *executor_list_ref_all (void);

G_END_DECLS
