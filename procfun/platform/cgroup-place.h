/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Place in the tree of control groups (v2) where this process may make groups of its own. */

/* Beginning of their names. */
#define CGROUP_PREFIX "procfun-"

typedef enum
{
  CGROUP_MEMORY = 1 << 0,
  CGROUP_PIDS = 1 << 1
} CgroupControllers;

typedef struct
{
  char *folder;
  CgroupControllers controllers; /* controllers of groups made in it */
} CgroupPlace;

/* (nullable): NULL where there is none. Looks once in the life of a process, and may move this
 * process into a group of its own below the delegated one. */
const CgroupPlace *cgroup_place_get (void);

/* Looks now. @root: before every path, "" but for tests. */
CgroupPlace *cgroup_place_find (const char *root);
void cgroup_place_free (CgroupPlace *self);

/* Whole files of control groups. */
char *cgroup_read (const char *folder, const char *name);
gboolean cgroup_write (const char *folder, const char *name, const char *text);

/* Control groups come with their files, except where tests play the kernel: there a file is made
 * when it is written. */
void cgroup_make_files_for_tests (gboolean make);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CgroupPlace, cgroup_place_free)
