/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

G_BEGIN_DECLS

/* Settings of a process that a function changes and leaves so. Those that cost little are restored
 * by a worker. */
typedef struct
{
  const char *path;
  void (*change) (void);
  gboolean (*is_changed) (void);
} RestoredSetting;

extern const RestoredSetting restored_settings[];
extern const gsize n_restored_settings;

/* The others are found by it, and named by @event. */
typedef struct
{
  const char *path;
  void (*change) (void);
  const char *event;
  gboolean needs_root;
} FoundSetting;

extern const FoundSetting found_settings[];
extern const gsize n_found_settings;

/* They return the process, or -1 where the i-th setting is not changed, or is changed. */
PROCFUN_DECLARE_FUNCTION (change_restored, int, (int, i))
PROCFUN_DECLARE_FUNCTION (find_restored, int, (int, i))

/* The process. */
PROCFUN_DECLARE_FUNCTION (change_found, int, (int, i))

G_END_DECLS
