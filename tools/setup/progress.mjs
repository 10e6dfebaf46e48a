import { spawn } from 'node:child_process';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const PLAIN_EVERY_MS = 20_000;
const TAIL_CHARACTERS = 20_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Progress goes to stderr, always: stdout belongs to what runs afterwards. */
export function createReporter({ quiet }) {
  const out = process.stderr;
  const live = out.isTTY && !process.env.CI;
  let did = 0;
  /** Steps under way; several may be, and on a terminal they share one line. */
  const active = new Set();
  let ticker = null;
  let frame = 0;

  const secondsOf = (step) => `${Math.round((Date.now() - step.began) / 1000)} s`;
  const words = (step, divider) => `${step.title} · ${secondsOf(step)}${step.note ? `${divider}${step.note}` : ''}`;

  function draw() {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${[...active].map((step) => words(step, ' · ')).join('   ')}`;
    out.write(`\r\x1b[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
  }

  function tell() {
    for (const step of active)
      out.write(`set-up: ${step.title}, ${secondsOf(step)} so far${step.note ? ` (${step.note})` : ''}\n`);
  }

  /** Shows that a step is going on for as long as `work` runs; `note` may change the words. */
  async function during(title, work) {
    did += 1;
    const step = { title, began: Date.now(), note: '' };
    active.add(step);
    ticker ??= setInterval(live ? draw : tell, live ? 100 : PLAIN_EVERY_MS);
    if (!live) out.write(`set-up: ${title} …\n`);
    const end = (mark, how) => {
      active.delete(step);
      if (active.size === 0) {
        clearInterval(ticker);
        ticker = null;
      }
      out.write(`${live ? `\r\x1b[2K${mark} ` : 'set-up: '}${title} · ${secondsOf(step)}${live ? '' : how}\n`);
    };
    try {
      const result = await work((note) => (step.note = note));
      end('✓', '');
      return result;
    } catch (error) {
      end('✗', ', failed');
      throw error;
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

const children = new Set();

/** A set-up that is ended ends its children: a `go build` that goes on in the background would be waited for by nobody. */
function endChildren(signal) {
  for (const child of children) child.kill(signal);
  process.exit(130);
}

/** Runs a command without a terminal; resolves with its output, rejects with the end of it. */
export function command(file, args, { cwd, env = process.env, note, limitMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (children.size === 0) for (const signal of SIGNALS) process.on(signal, endChildren);
    children.add(child);
    let output = '';
    const take = (chunk) => {
      output = (output + chunk).slice(-TAIL_CHARACTERS);
      const line = String(chunk).trim().split('\n').at(-1);
      if (line && note) note(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = limitMs ? setTimeout(() => child.kill('SIGKILL'), limitMs) : null;
    const settle = (how) => {
      children.delete(child);
      if (children.size === 0) for (const signal of SIGNALS) process.off(signal, endChildren);
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
