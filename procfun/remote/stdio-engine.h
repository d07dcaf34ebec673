/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/engine.h"

G_BEGIN_DECLS

/* Takes calls from the caller that has started this process, over descriptors that were its
 * standard input and output. It has the role of the host alone. */
#define STDIO_TYPE_ENGINE (stdio_engine_get_type ())
G_DECLARE_FINAL_TYPE (StdioEngine, stdio_engine, STDIO, ENGINE, ProcfunEngine)

/* Takes the descriptors. */
ProcfunEngine *stdio_engine_new (int in_fd, int out_fd);

G_END_DECLS
