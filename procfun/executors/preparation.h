/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/exchange.h"
#include "procfun/procfun-launch-context.h"

G_BEGIN_DECLS

/* The settings that an executor has for all its calls, as one call uses them. */
typedef struct
{
  ExchangeOptions options;
  ProcfunCodec *codec;
  ProcfunLaunchContext *context; /* (nullable) */
  ProcfunLimits *limits;         /* (nullable) */
  SandboxPlan *sandbox;          /* (nullable) */
  gboolean has_own_sandbox;      /* another one than the executor's */
  GBytes *arguments;             /* (nullable): not yet */
} Preparation;

#define PREPARATION_INIT                                                                           \
  {                                                                                                \
    {                                                                                              \
      NULL                                                                                         \
    }                                                                                              \
  }

void preparation_clear (Preparation *self);

/* One that many calls share, by g_atomic_rc_box_acquire(), with no more than codec, payload limit
 * and sandbox; what they are now is in @options. The second form lets it go. (transfer full) */
Preparation *preparation_new_shared (const ExchangeOptions *options);
void preparation_release (Preparation *self);

/* The same settings, for @call. FALSE: it cannot be. */
gboolean preparation_init_from (Preparation *self, const Preparation *shared, ProcfunCall *call,
                                GError **error);

/* The limits of a call (nullable) that its process has to know. @is_kept: these are only some,
 * since nothing that the kernel keeps is set there for one call. */
void preparation_set_limits (Preparation *self, const ProcfunLimits *limits, gboolean is_kept);

/* Begins with @worker, which it takes. (nullable) */
Exchange *preparation_begin (Preparation *self, ProcfunCall *call, Worker *worker, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Preparation, preparation_clear)

G_END_DECLS
