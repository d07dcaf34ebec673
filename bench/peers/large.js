// SPDX-License-Identifier: LGPL-2.1-or-later
// An argument of so many MiB in piscina, whose threads add up its 64-bit words: copied, as an argument is, or in a
// SharedArrayBuffer. Run it where "make bench-npm" has installed piscina. large.js [MiB] [rounds]
"use strict";

const path = require("path");
const { createRequire } = require("module");

function addUp(data) {
  let total = 0;
  for (const word of new Float64Array(data)) total += word;
  return total;
}

module.exports = addUp;

async function measure(name, floor, rounds, work) {
  let best = Infinity;
  for (let i = 0; i <= rounds; i++) {
    const before = process.hrtime.bigint();
    await work();
    best = Math.min(best, Number(process.hrtime.bigint() - before) / 1e6);
  }
  console.log(`${name.padEnd(28)} ${best.toFixed(3).padStart(9)} ms  ${(best / (floor || best)).toFixed(2).padStart(6)}`);
  return best;
}

async function main() {
  const size = Math.floor((Number(process.argv[2] || 64) * 1024 * 1024) / 8) * 8;
  const rounds = Number(process.argv[3] || 5);
  const { Piscina } = createRequire(path.join(process.cwd(), "x.js"))("piscina");
  const pool = new Piscina({ filename: __filename, minThreads: 1, maxThreads: 1 });
  const data = new ArrayBuffer(size);
  const shared = new SharedArrayBuffer(size);
  const floor = await measure("sum", 0, rounds, () => addUp(data));
  await measure("piscina", floor, rounds, () => pool.run(data));
  await measure("piscina, shared", floor, rounds, () => pool.run(shared));
  await pool.destroy();
}

if (require.main === module && require("worker_threads").isMainThread) main();
