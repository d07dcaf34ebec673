/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/executors/process-executor.h"

G_BEGIN_DECLS

/* A call that waits for its process, which `start_async` may use as it needs. */
typedef struct _ProcessStart ProcessStart;
struct _ProcessStart
{
  ProcfunProcessExecutor *executor; /* borrowed: whoever runs the call holds it */
  ProcfunCall *call;                /* likewise */
  GMainContext *context;            /* likewise */
  Preparation preparation;

  guint n_tries;
  guint n_unsent; /* tries whose process had ended */

  /* Takes @self, @exchange (nullable) and @error (nullable). */
  void (*callback) (ProcessStart *self, Exchange *exchange, GError *error);
  gpointer func; /* of the kind that the callback takes */
  gpointer user_data;
};

ProcessStart *process_start_new (ProcfunExecutor *executor, ProcfunCall *call,
                                 GMainContext *context);
void process_start_free (ProcessStart *self);

/* Asks the executor for an exchange, once or again, with what was prepared. */
void process_start_begin (ProcessStart *self);

/* There is an exchange, or an error, and both are the receiver's. */
void process_start_end (ProcessStart *self, Exchange *exchange, GError *error);

G_END_DECLS
