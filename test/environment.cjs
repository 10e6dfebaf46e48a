const { TestEnvironment } = require('jest-environment-node');

const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
];

/** Node's environment with the outer realm's typed arrays, because native addons compare constructors by identity. */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) if (globalThis[name]) this.global[name] = globalThis[name];
  }
};
