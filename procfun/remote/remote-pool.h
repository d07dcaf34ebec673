/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/retry.h"
#include "procfun/procfun-remote-pool.h"
#include "procfun/remote/hosts.h"

G_BEGIN_DECLS

struct _ProcfunRemotePool
{
  ProcfunExecutor parent_instance;

  RetryPolicy retry;
  Hosts *hosts;

  GMutex lock;      /* for what follows */
  GPtrArray *specs; /* (element-type HostSpec) */
  HostsConfig config;
};

G_END_DECLS
