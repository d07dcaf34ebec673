/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* A worker that writes nonsense to the ring: the frame of a result, but for one thing. */

typedef enum
{
  FORGERY_NONE,
  FORGERY_MAGIC,
  FORGERY_TYPE,
  FORGERY_SENDER,
  FORGERY_CALL_ID,
  FORGERY_SIZE,
  FORGERY_SHORT,
  FORGERY_HUGE,
  FORGERY_TEXT,
  FORGERY_COUNTER,
  FORGERY_LAST
} Forgery;

/* Writes one as the answer to the call of this number, and exits. */
PROCFUN_DECLARE_FUNCTION (forge, char *, (gint, forgery), (guint, call_id))
