/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

/* The one header that programs include. */

#define PROCFUN_INSIDE

#include <procfun/procfun-buffer.h>
#include <procfun/procfun-bytes.h>
#include <procfun/procfun-call-json.h>
#include <procfun/procfun-call.h>
#include <procfun/procfun-codec.h>
#include <procfun/procfun-context.h>
#include <procfun/procfun-define-each.h>
#include <procfun/procfun-define-generate.h>
#include <procfun/procfun-define-generator.h>
#include <procfun/procfun-define-mapping.h>
#include <procfun/procfun-define.h>
#include <procfun/procfun-definition.h>
#include <procfun/procfun-engine.h>
#include <procfun/procfun-error.h>
#include <procfun/procfun-executor.h>
#include <procfun/procfun-failure.h>
#include <procfun/procfun-fork-server.h>
#include <procfun/procfun-function.h>
#include <procfun/procfun-generator.h>
#include <procfun/procfun-inline.h>
#include <procfun/procfun-json.h>
#include <procfun/procfun-launch-context.h>
#include <procfun/procfun-launcher.h>
#include <procfun/procfun-limits.h>
#include <procfun/procfun-map.h>
#include <procfun/procfun-monitor.h>
#include <procfun/procfun-pool.h>
#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-registry.h>
#include <procfun/procfun-remote-pool.h>
#include <procfun/procfun-sandbox.h>
#include <procfun/procfun-schema.h>
#include <procfun/procfun-session.h>
#include <procfun/procfun-spawner.h>
#include <procfun/procfun-statistics.h>
#include <procfun/procfun-type-info.h>
#include <procfun/procfun-usage.h>
#include <procfun/procfun-values.h>
#include <procfun/procfun-version-macros.h>
#include <procfun/procfun-version.h>

#undef PROCFUN_INSIDE
