import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { readContainer, writeContainer } from '../../../evidence/bundle/container.ts';

const packed = (files: ReadonlyMap<string, Uint8Array>) => new Uint8Array(Buffer.concat([...writeContainer(files)]));
const name = fc.stringMatching(/^[a-z0-9][a-z0-9./_-]{0,30}$/);
const content = fc.uint8Array({ maxLength: 1_500 });
const files = fc.array(fc.tuple(name, content), { minLength: 1, maxLength: 6 }).map((pairs) => new Map(pairs));

describe('the container', () => {
  it('gives back what was put in, in one form whatever the order', () => {
    fc.assert(
      fc.property(files, (given) => {
        const bytes = packed(given);
        const opened = readContainer(bytes);
        expect('files' in opened && new Map([...opened.files].map(([key, value]) => [key, [...value]]))).toEqual(
          new Map([...given].map(([key, value]) => [key, [...value]])),
        );
        expect(Buffer.compare(bytes, packed(new Map([...given].reverse())))).toBe(0);
      }),
    );
  });

  it("is a tar archive that others read: tar-stream and the system's tar", async () => {
    const bytes = packed(
      new Map([
        ['log/00000000.json', new TextEncoder().encode('{}')],
        ['README.txt', new Uint8Array(600)],
      ]),
    );
    const seen: [string, number | undefined][] = [];
    const stream = extract();
    stream.on('entry', (header, body, next) => {
      seen.push([header.name, header.size]);
      body.resume();
      body.on('end', next);
    });
    const done = new Promise<void>((resolve) => stream.on('finish', () => resolve()));
    stream.end(Buffer.from(bytes));
    await done;
    expect(seen).toEqual([
      ['README.txt', 600],
      ['log/00000000.json', 2],
    ]);
    expect(execFileSync('tar', ['-tf', '-'], { input: bytes, encoding: 'utf8' })).toBe(
      'README.txt\nlog/00000000.json\n',
    );
  });

  it('has no place for a path that leads out, a link, an owner or a time', () => {
    for (const bad of ['../x', '/etc/passwd', 'a\\b', 'a b', '', '\u0000', 'x'.repeat(101)]) {
      expect(() => packed(new Map([[bad, new Uint8Array()]]))).toThrow(RangeError);
    }
    const link = packed(new Map([['a', new Uint8Array()]]));
    link[156] = '2'.charCodeAt(0);
    expect(readContainer(link)).toMatchObject({ place: 'a', detail: expect.stringMatching(/canonical/) });
  });

  it('refuses entries out of order or twice, and whatever hides behind the end', () => {
    const [a, b] = [packed(new Map([['a', new Uint8Array(1)]])), packed(new Map([['b', new Uint8Array(1)]]))];
    const entry = (bytes: Uint8Array) => bytes.subarray(0, 1024);
    const end = new Uint8Array(1024);
    const read = (...parts: Uint8Array[]) => readContainer(new Uint8Array(Buffer.concat(parts)));
    expect('files' in read(entry(a), entry(b), end)).toBe(true);
    expect(read(entry(b), entry(a), end)).toMatchObject({ place: 'a', detail: expect.stringMatching(/order/) });
    expect(read(entry(a), entry(a), end)).toMatchObject({ place: 'a' });
    expect(read(entry(a), end, entry(b), end)).toMatchObject({ place: 'the end mark' });
    expect(read(entry(a), end, new Uint8Array(512))).toMatchObject({ place: 'the end mark' });
    expect(read(entry(a))).toMatchObject({ place: 'the end mark' });
    expect(read(a.subarray(0, 700))).toMatchObject({ place: 'a', detail: 'the entry is cut off' });
  });

  it('does not believe a size that the file does not have', () => {
    const bytes = packed(new Map([['a', new Uint8Array(1)]]));
    bytes.set(new TextEncoder().encode('77777777777'), 124);
    expect('files' in readContainer(bytes)).toBe(false);
  });
});
