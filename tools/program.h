/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <procfun.h>

/* A program or library, and what it says it has. */
typedef struct
{
  char *name; /* as the user wrote it */
  char *path; /* absolute */
  gboolean is_program;
  GPtrArray *functions; /* (element-type ProcfunFunction): they can be called as our own */
  JsonNode *list;       /* the array that describes them */
} Program;

/* Executes the program (or the worker, which loads the library) when the file shows that it will
 * answer. (transfer full) */
Program *program_open (const char *path, GError **error);
void program_free (Program *self);

/* (transfer none): with suggestions in @error when there is none. */
ProcfunFunction *program_find (Program *self, const char *name_or_hash, GError **error);

/* Executes the program, or the worker, in place of this one: it calls the function in itself,
 * prints the result, and ends with an exit status like those of the tool. @json: (nullable).
 * Returns only when that cannot be done. */
void program_become (Program *self, ProcfunFunction *function, const char *json, GError **error);

/* The same, as a host that takes calls through stdin and stdout. @slots: calls that it runs at
 * once; 0: as many as processors. */
void program_become_host (Program *self, guint slots, GError **error);

/* "i a, as b" (transfer full) */
char *program_describe_arguments (ProcfunFunction *function);

/* @text: JSON, "-" for that of stdin, or (nullable): an array of the arguments, an object that
 * names them, or the only argument. With @is_raw that argument is the text itself. (transfer full):
 * not floating, or %NULL */
GVariant *program_read_arguments (ProcfunFunction *function, const char *text, gboolean is_raw,
                                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Program, program_free)
