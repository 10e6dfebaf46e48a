import { spawn } from 'node:child_process';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const PLAIN_EVERY_MS = 20_000;
const TAIL_CHARACTERS = 20_000;

/** Progress goes to stderr, always: stdout belongs to what runs afterwards. */
export function createReporter({ quiet }) {
  const out = process.stderr;
  const live = out.isTTY && !process.env.CI;
  let did = 0;

  /** Shows that a step is going on for as long as `work` runs; `note` may change the words. */
  async function during(title, work) {
    did += 1;
    const began = Date.now();
    let note = '';
    const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
    let frame = 0;
    if (!live) out.write(`set-up: ${title} …\n`);
    const timer = setInterval(
      () => {
        if (live) {
          const line = `${FRAMES[frame++ % FRAMES.length]} ${title} · ${seconds()}${note ? ` · ${note}` : ''}`;
          out.write(`\r\x1b[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
        } else out.write(`set-up: ${title}, ${seconds()} so far${note ? ` (${note})` : ''}\n`);
      },
      live ? 100 : PLAIN_EVERY_MS,
    );
    try {
      const result = await work((words) => (note = words));
      out.write(`${live ? '\r\x1b[2K✓ ' : 'set-up: '}${title} · ${seconds()}\n`);
      return result;
    } catch (error) {
      out.write(`${live ? '\r\x1b[2K✗ ' : 'set-up: '}${title} · ${seconds()}${live ? '' : ', failed'}\n`);
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  return {
    during,
    say: (text) => out.write(`${text}\n`),
    failed: (text) => out.write(`set-up cannot go on:\n${text.replace(/^/gm, '  ')}\n`),
    ready: () => {
      if (did > 0 || !quiet) out.write('set-up: all is there\n');
    },
  };
}

/**
 * Runs a command without a terminal; resolves with its output, rejects with the end of it. A set-up that is ended ends its children:
 * a `go build` that goes on in the background would be waited for by nobody.
 */
export function command(file, args, { cwd, env = process.env, note, limitMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      output = (output + chunk).slice(-TAIL_CHARACTERS);
      const line = String(chunk).trim().split('\n').at(-1);
      if (line && note) note(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (signal) => {
      child.kill(signal);
      process.exit(130);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, end);
    const timer = limitMs ? setTimeout(() => child.kill('SIGKILL'), limitMs) : null;
    const settle = (how) => {
      for (const signal of signals) process.off(signal, end);
      if (timer) clearTimeout(timer);
      how();
    };
    child.once('error', (error) => settle(() => reject(error)));
    child.once('close', (status) =>
      settle(() => (status === 0 ? resolve(output) : reject(new CommandFailed(file, status, output)))),
    );
  });
}

export class CommandFailed extends Error {
  constructor(file, status, output) {
    super(`${file} ended with status ${status}:\n${output.trim().split('\n').slice(-15).join('\n')}`);
    this.output = output;
  }
}
