#!/usr/bin/gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions in JavaScript: in processes of their own, in a pool, with progress, and with what can go wrong.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Procfun from 'gi://Procfun?version=1.0';

const square = Procfun.define('square', {n: 'i'}, 'i', n => n * n);
const convert = Procfun.define('convert', {nPages: 'i'}, 'i', nPages => {
    for (let page = 1; page <= nPages; page++)
        Procfun.report_progress(page / nPages, `page ${page}`);
    return nPages;
});
const fail = Procfun.define('fail', {page: 'i'}, '()', page => {
    throw new RangeError(`there is no page ${page}`);
});
const crash = Procfun.define('crash', {}, '()', () => {
    GLib.spawn_command_line_sync(`kill -ABRT ${new Gio.Credentials().get_unix_pid()}`);
});
const sleep = Procfun.define('sleep', {}, '()', () => GLib.usleep(600000000), {timeout: 0.5});

Procfun.serve();

print('in a process:', square.process(7));

const inPool = square.using({executor: new Procfun.Pool({maxWorkers: 2})});
print('in a pool:', ...await Promise.all([0, 1, 2, 3].map(n => inPool.processAsync(n))));

const call = convert.newCall(4);
let last = 0;
call.connect('progress', (_call, fraction) => (last = fraction));
await call.run_async(null);
print(`progress: ${100 * last}%`);

for (const run of [() => fail.processAsync(5), () => crash.processAsync(), () => sleep.processAsync()]) {
    try {
        await run();
    } catch (error) {
        if (error.matches(Procfun.Error, Procfun.Error.CRASHED))
            print('a crash');
        else if (error.matches(Procfun.Error, Procfun.Error.TIMED_OUT))
            print('a timeout');
        else
            print('an exception:', error.message);
    }
}
