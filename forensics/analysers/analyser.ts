import type { AnalyserName, Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';

/**
 * One question to the evidence. `run` takes plain data, opens nothing and says `inconclusive` with a reason where a need is missing; it
 * throws only for a defect, which the caller turns into a finding with `crashed`.
 */
export interface Analyser<Needs, Attachments extends AttachmentSet = NoAttachments> {
  readonly name: AnalyserName;
  readonly question: string;
  run(needs: Needs): Promise<Analysis<Attachments>>;
}

/** JSON values too large for a finding, by name; null where there is nothing to store. */
export type AttachmentSet = Readonly<Record<string, unknown>>;
export type NoAttachments = Readonly<Record<never, never>>;

/** Where each attachment was stored; null exactly where the attachment is null. */
export type Filed<Attachments extends AttachmentSet> = { readonly [Name in keyof Attachments]: ObjectRef | null };

/** What an analyser found: first store the attachments, then `finish` gives the finding that refers to them. */
export interface Analysis<Attachments extends AttachmentSet = NoAttachments> {
  readonly attachments: Attachments;
  finish(filed: Filed<Attachments>): Finding;
}

export function analysis(finding: Finding): Analysis {
  return { attachments: {}, finish: () => finding };
}

/** The reference of an attachment that exists; a caller that did not store it MUST NOT get a finding that hides it. */
export function stored(ref: ObjectRef | null, name: string): ObjectRef {
  if (ref === null) throw new TypeError(`attachment ${name} was not stored`);
  return ref;
}

type Asked = Pick<Finding, 'analyser' | 'question'>;

export function inconclusive(asked: Asked, reason: string): Finding {
  return { ...asked, verdict: 'inconclusive', confidence: null, summary: reason, detail: null, failure: null };
}

/** The finding of an analyser that stopped with an error: a suspect that crashes the examination is itself worth knowing about. */
export function crashed(analyser: AnalyserName, question: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Failure ? error.code : 'analysis/crashed';
  return {
    analyser,
    question,
    verdict: 'inconclusive',
    confidence: null,
    summary: `The question stays open: ${message}`,
    detail: null,
    failure: { code, message },
  };
}
