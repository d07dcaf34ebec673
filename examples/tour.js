#!/usr/bin/gjs -m
// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions in JavaScript: in processes of their own, in a pool, with progress, and with what can go wrong.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Procfun from 'gi://Procfun?version=1.0';

Gio._promisify(Procfun.Call.prototype, 'run_async', 'run_finish');
Gio._promisify(Procfun.Map.prototype, 'next_async', 'next_finish');

const registry = Procfun.Registry.get_default();

// Returns an object with run (), which calls the function in another process and returns a promise.
function define(name, names, types, resultType, func, settings = {}) {
    const handler = args => new GLib.Variant(resultType, func(...args.deepUnpack()) ?? []);
    const [argsType, returnType] = [types, resultType].map(type => new GLib.VariantType(type));
    const registered = registry.register(name, names, argsType, returnType, handler);

    return {
        registered,
        async run(...args) {
            const call = Object.assign(Procfun.Call.new(registered, new GLib.Variant(types, args)), settings);
            const result = await call.run_async(null);
            return result.deepUnpack();
        },
    };
}

const square = define('square', ['n'], '(i)', 'i', n => n * n);
const convert = define('convert', ['nPages'], '(i)', 'i', nPages => {
    for (let page = 1; page <= nPages; page++)
        Procfun.report_progress(page / nPages, `page ${page}`);
    return nPages;
});
const fail = define('fail', ['page'], '(i)', '()', page => {
    throw new RangeError(`there is no page ${page}`);
});
const crash = define('crash', [], '()', '()', () => {
    GLib.spawn_command_line_sync(`kill -ABRT ${new Gio.Credentials().get_unix_pid()}`);
});
const sleep = define('sleep', [], '()', '()', () => GLib.usleep(600000000), {timeout: 500000});

registry.serve();

print('in a process:', await square.run(7));

const pool = new Procfun.Pool({maxWorkers: 2});
const map = Procfun.Map.new(pool, square.registered);
const squares = [];
map.set_array(new GLib.Variant('a(i)', [[0], [1], [2], [3]]));
for (let [result] = await map.next_async(null); result !== null; [result] = await map.next_async(null))
    squares.push(result.deepUnpack());
print('in a pool:', ...squares);

const call = Procfun.Call.new(convert.registered, new GLib.Variant('(i)', [4]));
let last = 0;
call.connect('progress', (_call, fraction) => (last = fraction));
await call.run_async(null);
print(`progress: ${100 * last}%`);

for (const [func, args] of [[fail, [5]], [crash, []], [sleep, []]]) {
    try {
        await func.run(...args);
    } catch (error) {
        if (error.matches(Procfun.Error, Procfun.Error.CRASHED))
            print('a crash');
        else if (error.matches(Procfun.Error, Procfun.Error.TIMED_OUT))
            print('a timeout');
        else
            print('an exception:', error.message);
    }
}
