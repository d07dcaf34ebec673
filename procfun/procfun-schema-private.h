/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-schema.h"

G_BEGIN_DECLS

/* An array of what @element describes; @element is borrowed. */
ProcfunSchema *procfun_schema_new_array (ProcfunSchema *element);

/* A struct or the arguments of a function. The @n names are copied, the @n children borrowed. */
ProcfunSchema *procfun_schema_new_named (ProcfunSchemaKind kind, gsize n, const char *const *names,
                                         ProcfunSchema *const *children);

/* An enumeration: @n values and their nicks, copied. */
ProcfunSchema *procfun_schema_new_enum (gsize n, const gint32 *values, const char *const *nicks);

G_END_DECLS
