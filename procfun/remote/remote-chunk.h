/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/call-chunk.h"
#include "procfun/procfun-function.h"
#include "procfun/remote/message.h"

G_BEGIN_DECLS

/* Results of the elements of a chunk, as the payload of its end. */

/* @errors: (element-type ChunkError); sizes go to @head. */
GBytes *remote_chunk_pack (GVariant *results, GArray *errors, RemoteChunkHead *head);

/* Reads it into @chunk. @host: (interned). FALSE: no host sends that. */
gboolean remote_chunk_unpack (GBytes *payload, const RemoteChunkHead *head,
                              ProcfunFunction *function, const char *host, CallChunk *chunk);

/* The elements that a caller sends. (nullable): they are none */
GVariant *remote_chunk_read_args (GBytes *payload, guint64 n, ProcfunFunction *function);

G_END_DECLS
