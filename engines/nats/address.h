/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A broker, and the pool there: the text form nats://host:4222/pool?lease=30&name=alice, with more
 * words for how to log in. */
typedef struct
{
  gatomicrefcount ref_count;
  char *server; /* nats://host:port */
  char *host;
  gboolean is_secure;
  char *user;     /* (nullable) */
  char *password; /* (nullable) */
  char *pool;
  char *name; /* of who calls: a word of the subject of all that comes to it */

  /* Files. (nullable) */
  char *nkey;        /* has a seed, and the public key that belongs to it, each in a line */
  char *credentials; /* as nsc writes them */
  char *authorities;
  char *certificate;
  char *key;

  gint64 lease;     /* in µs: a call whose host is silent for so long is given to another one */
  gint64 max_calls; /* that wait; 0: any number */
  gint64 max_hosts; /* of the pool */
} Address;

/* (nullable): %PROCFUN_ERROR_INVALID */
Address *address_new (const char *url, GError **error);
Address *address_ref (Address *self);
void address_unref (Address *self);

/* Whether @text can be a word of a subject. */
gboolean address_is_word (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Address, address_unref)

G_END_DECLS
