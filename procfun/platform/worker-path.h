/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The path of procfun-worker: that of PROCFUN_WORKER in the environment, else the one in the folder
 * of the library, else the one of the installation. */
const char *worker_path_get (void);

/* The path of a folder beside it, as modules of the library are in: where it is or should be. */
char *worker_path_find_folder (const char *name);
