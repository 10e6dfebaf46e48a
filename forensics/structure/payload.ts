/** What a payload looks like, in bytes and in text. */
interface Magic {
  readonly what: string;
  readonly bytes: Buffer;
  /** Further evidence at the place of the magic; four chance bytes in a gigabyte of weights MUST NOT be an alarm. */
  readonly holds: (bytes: Uint8Array, at: number) => boolean;
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const u16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) + u16(bytes, at + 2) * 65536;
const always = (): boolean => true;

const MAGICS: readonly Magic[] = [
  {
    what: 'an ELF program',
    bytes: ascii('\x7fELF'),
    holds: (bytes, at) =>
      [1, 2].includes(bytes[at + 4] ?? 0) && [1, 2].includes(bytes[at + 5] ?? 0) && bytes[at + 6] === 1,
  },
  { what: 'a Windows program', bytes: ascii('This program cannot be run in DOS mode'), holds: always },
  {
    what: 'a ZIP archive',
    bytes: ascii('PK\x03\x04'),
    holds: (bytes, at) =>
      u16(bytes, at + 4) <= 63 &&
      [0, 8, 12, 14, 93].includes(u16(bytes, at + 8)) &&
      u16(bytes, at + 26) < 256 &&
      u16(bytes, at + 26) > 0,
  },
  {
    what: 'a Mach-O program',
    bytes: Buffer.from([0xcf, 0xfa, 0xed, 0xfe]),
    holds: (bytes, at) => [0x01000007, 0x0100000c].includes(u32(bytes, at + 4)) && u32(bytes, at + 12) <= 12,
  },
  {
    what: 'a Python pickle',
    bytes: Buffer.from([0x80, 0x04, 0x95]),
    holds: (bytes, at) =>
      u32(bytes, at + 7) === 0 && u32(bytes, at + 3) > 0 && u32(bytes, at + 3) <= bytes.length - at - 11,
  },
  { what: 'a Python pickle that runs a command', bytes: ascii('cposix\nsystem\n'), holds: always },
  { what: 'a Python pickle that runs a command', bytes: ascii('cos\nsystem\n'), holds: always },
  { what: 'a Python pickle that runs a command', bytes: ascii('c__builtin__\n'), holds: always },
  { what: 'a Python pickle that runs a command', bytes: ascii('cbuiltins\n'), holds: always },
  { what: 'a shell script', bytes: ascii('#!/bin/'), holds: always },
  { what: 'a script', bytes: ascii('#!/usr/bin/'), holds: always },
  { what: 'a 7-Zip archive', bytes: Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]), holds: always },
];

/** The first payload in the bytes, or null. Linear in the length. */
export function payloadIn(bytes: Uint8Array): string | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length > 64 && buffer[0] === 0x4d && buffer[1] === 0x5a && pe(buffer)) return 'a Windows program';
  if (isGzip(buffer)) return 'a gzip archive';
  for (const { what, bytes: magic, holds } of MAGICS)
    for (let at = buffer.indexOf(magic); at >= 0; at = buffer.indexOf(magic, at + 1))
      if (holds(buffer, at)) return `${what} at byte ${at}`;
  return null;
}

/** At the beginning only: its magic is too short to be told from weights elsewhere. */
function isGzip(buffer: Buffer): boolean {
  return (
    buffer.length > 18 &&
    buffer[0] === 0x1f &&
    buffer[1] === 0x8b &&
    buffer[2] === 8 &&
    (buffer[3] ?? 255) < 32 &&
    [0, 2, 4].includes(buffer[8] ?? 1)
  );
}

function pe(buffer: Buffer): boolean {
  const at = buffer.readUInt32LE(60);
  return at + 4 <= buffer.length && buffer.readUInt32LE(at) === 0x4550;
}

