/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-type-info.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* The facts of one #ProcfunKind. A new C type needs a kind, a mapping in procfun-define-mapping.h,
 * and a row in kind.c. */
typedef struct _Kind Kind;

struct _Kind
{
  guint8 size;      /* of the C value, in bytes; 0 for structs and arrays, whose type knows it */
  guint8 packed;    /* of a plain value in serialised form, in bytes; 0 for other kinds */
  guint8 element;   /* of an array of numbers: size of one, in bytes */
  const char *type; /* of the GVariant; (nullable): NULL for structs and arrays */

  /* NULL for plain values, see values/type-plain.h, and for structs and arrays. Both fail with
   * kind_encode_error() or kind_decode_error(); callers put the place before it. */
  GVariant *(*encode) (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error);
  gboolean (*decode) (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                      GError **error);

  void (*clear) (
      gpointer value); /* (nullable): frees the contents, and leaves the value undefined */
};

const Kind *kind_get (guint32 kind);

gpointer kind_encode_error (GError **error, const char *what);
gboolean kind_decode_error (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
void kind_error_at_index (GError **error, gsize index);

void kind_unref_all (GVariant **children, gsize n_children);

G_END_DECLS
