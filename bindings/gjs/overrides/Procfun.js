// SPDX-License-Identifier: LGPL-2.1-or-later
// gjs loads this with the typelib: Procfun.define() and Procfun.serve(), and promises of all asynchronous methods.

/* exported _init */

const {Gio, GLib} = imports.gi;

const promises = {
    Call: ['run', 'next'],
    Executor: ['close', 'close_full'],
    Map: ['next', 'run'],
    Pool: ['acquire', 'broadcast', 'drain', 'map', 'submit'],
    ProcessExecutor: ['drain', 'submit'],
};

const inSeconds = ['timeout', 'deadline', 'gracePeriod'];

function settle(Procfun, target, settings) {
    for (const [name, value] of Object.entries(settings)) {
        if (inSeconds.includes(name))
            target[name] = Math.round(value * 1e6);
        else if (name === 'limits' && typeof value === 'string')
            target.limits = Procfun.Limits.new_from_string(value);
        else
            target[name] = value;
    }
}

// The function itself, with methods that call it elsewhere.
function makeCallable(Procfun, definition, settings) {
    const {func, registered, types} = definition;
    const callable = (...args) => func(...args);

    return Object.assign(callable, {
        registered,
        newCall(...args) {
            const call = Procfun.Call.new(registered, new GLib.Variant(types, args));
            settle(Procfun, call, settings);
            return call;
        },
        process(...args) {
            return callable.newCall(...args).run(null).recursiveUnpack();
        },
        async processAsync(...args) {
            const result = await callable.newCall(...args).run_async(null);
            return result.recursiveUnpack();
        },
        using(others) {
            return makeCallable(Procfun, definition, {...settings, ...others});
        },
    });
}

function _init() {
    const Procfun = this;

    for (const [type, names] of Object.entries(promises)) {
        for (const name of names)
            Gio._promisify(Procfun[type].prototype, `${name}_async`, `${name}_finish`);
    }

    // args has the type of each argument by its name: {n: 'i', text: 's'}.
    Procfun.define = function (name, args, resultType, func, settings = {}) {
        const types = `(${Object.values(args).join('')})`;
        const handler = values => new GLib.Variant(resultType, func(...values.recursiveUnpack()) ?? []);
        const registered = Procfun.Registry.get_default().register(name, Object.keys(args),
            new GLib.VariantType(types), new GLib.VariantType(resultType), handler);

        return makeCallable(Procfun, {func, registered, types}, settings);
    };

    Procfun.serve = function () {
        Procfun.Registry.get_default().serve();
    };
}
