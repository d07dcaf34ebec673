/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/engine.h"
#include "procfun/remote/host-spec.h"
#include "procfun/remote/hosts.h"

G_BEGIN_DECLS

/* Starts one host by a command, and speaks with it over its standard input and output. It has the
 * role of the caller alone. */
#define LAUNCHER_TYPE_ENGINE (launcher_engine_get_type ())
G_DECLARE_FINAL_TYPE (LauncherEngine, launcher_engine, LAUNCHER, ENGINE, ProcfunEngine)

ProcfunEngine *launcher_engine_new (Hosts *hosts, HostSpec *spec);

G_END_DECLS
