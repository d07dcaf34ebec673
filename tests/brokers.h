/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* A NATS server of this test, on a port of the loopback that it finds, with its store in a
 * temporary folder; and hosts that take calls from it, which are this program. */
typedef struct
{
  char *folder;
  char *url; /* nats://127.0.0.1:PORT */
  GPid pid;
  char *config; /* its file; (nullable) */
  int port;
} Broker;

/* Whether a server and the module are there; if not, the test is skipped. */
gboolean brokers_are_there (void);

/* @config: (nullable): text of its file, for what is not the port or the store. */
Broker *broker_new (const char *config);
void broker_free (Broker *self);

/* Kills it; and starts it again, on the same port and with the same store. */
void broker_kill (Broker *self);
void broker_start (Broker *self);

/* Both, and meanwhile it forgets which calls of a pool it has given away. A server that is killed
 * may do so by itself: it writes that down later than it does it. */
void broker_forget (Broker *self, const char *pool);

/* Makes the consumer of a pool anew, as its administrator may. */
void broker_renew_consumer (Broker *self, const char *pool, const char *words);

/* nats://127.0.0.1:PORT/POOL?WORDS, a pool that is set up. @words: (nullable). (transfer full) */
char *broker_make_pool (Broker *self, const char *pool, const char *words);

/* Calls the module's setup for the URL. */
gboolean brokers_set_up (const char *url, GError **error);

/* libnats keeps some threads for ever, which have to be there before the tests. */
void brokers_warm_up (Broker *broker);

/* A test in place of the others. */
void brokers_skip (void);

/* The answer of the broker to a message on @subject, as any program may send it. (transfer full) */
char *broker_ask (Broker *self, const char *subject, const char *text);

/* Sends each text with an inbox of its own for answers, and counts the first @n answers by the
 * first word of their header or, if they have none, as “”: (element-type utf8 guint). (transfer
 * full) */
GHashTable *broker_ask_many (Broker *self, const char *subject, const char *text, guint n_texts,
                             guint n);

/* Messages in the stream of a pool; and the first of them sent again, as it is. */
gint64 broker_count_waiting (Broker *self, const char *pool);
char *broker_send_again (Broker *self, const char *pool);

/* A host of this program, with so many slots. It is ended by kill() and hosts_wait(). */
GPid brokers_start_host (const char *url, guint slots);
int brokers_wait_for_host (GPid pid); /* its wait status */
void brokers_end_host (GPid pid);     /* as it is ended in an orderly way */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Broker, broker_free)
