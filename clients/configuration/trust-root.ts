import type { TrustRoot } from '../../domain/contracts/approval.ts';
import type { Configuration } from '../../domain/contracts/configuration.ts';
import { verificationKeyOf, verificationKeysFor } from '../../evidence/keys/trusted-keys.ts';
import type { TrustedKey } from '../../evidence/ports.ts';

/** Who may decide what, in the form a workflow can use: people and gates of `lazaret.yaml`, vouchers of `trust.json`. */
export function trustRootOf(configuration: Configuration, trustKeys: readonly TrustedKey[]): TrustRoot {
  const vouchers = verificationKeysFor(trustKeys, 'vouch');
  const people = configuration.people.map(({ id, name, roles, keys }) => ({
    id,
    name,
    roles,
    keys: keys.map(verificationKeyOf),
  }));
  // A kid that names two keys would let one holder speak as the other.
  const kids = [...vouchers, ...people.flatMap((person) => person.keys)].map((key) => key.kid);
  const repeated = kids.find((kid, index) => kids.indexOf(kid) !== index);
  if (repeated !== undefined)
    throw new TypeError(
      `the key id "${repeated}" names two keys: of people in lazaret.yaml, or of a person and a voucher in trust.json`,
    );
  return { people, vouchers, gates: configuration.gates };
}
