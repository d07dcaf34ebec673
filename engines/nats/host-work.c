/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/host-work.h"

#include <inttypes.h>

HostWork *
host_work_new (guint64 id, const Packet *call, const char *receipt, guint n_deliveries, Talk *talk)
{
  HostWork *self = g_new0 (HostWork, 1);

  self->id = id;
  self->number = call->id;
  self->key = host_work_make_key (call->from, call->id);
  self->receipt = g_strdup (receipt);
  self->n_deliveries = n_deliveries;
  self->profile = g_bytes_ref (call->profile);
  self->talk = talk;
  return self;
}

void
host_work_free (HostWork *self)
{
  talk_free (self->talk);
  g_bytes_unref (self->profile);
  g_free (self->receipt);
  g_free (self->key);
  g_free (self);
}

char *
host_work_make_key (const char *from, guint64 number)
{
  return g_strdup_printf ("%s %" PRIu64, from, number);
}
