/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/cgroup-place.h"
#include "procfun/procfun-limits.h"
#include <sys/types.h>

/* A control group (v2) for one call, or for a worker that is kept. It bounds all processes of the
 * call together, and all kinds of memory, and tells whether the kernel had to kill in it. */
typedef struct _Cgroup Cgroup;

/* (nullable): NULL without @error where there can be none, or where none of @limits is one that a
 * group keeps. Fails with %PROCFUN_ERROR_SANDBOX. */
Cgroup *cgroup_new_for_limits (const ProcfunLimits *limits, GError **error);

/* A group in a known place, with those of @limits that it keeps, which may be none. */
Cgroup *cgroup_new_in (const CgroupPlace *place, const ProcfunLimits *limits, GError **error);

/* Kills all processes in it, and removes it. */
void cgroup_free (Cgroup *self);

/* Whether the group bounds the number of processes: then the child need not. */
gboolean cgroup_limits_processes (Cgroup *self);

/* Moves a process in: before it runs the function. Fails with %PROCFUN_ERROR_SANDBOX. */
gboolean cgroup_add (Cgroup *self, pid_t pid, GError **error);

/* No limit on memory, until that is counted anew: from what all processes in it have then. */
void cgroup_suspend_memory (Cgroup *self);
void cgroup_count_memory_anew (Cgroup *self);

/* Whether the kernel killed in it for lack of memory, which is a proof. */
gboolean cgroup_was_oom_killed (Cgroup *self);

/* Number of times that the limit kept a process from being started. */
guint64 cgroup_get_refused_processes (Cgroup *self);

/* The most memory in bytes that all processes in it had together, or 0 when it is not known. */
guint64 cgroup_get_peak (Cgroup *self);

/* Kills all in it, at once; FALSE where the kernel has no way to. */
gboolean cgroup_kill (Cgroup *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cgroup, cgroup_free)
