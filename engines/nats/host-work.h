/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/talk.h"

G_BEGIN_DECLS

/* A call as its host keeps it, until its caller has the answer. */
typedef struct
{
  guint64 id;     /* of this host */
  guint64 number; /* of its caller */
  char *key;      /* who calls, and that number */
  char *receipt;  /* subject by which the broker hears that it is done with, or goes on */
  guint n_deliveries;
  GBytes *profile;
  Talk *talk;
  gint64 lease_at;    /* monotonic time: the broker is told again that it goes on */
  gint64 fetch_at;    /* likewise, that it is fetched; 0: it is here */
  gboolean is_ended;  /* all has been said */
  gboolean is_orphan; /* nobody waits for it */
  gboolean is_held;   /* its first answer waits for the second one */
} HostWork;

/* Takes @talk, the one with its caller. */
HostWork *host_work_new (guint64 id, const Packet *call, const char *receipt, guint n_deliveries,
                         Talk *talk);
void host_work_free (HostWork *self);

/* (transfer full) */
char *host_work_make_key (const char *from, guint64 number);

G_END_DECLS
