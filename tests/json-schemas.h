/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Schemas and texts for the tests of JSON. */

/* @name: of a schema of these tests, or a GVariant type */
ProcfunSchema *schemas_new (const char *name);

/* @text: in GVariant's text format */
GVariant *schemas_parse_value (ProcfunSchema *schema, const char *text);

/* @message: (nullable): any */
void schemas_assert_refused (ProcfunSchema *schema, const char *json, gsize length,
                             const char *message);

/* @n times @open, then @middle, then @n times @close. */
char *schemas_repeat (const char *open, const char *middle, const char *close, guint n);
