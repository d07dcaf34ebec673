/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "engines/nats/connection.h"
#include "engines/nats/packet.h"

G_BEGIN_DECLS

/* All that a host says to callers and to the broker, and where it is answered; but not what belongs
 * to one call. */
typedef struct
{
  Connection *connection; /* these are unowned */
  Address *address;
  GBytes *profile;
  const char *subject; /* where the host is reached */
  guint slots;
} HostWords;

/* Of its subscriptions: to what is said to the host, what answers it, and questions to all. */
enum
{
  HOST_WORDS_OWN = 1,
  HOST_WORDS_REPLIES,
  HOST_WORDS_QUESTIONS
};

/* So often in µs a host says that it is there. */
#define HOST_WORDS_BEAT (5 * G_USEC_PER_SEC)

void host_words_begin (HostWords *self);

/* To a caller. @number: of its call. The second also hears when nobody is there. */
void host_words_say (HostWords *self, PacketType type, const char *caller, guint64 number);
void host_words_ask (HostWords *self, PacketType type, const char *caller, guint64 number);

/* Says that the host is there, and that it ends. @to: (nullable): all */
void host_words_introduce (HostWords *self, const char *to);
void host_words_take_leave (HostWords *self, const char *to);

/* To the broker. @receipt: (nullable) */
void host_words_acknowledge (HostWords *self, const char *receipt, const char *word);
void host_words_ask_what_is_old (HostWords *self);
void host_words_ask_for_pool (HostWords *self);

/* Which of these is answered. @caller is set in the first case: it was asked. */
typedef enum
{
  HOST_WORDS_OF_NOBODY,
  HOST_WORDS_OF_OLD,
  HOST_WORDS_OF_POOL
} HostWordsAnswer;

HostWordsAnswer host_words_read (const HostWords *self, const ConnectionEvent *answer,
                                 const char **caller);

G_END_DECLS
