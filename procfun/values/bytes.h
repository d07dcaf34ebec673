/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-bytes.h"

G_BEGIN_DECLS

/* Memory of procfun_bytes_new(), which other processes can map. It lies in areas, each a memfd that
 * this process alone can write. */

/* In bytes. For less a copy is as cheap. */
#define BYTES_SHARE_MIN ((gsize)64 * 1024)

/* Likewise. Blocks of less than this share an area, so that many of them take few descriptors. */
#define BYTES_OWN_AREA_MIN ((gsize)1024 * 1024)

typedef struct
{
  guint64 area; /* its number, which no other area of this process has had */
  int fd;       /* borrowed: it is there as long as the bytes are */
  gsize offset; /* of the bytes in it */
} BytesPlace;

/* Whether there are any. */
gboolean bytes_are_shared (void);

/* FALSE: they are not in shared memory of this process. */
gboolean bytes_find (gconstpointer data, gsize size, BytesPlace *place);

/* Whether the area still has bytes. */
gboolean bytes_has_area (guint64 area);

/* Makes constant what is in an area of its own: nobody can change it any more. FALSE: it is not
 * alone there, or another process could still write. */
gboolean bytes_make_constant (gconstpointer data, gsize size);

/* From now on an area for small blocks stays when its last one is freed: to make one takes longer
 * than to copy such a block. A process that has nothing to do drops it. */
void bytes_keep_spare (void);
gboolean bytes_have_spare (void);
void bytes_drop_spare (void);

G_END_DECLS
