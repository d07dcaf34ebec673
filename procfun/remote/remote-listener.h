/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/remote/hosts.h"

G_BEGIN_DECLS

/* One who waits in a main context for news of a call of hosts. All that wait for the same hosts
 * there, at the same priority, share one source: GLib would walk through all of them in each turn
 * of a main loop if each had its own. */

typedef struct _ListenerSource ListenerSource;

typedef struct
{
  /* There are news, and there may be more of them: then it notes itself again. It may leave. */
  void (*tell) (RemoteListener *self);

  /* There will be none: the main context goes away, or (@is_of_parent) the program has forked
   * itself, and this is the child, where threads are missing that may hold locks. It has left. */
  void (*drop) (RemoteListener *self, gboolean is_of_parent);
} ListenerFuncs;

struct _RemoteListener
{
  const ListenerFuncs *funcs;
  ListenerSource *source; /* (nullable) (unowned): it has left */
  GList link;             /* among all of the source */
  GList news;             /* data: NULL: there are none */
};

/* @context: (nullable): the default */
void remote_listener_join (RemoteListener *self, const ListenerFuncs *funcs, Hosts *hosts,
                           GMainContext *context, int priority);
void remote_listener_leave (RemoteListener *self);

/* From any thread: there are news. */
void remote_listener_note (RemoteListener *self);

G_END_DECLS
