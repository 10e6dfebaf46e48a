import { parentPort, workerData } from 'node:worker_threads';
import { createKernel } from '../../forensics/weights/kernel/kernel.ts';

/** One thread's part of two arrays in shared memory: counts it whenever it is asked to. */
const { memory, slot, suspect, golden, words } = workerData as {
  memory: WebAssembly.Memory;
  slot: number;
  suspect: number;
  golden: number;
  words: number;
};
const kernel = createKernel(memory, slot);
parentPort?.on('message', (pass: 'count' | 'moments') => parentPort?.postMessage(kernel[pass](suspect, golden, words)));
