import { mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync, closeSync } from 'node:fs';
import { dirname } from 'node:path';

const RETRY_MS = 300;
/** A lock without a readable owner was left between its creation and its first write. */
const UNWRITTEN_MS = 5000;

/** One set-up at a time in one place. The lock of a process that is gone is taken over. */
export async function holdLock(path, report) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = false; ;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      const release = () => rmSync(path, { force: true });
      process.once('exit', release);
      return {
        release: () => {
          process.off('exit', release);
          release();
        },
      };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (abandoned(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) report.say(`set-up: waiting for another set-up (lock ${path})`);
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function abandoned(path) {
  try {
    const owner = Number(readFileSync(path, 'utf8'));
    if (!Number.isInteger(owner) || owner <= 0) return Date.now() - statSync(path).mtimeMs > UNWRITTEN_MS;
    if (owner === process.pid) return true;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
