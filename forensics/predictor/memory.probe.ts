import { buffer } from 'node:stream/consumers';
import { createPredictor } from './predictor.ts';

/** The process behind `residentBytes`: reads a model from stdin, answers one record, writes by how many bytes its resident memory grew. */
const { record, shape } = JSON.parse(process.argv[2] ?? '') as { record: number[]; shape: number[] };
const model = new Uint8Array(await buffer(process.stdin));
const before = process.memoryUsage.rss();
const predictor = await createPredictor(model);
await predictor.logits(Float32Array.from(record), 1, shape);
process.stdout.write(String(process.memoryUsage.rss() - before));
await predictor.close();
