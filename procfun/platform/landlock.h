/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* landlock(7), by system calls: the headers of Debian 12 know half of it. */

/* Newest version of Landlock that this kernel has and this file knows; 0: there is none. Asks the
 * kernel once. */
guint landlock_get_version (void);

/* Rights that a domain is to take away. Sets that the kernel does not know are left out. */
typedef enum
{
  LANDLOCK_FILES = 1 << 0, /* all access to files, but by rules */
  LANDLOCK_TCP = 1 << 1,   /* binding and connecting */
  LANDLOCK_SCOPE = 1 << 2  /* signals to, and abstract sockets of, processes outside */
} LandlockSets;

/* Versions that have all of a set. */
#define LANDLOCK_FILES_VERSION 3 /* it sees truncation */
#define LANDLOCK_TCP_VERSION 4
#define LANDLOCK_SCOPE_VERSION 6

/* Access that a rule leaves. */
typedef enum
{
  LANDLOCK_READ,
  LANDLOCK_WRITE, /* and read */
  LANDLOCK_DEVICE /* read and write, no more */
} LandlockAccess;

/* A new set of rules: a descriptor, or -1 with errno set. */
int landlock_open (LandlockSets sets);

/* A rule for what @fd, of O_PATH, refers to. FALSE: errno is set. */
gboolean landlock_add (int ruleset_fd, int fd, LandlockAccess access);

/* Puts the calling thread into the domain; it must have no_new_privs. FALSE: errno is set. */
gboolean landlock_enter (int ruleset_fd);
