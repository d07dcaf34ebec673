/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/host-spec.h"
#include "procfun/remote/remote-call.h"

G_BEGIN_DECLS

/* One host as its caller sees it, or all those behind one engine: started, up, or gone until it is
 * started again. In the thread of the hosts. */

RemoteHost *remote_host_new (Hosts *hosts, HostSpec *spec);
void remote_host_free (RemoteHost *self);

/* Starts it, if it is not there and may be started again already. */
void remote_host_start (RemoteHost *self);

/* Ends it. Calls that it runs are lost. */
void remote_host_stop (RemoteHost *self);

/* Does the work that is due; returns when it is to be called again: monotonic time in µs; -1:
 * never. */
gint64 remote_host_advance (RemoteHost *self, gint64 now);

/* Calls that can be sent to it now. */
guint remote_host_get_room (const RemoteHost *self);
guint remote_host_get_n_calls (const RemoteHost *self);

/* Whether it may become able to run calls of this contract: it has not refused them. */
gboolean remote_host_may_run (const RemoteHost *self, guint64 contract);

/* Whether it has refused calls of any contract. */
gboolean remote_host_has_refused (const RemoteHost *self);

/* Whether it is up, or being started. */
gboolean remote_host_is_there (const RemoteHost *self);
gboolean remote_host_is_starting (const RemoteHost *self);

/* Hosts behind it that are up, and slots of all. */
guint remote_host_get_n_hosts (const RemoteHost *self);
guint remote_host_get_slots (const RemoteHost *self);

/* Why it was gone, or refused calls of this contract, the last time. (nullable) */
const GError *remote_host_get_error (const RemoteHost *self);
const GError *remote_host_get_refusal (const RemoteHost *self, guint64 contract);

void remote_host_send (RemoteHost *self, RemoteCall *remote);

/* Tells it that @remote, which it runs, is to end, or elements of it; and how much of it was taken.
 */
void remote_host_cancel (RemoteHost *self, RemoteCall *remote, gboolean is_urgent);
void remote_host_cancel_all (RemoteHost *self);
void remote_host_cancel_elements (RemoteHost *self, RemoteCall *remote);
void remote_host_tell_taken (RemoteHost *self, RemoteCall *remote, guint64 bytes);

G_END_DECLS
