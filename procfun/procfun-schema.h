/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_SCHEMA (procfun_schema_get_type ())

/**
 * ProcfunSchemaKind:
 * @PROCFUN_SCHEMA_PLAIN: a value that its GVariant type describes completely
 * @PROCFUN_SCHEMA_STRUCT: a tuple whose members have names: a C struct
 * @PROCFUN_SCHEMA_ARGUMENTS: a tuple whose members have names: the arguments of a function
 * @PROCFUN_SCHEMA_ENUM: an `i` whose values have nicks
 *
 * The facts that a #ProcfunSchema has beyond the GVariant type.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_SCHEMA_PLAIN,
  PROCFUN_SCHEMA_STRUCT,
  PROCFUN_SCHEMA_ARGUMENTS,
  PROCFUN_SCHEMA_ENUM
} ProcfunSchemaKind;

#define PROCFUN_TYPE_SCHEMA_KIND (procfun_schema_kind_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_schema_kind_get_type (void) G_GNUC_CONST;

typedef struct _ProcfunSchema ProcfunSchema;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_schema_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchema *procfun_schema_new (const GVariantType *type);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchema *procfun_schema_ref (ProcfunSchema *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_schema_unref (ProcfunSchema *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchemaKind procfun_schema_get_kind (ProcfunSchema *self);
PROCFUN_AVAILABLE_IN_0_1
const GVariantType *procfun_schema_get_variant_type (ProcfunSchema *self);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_schema_get_n_children (ProcfunSchema *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSchema *procfun_schema_get_child (ProcfunSchema *self, guint index);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_schema_get_child_name (ProcfunSchema *self, guint index);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_schema_get_nick (ProcfunSchema *self, gint32 value);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_schema_get_value (ProcfunSchema *self, const char *nick, gint32 *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunSchema, procfun_schema_unref)

G_END_DECLS
