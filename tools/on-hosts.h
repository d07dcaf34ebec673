/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/program.h"

/* An executor of the hosts in @list, which run @program. (transfer full) (nullable): it is no such
 * list */
ProcfunExecutor *on_hosts_new (const char *list, const Program *program, GError **error);

/* Has the hosts of @executor, if it has some, run @program. */
void on_hosts_set_program (ProcfunExecutor *executor, const Program *program);
