/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/child/serve.h"

G_BEGIN_DECLS

/* The parts of a frame beside its payload. */
typedef struct
{
  GUnixFDList *fds; /* (nullable) (owned) */
  GArray *parts;    /* (nullable) (owned): of a value whose rest is in the payload */
  GVariant *value;  /* (nullable) (owned): the whole, for the case that they cannot be lent */
} Extras;

void extras_clear (Extras *self);

/* FALSE: so many bytes are more than a result may have. */
gboolean server_check_size (Server *self, gsize size, GError **error);

/* A result, or an item of a generator, not floating, with its descriptors. (nullable) */
GBytes *server_encode (Server *self, GVariant *value, Extras *extras, GError **error);

/* Answers begin with the usage; the caller counts the bytes. @extras: (nullable) */
void server_send_answer (Server *self, FrameType type, guint32 call_id, GBytes *payload,
                         Extras *extras);

/* Sends an item, when the caller has room for it. @user_data: the server */
gboolean server_yield (GVariant *item, GUnixFDList *fds, gpointer user_data);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Extras, extras_clear)

G_END_DECLS
