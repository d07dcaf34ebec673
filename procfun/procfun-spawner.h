/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-process-executor.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunTransport:
 * @PROCFUN_TRANSPORT_CHANNEL: through the same socket as the result; other users cannot see them
 * @PROCFUN_TRANSPORT_ARGV: on the command line, as JSON, up to 128 KiB; every user of the machine
 * can read them
 *
 * The way of the arguments to the process of a call.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_TRANSPORT_CHANNEL,
  PROCFUN_TRANSPORT_ARGV
} ProcfunTransport;

#define PROCFUN_TYPE_TRANSPORT (procfun_transport_get_type ())
#define PROCFUN_TYPE_SPAWNER (procfun_spawner_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_transport_get_type (void) G_GNUC_CONST;

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunSpawner, procfun_spawner, PROCFUN, SPAWNER, ProcfunProcessExecutor)

PROCFUN_AVAILABLE_IN_0_1
ProcfunSpawner *procfun_spawner_new (void);
PROCFUN_AVAILABLE_IN_0_1
void procfun_spawner_set_transport (ProcfunSpawner *self, ProcfunTransport transport);
PROCFUN_AVAILABLE_IN_0_1
ProcfunTransport procfun_spawner_get_transport (ProcfunSpawner *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_spawner_set_launcher (ProcfunSpawner *self, const char *const *launcher);
PROCFUN_AVAILABLE_IN_0_1
const char *const *procfun_spawner_get_launcher (ProcfunSpawner *self);

G_END_DECLS
