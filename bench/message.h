/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Message of contenders that bring no codec of their own: a tuple (ii), serialised by GVariant.
 * Both ends make values and read them. */
typedef guint64 Message;

Message message_ask (void);
Message message_answer (const Message *request);
void message_check (const Message *reply);
