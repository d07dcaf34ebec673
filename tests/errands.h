/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "tests/brokers.h"

/* Calls of a pool at a broker, of functions that leave lines in a file where they run. */

/* Leaves a line with its host in the file @begun, each time that it runs, waits for the file @end,
 * and returns 7. */
PROCFUN_DECLARE_FUNCTION (linger, gint, (const char *, begun), (const char *, end))

/* Around a test: a folder with the files of its functions, a pool, and its executor. */
typedef struct
{
  char *folder;
  char *begun;
  char *end;
  char *url;
  ProcfunRemotePool *hosts;
} Place;

/* In µs, of its executor */
#define ERRANDS_HEARTBEAT 250000

/* @words: (nullable): of the URL */
void place_open (Place *self, Broker *broker, const char *pool, const char *words);
void place_close (Place *self);

/* Makes the file @end. */
void place_let_end (Place *self);

/* Lines in the file @begun. */
guint place_count_runs (Place *self);

/* A call on its way. */
typedef struct
{
  ProcfunCall *call;
  GCancellable *cancellable;
  GAsyncResult *result; /* (nullable): it has not ended */
} Errand;

/* Takes @call. */
void errand_begin (Errand *self, Place *place, ProcfunCall *call);

/* Each waits in the main loop until it has ended. */
gint errand_end (Errand *self, GError **error);
void errand_assert_result (Errand *self, gint expected);
void errand_assert_lost (Errand *self);
gboolean errand_is_lost (Errand *self, gint expected); /* or it has that result */

/* Likewise, until there is a line in @path. */
void errands_await (const char *path);
