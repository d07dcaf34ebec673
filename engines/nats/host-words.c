/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "engines/nats/host-words.h"

#include "engines/nats/subjects.h"
#include <string.h>

/* Words in the subjects where it is heard that a caller has gone, what is stored, and whether there
 * is a pool. */
#define NOBODY ".nobody."
#define STORED ".stored"
#define POOL ".pool"

void
host_words_begin (HostWords *self)
{
  g_autofree char *own = g_strconcat (self->subject, ".>", NULL);
  g_autofree char *questions = subjects_question (self->address);

  connection_subscribe (self->connection, self->subject, HOST_WORDS_OWN, FALSE);
  connection_subscribe (self->connection, own, HOST_WORDS_REPLIES, TRUE);
  connection_subscribe (self->connection, questions, HOST_WORDS_QUESTIONS, FALSE);
  host_words_ask_for_pool (self);
}

static void
say (HostWords *self, PacketType type, const char *to, const char *reply, guint64 number)
{
  const Packet packet = { .type = type, .from = self->subject, .id = number };

  connection_publish (self->connection, to, reply, NULL, packet_make (&packet));
}

void
host_words_say (HostWords *self, PacketType type, const char *caller, guint64 number)
{
  say (self, type, caller, NULL, number);
}

void
host_words_ask (HostWords *self, PacketType type, const char *caller, guint64 number)
{
  g_autofree char *reply = g_strconcat (self->subject, NOBODY, caller, NULL);

  say (self, type, caller, reply, number);
}

void
host_words_introduce (HostWords *self, const char *to)
{
  g_autofree char *beats = to == NULL ? subjects_beats (self->address) : NULL;
  const Packet packet = { .type = PACKET_HOST,
                          .from = self->subject,
                          .number = self->slots,
                          .heartbeat = HOST_WORDS_BEAT,
                          .profile = self->profile };

  connection_publish (self->connection, to != NULL ? to : beats, NULL, NULL, packet_make (&packet));
}

void
host_words_take_leave (HostWords *self, const char *to)
{
  g_autofree char *beats = to == NULL ? subjects_beats (self->address) : NULL;

  say (self, PACKET_BYE, to != NULL ? to : beats, NULL, 0);
}

void
host_words_acknowledge (HostWords *self, const char *receipt, const char *word)
{
  if (receipt != NULL)
    connection_publish_text (self->connection, receipt, NULL, word);
}

void
host_words_ask_what_is_old (HostWords *self)
{
  g_autofree char *info = subjects_api (self->address, "STREAM.INFO", "");
  g_autofree char *reply = g_strconcat (self->subject, STORED, NULL);

  connection_publish_text (self->connection, info, reply, "");
}

void
host_words_ask_for_pool (HostWords *self)
{
  g_autofree char *info = subjects_api (self->address, "CONSUMER.INFO", "." SUBJECTS_CONSUMER);
  g_autofree char *reply = g_strconcat (self->subject, POOL, NULL);

  connection_publish_text (self->connection, info, reply, "");
  host_words_ask_what_is_old (self);
}

HostWordsAnswer
host_words_read (const HostWords *self, const ConnectionEvent *answer, const char **caller)
{
  const char *word = answer->subject + strlen (self->subject);

  if (g_str_has_prefix (word, NOBODY))
    {
      *caller = word + strlen (NOBODY);
      return HOST_WORDS_OF_NOBODY;
    }
  return strcmp (word, STORED) == 0 ? HOST_WORDS_OF_OLD : HOST_WORDS_OF_POOL;
}
