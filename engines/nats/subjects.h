/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/address.h"

G_BEGIN_DECLS

/* Names in the broker. Rights are given by them, so docs/guide-machines.xml lists them. (transfer
 * full) */

char *subjects_stream (const Address *address); /* PF_POOL */
char *subjects_queue (const Address *address);  /* pf.q.POOL.> */
char *subjects_call (const Address *address, guint64 contract);
char *subjects_caller (const Address *address); /* pf.r.NAME.RANDOM, a new one each time */
char *subjects_host (const Address *address);   /* pf.c.POOL.MACHINE-RANDOM, likewise */
char *subjects_inbox (const Address *address, const char *host, guint n); /* pf.p.POOL.… */
char *subjects_beats (const Address *address);    /* pf.h.POOL: hosts say that they are there */
char *subjects_question (const Address *address); /* pf.w.POOL: callers ask that */
char *subjects_api (const Address *address, const char *word, const char *rest); /* $JS.API.… */

/* The only consumer of a stream. */
#define SUBJECTS_CONSUMER "hosts"

G_END_DECLS
