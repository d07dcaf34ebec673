// SPDX-License-Identifier: LGPL-2.1-or-later
// Node's child_process, and the pools piscina and workerpool, as contenders (see bench/contender.h).
"use strict";

const childProcess = require("child_process");
const readline = require("readline");

function add(a, b) {
  return a + b;
}

function work(us) {
  const end = process.hrtime.bigint() + BigInt(us) * 1000n;
  while (process.hrtime.bigint() < end)
    ;
  return us;
}

// The file is its own worker.

function serve() {
  process.on("message", ([id, a, b]) => process.send([id, add(a, b)]));
}

class Child {
  constructor() {
    this.process = childProcess.fork(__filename, ["serve"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.waiting = new Map();
    this.last = 0;
    this.process.on("message", ([id, result]) => {
      const done = this.waiting.get(id);
      this.waiting.delete(id);
      done(result);
    });
  }

  call(a, b) {
    return new Promise((done) => {
      this.waiting.set(++this.last, done);
      this.process.send([this.last, a, b]);
    });
  }

  end() {
    return new Promise((done) => {
      this.process.on("exit", done);
      this.process.disconnect();
    });
  }
}

function keptChildren(n) {
  const children = Array.from({ length: n }, () => new Child());
  let next = 0;
  return () => children[next++ % n].call(1, 2);
}

async function childForOneCall() {
  const child = new Child();
  const result = await child.call(1, 2);
  await child.end();
  return result;
}

function load(name) {
  try {
    return require(require.resolve(name, { paths: [process.cwd()] }));
  } catch {
    console.log(`skip npm's ${name} is not installed`);
    process.exit();
  }
}

function piscina(maxThreads) {
  const { Piscina } = load("piscina");
  const pool = new Piscina({ filename: __filename, minThreads: maxThreads, maxThreads });
  return () => pool.run([1, 2]);
}

function piscinaWork() {
  const { Piscina } = load("piscina");
  const pool = new Piscina({ filename: __filename, minThreads: workers, maxThreads: workers });
  return () => pool.run(gapCallUs, { name: "work" });
}

function workerpool(maxWorkers, workerType) {
  const pool = load("workerpool").pool({ maxWorkers, minWorkers: "max", workerType });
  return () => pool.exec(add, [1, 2]);
}

function workerpoolWork() {
  const pool = load("workerpool").pool({ maxWorkers: workers, minWorkers: "max", workerType: "process" });
  return () => pool.exec(work, [gapCallUs]);
}

const contenders = {
  "child": () => keptChildren(1),
  "child-for-one": () => childForOneCall,
  "piscina": () => piscina(1),
  "workerpool": () => workerpool(1, "process"),
  "child-pipelined": () => keptChildren(2),
  "piscina-pipelined": () => piscina(2),
  "workerpool-pipelined": () => workerpool(2, "process"),
  "piscina-queue": () => piscina(2),
  "workerpool-queue": () => workerpool(2, "process"),
  "piscina-gap": piscinaWork,
  "workerpool-gap": workerpoolWork,
};

const workers = 2;
const inFlight = 64; // for each
const gapCalls = 2000;
const gapCallUs = 2000;
const gapTickMs = 5;

async function checked(call) {
  if (await call() !== 3)
    throw new Error("this is not the answer");
}

async function sampleOneByOne(call, n) {
  const samples = [];
  for (let i = 0; i < n; i++) {
    const start = process.hrtime.bigint();
    await checked(call);
    samples.push(process.hrtime.bigint() - start);
  }
  return samples;
}

async function samplePipelined(call, n) {
  const start = process.hrtime.bigint();
  let left = n;
  async function line() {
    while (left-- > 0)
      await checked(call);
  }
  await Promise.all(Array.from({ length: workers * inFlight }, line));
  return [Number(process.hrtime.bigint() - start) / n];
}

async function sampleQueue(call, n) {
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: n }, () => checked(call)));
  return [Number(process.hrtime.bigint() - start) / n];
}

// The longest time between two ticks of the event loop.
async function sampleGap(call) {
  let last = process.hrtime.bigint();
  let worst = 0n;
  const tick = () => {
    const now = process.hrtime.bigint();
    if (now - last > worst)
      worst = now - last;
    last = now;
  };
  const timer = setInterval(tick, gapTickMs);
  await Promise.all(Array.from({ length: gapCalls }, call));
  clearInterval(timer);
  tick();
  return [worst];
}

const samplings = { pipelined: samplePipelined, queue: sampleQueue, gap: sampleGap };

async function main(name) {
  const call = contenders[name]();
  const sample = samplings[name.split("-").pop()] || sampleOneByOne;
  await call();
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, n] = line.split(" ");
    const samples = await sample(call, Number(n));
    console.log(command === "run" ? samples.join(" ") : "");
  }
  process.exit();
}

module.exports = ([a, b]) => add(a, b); // what piscina runs, and
module.exports.work = work;

if (require.main === module) {
  if (process.argv[2] === "serve")
    serve();
  else
    main(process.argv[2]);
}
