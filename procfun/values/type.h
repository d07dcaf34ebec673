/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-schema.h"
#include "procfun/procfun-type-info.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* C values, described by the data that the macros emit, to GVariant and back. */

/* The data and length of a NameArray that PROCFUN_DEFINE_STRUCT() or PROCFUN_DEFINE_ENUM() makes.
 */
typedef struct
{
  guint8 *data;
  gsize length;
} TypeArray;

/* An element of an array, as a member without a name. */
static inline ProcfunMember
type_element (const ProcfunTypeInfo *array)
{
  return (ProcfunMember){ NULL, array->element, 0, array->element->kind };
}

/* The bytes that a C value of this member takes. */
gsize type_size (const ProcfunMember *member);

/* (transfer full) */
char *type_string (const ProcfunMember *member);

/* (transfer full) */
ProcfunSchema *type_schema (const ProcfunMember *member);

/* (transfer full): of what a call brings: the result, or a struct of it and the buffers among the
 * arguments. */
ProcfunSchema *type_schema_result (const ProcfunMember *result, const ProcfunMember *args,
                                   gsize n_args);

gsize type_count_kind (const ProcfunMember *args, gsize n_args, ProcfunKind kind);

/* (transfer full), the schema of the arguments: a tuple with names */
ProcfunSchema *type_schema_arguments (const ProcfunMember *args, gsize n_args);

/* Floating, or NULL with %PROCFUN_ERROR_ENCODE, whose message names the place: `/a/title: is NULL`
 * in an argument, `/title: is NULL` in a result, `is NULL` for a whole result. Descriptors are
 * appended to *@fds, which is created when needed; the caller keeps its own. A floating GVariant
 * among the arguments is sunk, as usual in GLib; one in a result or a struct stays for
 * type_clear(). */
GVariant *type_to_variant (const ProcfunMember *member, gconstpointer value, GUnixFDList **fds,
                           GError **error);
GVariant *type_arguments_to_variant (const ProcfunMember *args, gsize n_args,
                                     gconstpointer const *values, GUnixFDList **fds,
                                     GError **error);

/* Writes a C value that owns all its contents. On failure the value is empty and @error
 * %PROCFUN_ERROR_DECODE.
 * @variant has the type of the member's schema. */
gboolean type_from_variant (const ProcfunMember *member, GVariant *variant, GUnixFDList *fds,
                            gpointer value, GError **error);

/* Writes an empty value: zeroes, and -1 for descriptors. */
void type_init (const ProcfunMember *member, gpointer value);

/* Frees the contents of the value, and leaves it as type_init() does. */
void type_clear (const ProcfunMember *member, gpointer value);

/* Completes a message like "/points/3: is NULL" with the name of the argument. */
void type_place_error (const ProcfunMember *member, GError **error);

G_END_DECLS
