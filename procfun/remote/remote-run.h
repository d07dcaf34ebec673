/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/hosts.h"

G_BEGIN_DECLS

/* The two ways to wait for a call that a host runs, and for the items of one. As of an executor. */

GVariant *remote_run (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error);
void remote_run_then (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GMainContext *context,
                      ProcfunExecutorFunc func, gpointer user_data);

GVariant *remote_next (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error);

/* Takes @task. */
void remote_next_async (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GTask *task);

G_END_DECLS
