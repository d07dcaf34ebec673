/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/wire/crash.h"

/* Names of places in the code of a process that has crashed. Its caller asks for them, in a file,
 * and a process of the library's own, procfun-worker, writes the answer into a pipe. */

#define NAMES_ARGUMENT "--procfun-find-names"

/* Of both forms; another version has another number. */
#define NAMES_MAGIC 0x314e4650U

/* Bounds of a request. */
#define NAMES_MAX_MODULES CRASH_MAX_MODULES
#define NAMES_MAX_ADDRESSES (CRASH_MAX_THREADS * CRASH_MAX_FRAMES)

/* @n_modules of CrashModule follow, with the paths of files that the caller knows by itself, and
 * @n_addresses of guint64. */
typedef struct
{
  guint32 magic;
  guint32 n_modules;
  guint32 n_addresses;
  guint32 with_cxx; /* names may be those of C++ */
} NamesRequest;

/* All that a caller reads of an answer. */
#define NAMES_ANSWER_MAX (1024 * 1024)
#define NAMES_MAX_TEXT 1024
#define NAMES_MAX_PLACES 64 /* at one address */

typedef enum
{
  NAMES_PLACE,  /* of the function, as far as one knows */
  NAMES_RUNTIME /* in a library that crashes when others make mistakes */
} NamesPlace;

/* One for each address, in any order. @size bytes follow: for each place a byte, NamesPlace, and
 * two texts with their NUL: function, "" where it is not known, and description. */
typedef struct
{
  guint32 magic;
  guint32 size;
  guint64 address;
} NamesEntry;
