// SPDX-License-Identifier: LGPL-2.1-or-later
// The cases of test-gjs.sh; the argument is the name of one.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import Procfun from 'gi://Procfun?version=1.0';
import System from 'system';

const getPid = Procfun.define('get_pid', {}, 'i', () => new Gio.Credentials().get_unix_pid());
const add = Procfun.define('add', {a: 'i', b: 'd'}, 'd', (a, b) => a + b);
const echo = Procfun.define('echo', {value: 'a{sv}'}, 'a{sv}', value =>
    Object.fromEntries(Object.entries(value).map(([key, x]) => [key, new GLib.Variant('s', `${x}`)])));
const nothing = Procfun.define('nothing', {text: 's'}, '()', () => {});
const fail = Procfun.define('fail', {}, 'i', () => {
    throw new TypeError('not this time');
});
const hang = Procfun.define('hang', {}, '()', () => GLib.usleep(600000000));

Procfun.serve();

function equal(actual, expected) {
    const [a, b] = [actual, expected].map(value => JSON.stringify(value));
    if (a !== b)
        throw new Error(`${a}, not ${b}`);
}

async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('did not fail');
}

const cases = {
    async aCallIsMadeInThisProcessAndProcessInAnother() {
        const here = new Gio.Credentials().get_unix_pid();
        equal(getPid(), here);
        equal(getPid.process() === here, false);
    },
    async valuesArriveAsJavaScriptHasThem() {
        equal(add.process(1, 2.5), 3.5);
        equal(await add.processAsync(1, 2.5), 3.5);
        equal(echo.process({n: new GLib.Variant('i', 7)}), {n: '7'});
        equal(nothing.process('x'), []);
    },
    async anExceptionArrivesWithItsClassAndText() {
        const error = await failure(fail.processAsync());
        equal([error instanceof TypeError, error.message], [true, 'not this time']);
    },
    async aTimeoutIsInSeconds() {
        const error = await failure(hang.using({timeout: 0.1}).processAsync());
        equal(error.matches(Procfun.Error, Procfun.Error.TIMED_OUT), true);
    },
    async limitsMayBeText() {
        const call = nothing.using({limits: 'cpu=2s'}).newCall('');
        equal(call.limits.get_cpu_time(), 2000000);
    },
    async settingsAreAddedToThoseOfTheDefinition() {
        const call = hang.using({timeout: 3}).using({priority: 5}).newCall();
        equal([call.timeout, call.priority], [3000000, 5]);
    },
    async anExecutorRunsManyCallsAtOnce() {
        const pool = new Procfun.Pool({maxWorkers: 2});
        const inPool = add.using({executor: pool});
        equal(await Promise.all([1, 2, 3].map(n => inPool.processAsync(n, n))), [2, 4, 6]);
        equal(await pool.drain_async(null), true);
    },
};

try {
    await cases[ARGV[0]]();
} catch (error) {
    printerr(error, error.stack);
    System.exit(1);
}
