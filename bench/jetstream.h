/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* The least client that calls through a work queue of JetStream, and its host, by libnats alone. It
 * sends the messages that the module for NATS sends for a call: so many, of such sizes, in that
 * order; nothing is in them. */

#define JETSTREAM_ANSWERS_MAX 8

/* Sizes of the messages of a call. */
typedef struct
{
  gsize call;
  guint n_answers;
  gsize answers[JETSTREAM_ANSWERS_MAX];
  gsize acknowledgement;
} JetStreamSizes;

/* Listens to the pool @pool while @call is called once, and adds up what it sees. */
JetStreamSizes jetstream_learn (const char *url, const char *pool, void (*call) (void));

/* Makes the stream. */
void jetstream_set_up (const char *url);

/* The host, which waits for calls until it is killed. */
void jetstream_be_host (const char *url, const JetStreamSizes *sizes);

typedef struct _JetStream JetStream;

JetStream *jetstream_new (const char *url, const JetStreamSizes *sizes);
void jetstream_free (JetStream *self);
void jetstream_call (JetStream *self);
