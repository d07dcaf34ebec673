/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/backend/launch.h"
#include "procfun/procfun-call.h"
#include "procfun/procfun-codec.h"

/* What happens between a caller and one child, from the first frame until the child is dead: one
 * state machine, driven by poll() or by a GSource. */
typedef struct _Exchange Exchange;

typedef struct
{
  ProcfunCodec *codec;
  guint64 max_payload;                /* in bytes, each way */
  gboolean arguments_on_command_line; /* the child has them, as JSON */
} ExchangeOptions;

/* Encodes the arguments of @call. */
GBytes *exchange_encode_arguments (ProcfunCall *call, const ExchangeOptions *options,
                                   GError **error);

/* Takes what is in @launched. @arguments: (nullable) when the child has them already. */
Exchange *exchange_new (ProcfunCall *call, Launched *launched, const ExchangeOptions *options,
                        GBytes *arguments);
void exchange_free (Exchange *self);

/* The result, not floating; or NULL with @error set. */
GVariant *exchange_run (Exchange *self, GCancellable *cancellable, GError **error);

/* Takes @self and @task, and returns a GVariant through it, from the task's context. */
void exchange_run_async (Exchange *self, GCancellable *cancellable, GTask *task);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Exchange, exchange_free)
