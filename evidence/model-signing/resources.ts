import { createHash } from 'node:crypto';

/** One file of a model, as it was loaded. `name` is relative to the model's root with `/`; a single file's name is its basename. */
export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A resource descriptor of the OMS predicate (specification v1.0, section 5.2.1). `digest` is 64 hex digits. */
export interface Resource {
  readonly name: string;
  readonly digest: string;
  readonly algorithm: 'sha256';
}

export function resourcesOf(files: readonly ModelFile[]): readonly Resource[] {
  return files
    .map(({ name, bytes }): Resource => ({
      name,
      digest: createHash('sha256').update(bytes).digest('hex'),
      algorithm: 'sha256',
    }))
    .sort((left, right) => compareNames(left.name, right.name));
}

/** Code point order, which is the order of UTF-8 bytes and not of UTF-16 units (section 5.2.1; the two differ above U+FFFF). */
export function compareNames(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}

/** SHA-256 over the raw digests in listed order (section 6.5.1), in hex. */
export function rootDigestOf(resources: readonly { readonly digest: string }[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

/** Canonical paths only (section 6.1.2): relative, no empty, `.` or `..` component, valid Unicode. A name is an attacker's text. */
export function isCanonicalName(name: string): boolean {
  return (
    name.length > 0 &&
    !name.includes('\0') &&
    !/\p{Surrogate}/u.test(name) &&
    name.split('/').every((component) => component !== '' && component !== '.' && component !== '..')
  );
}

/** The first name that is given twice, or null. */
export function repeatedName(named: readonly { readonly name: string }[]): string | null {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}