/** Texts that some interpreter would run, or that a page or terminal would. Exporters write stack traces, so calls alone are no sign. */
const CODE: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a script element', /<\s*(script|iframe|object|embed)\b|\bon(error|load)\s*=\s*["']/i],
  ['an address that runs', /\b(javascript|vbscript)\s*:\s*\S|\bdata:text\/html/i],
  ['a JNDI look-up', /\$\{\s*(jndi|env|lower|upper|::-)/i],
  [
    'a template injection',
    /\{\{[^}]{0,200}(__class__|__globals__|config|self\.|request\.|cycler)|\{%[^%]{0,80}\bimport\b/,
  ],
  [
    'Python that reaches the system',
    /\b(os\.(system|popen|exec[lv]p?e?)|subprocess\.(run|Popen|call|check_output)|pty\.spawn|__import__\s*\(|builtins\.|ctypes\.(CDLL|windll)|pickle\.loads?\s*\(|marshal\.loads)/,
  ],
  [
    'Python that runs text',
    /(^|[^.\w])(eval|exec|compile)\s*\(\s*(["'(]|base64|b64decode|bytes|codecs|zlib|open|requests|input|globals|__)/,
  ],
  [
    'a shell command',
    /\b(curl|wget|fetch)\s[^\n]{0,300}\|\s*(ba|z|da)?sh\b|\/bin\/(ba|z|da)?sh\b[^\n]{0,40}(-[ic]\b|[<>&|])|\/dev\/tcp\/|\bnc\s+-[a-z]*e\b|\bchmod\s+\+x\b|\brm\s+-rf\s+[/~]/,
  ],
  [
    'a PowerShell command',
    /\bpowershell(\.exe)?\b[^\n]{0,200}-(e|enc|encodedcommand|nop|w|windowstyle|c|command)\b|\bIEX\s*\(|Invoke-(Expression|WebRequest)/i,
  ],
  ['PHP', /<\?php\b|<\?=/],
  ['a program for Windows', /\bcmd(\.exe)?\s+\/c\b|\b(rundll32|regsvr32|mshta|certutil)(\.exe)?\s+\S/i],
  ['an entity of XML', /<!(ENTITY|DOCTYPE)\b[^>]{0,200}\b(SYSTEM|ENTITY)\b/],
  [
    'an instruction to a language model',
    /\b(ignore|disregard|forget)\s+(all\s+|any\s+)?(the\s+)?(previous|prior|above|earlier)\s+(instructions?|prompts?|rules?)/i,
  ],
  ['a secret key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
];

export function codeIn(text: string): string | null {
  for (const [what, pattern] of CODE) if (pattern.test(text)) return what;
  return null;
}

const ADDRESS = /\b(https?|ftp|file|smb|ldap|rmi|wss?|gopher|tftp):\/\/([^\s"'<>/]{1,255})([^\s"'<>]{0,1024})/gi;
const PROGRAM = /\.(exe|dll|so|sh|ps1|bat|cmd|scr|vbs|jar|apk|msi|hta|pkl|pickle|elf|bin)([?#]|$)/i;

/** Addresses that documentation does not have: bare numbers for hosts, passwords, odd ports, programs to fetch, other protocols than the web's. */
export function oddAddressIn(text: string): string | null {
  for (const [whole, scheme = '', host = '', path = ''] of text.matchAll(ADDRESS)) {
    const shown = JSON.stringify(whole.slice(0, 80));
    if (!/^https?$/i.test(scheme) && !/^file$/i.test(scheme)) return `address ${shown} of an odd protocol`;
    if (host.includes('@')) return `address ${shown} with a password`;
    if (/^(\d{1,3}\.){3}\d{1,3}(:|$)|^\[|^0x|^\d{8,10}(:|$)/i.test(host)) return `address ${shown} of a bare machine`;
    if (
      /\.onion(:|$)|^(pastebin|transfer|webhook|ngrok|burpcollaborator|interact)\b|\.(ngrok(-free)?\.(io|app)|oast\.\w+)(:|$)/i.test(
        host,
      )
    )
      return `address ${shown} of a drop`;
    if (PROGRAM.test(path)) return `address ${shown} of a program`;
  }
  return null;
}

/** Bits per character of a text's own distribution. */
export function entropy(bytes: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  let sum = 0;
  for (const count of counts) if (count > 0) sum -= (count / bytes.length) * Math.log2(count / bytes.length);
  return sum;
}

const ENCODED = /[A-Za-z0-9+/_-]{200,}={0,2}|(?:[0-9a-fA-F]{2}){160,}/g;
/** Decoded bytes above this are compressed or encrypted (512 random bytes have 7.6 bits each, text below 5). */
const DENSE = 6.5;
/** Bytes looked at for each run: enough for any header and a steady entropy. */
const SAMPLE = 65_536;

/** A long run of base64 or hex that is a payload, code or noise once decoded. */
export function encodedIn(text: string): string | null {
  for (const [run] of text.matchAll(ENCODED)) {
    const hex = /^[0-9a-f]+$/i.test(run);
    const decoded = Buffer.from(run.slice(0, SAMPLE), hex ? 'hex' : 'base64');
    const inside = payloadIn(decoded) ?? codeIn(decoded.toString('latin1'));
    if (inside !== null) return `${run.length} characters of ${hex ? 'hex' : 'base64'} hide ${inside}`;
    // Long identifiers and paths are words: they lack the mix of digits and cases.
    const mixed =
      hex || (/[0-9]/.test(run) && /[a-z]/.test(run) && /[A-Z]/.test(run) && entropy(Buffer.from(run)) > 5.3);
    const threshold = decoded.length < 300 ? DENSE - 0.3 : DENSE;
    if (mixed && entropy(decoded) > threshold)
      return `${run.length} characters of ${hex ? 'hex' : 'base64'} hide dense bytes`;
  }
  return null;
}
