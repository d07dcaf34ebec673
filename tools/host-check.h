/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tools/program.h"

/* State of a host. */
typedef struct
{
  char *name;
  GError *error; /* (nullable): it cannot be reached */
  guint slots;
  double round_trip;  /* the least of a few, in µs */
  guint n_functions;  /* of the program; 0: none was given */
  GPtrArray *missing; /* (element-type utf8): names of those of them that it does not have so */
} HostCheck;

/* Starts all hosts of @list at the same time, asks them, and ends them. @program: (nullable): they
 * run this tool. @timeout: for a host to answer, in µs. (transfer full) (nullable) (element-type
 * HostCheck): it is no such list, or hosts cannot run @program */
GPtrArray *host_check_all (const char *list, const Program *program, gint64 timeout,
                           GError **error);

/* Becomes a host without functions, if this process was asked to. */
void host_check_answer (void);
