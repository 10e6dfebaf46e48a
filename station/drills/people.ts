import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ApprovalStatement } from '../../domain/contracts/approval.ts';
import { createSigner, signCompactJws } from '../../evidence/keys/signer.ts';
import type { RunningStation } from '../describe.ts';

/** Signs a decision as one of the station's people, with that person's own key. */
export async function signDecision(
  station: RunningStation,
  as: { person: string; role: string },
  about: Pick<ApprovalStatement, 'incident' | 'gate' | 'digest' | 'decision' | 'reason'>,
): Promise<string> {
  const person = station.people.find((one) => one.id === as.person);
  if (!person) throw new Error(`the station has no person "${as.person}"`);
  const signer = createSigner({ name: person.id, privatePem: await readFile(person.keyFile, 'utf8') });
  const statement: ApprovalStatement = {
    ...about,
    person: person.id,
    role: as.role,
    vouchedBy: null,
    issuedAt: new Date().toISOString(),
    nonce: randomUUID(),
  };
  return signCompactJws(statement, 'lazaret-approval+jws', signer);
}
