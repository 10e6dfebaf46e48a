/**
 * The catalogue of failures. Each code says what happened, what Lazaret did, and what a person can do; `retryable` is part of the code.
 * docs/failures.md is asserted against this table.
 */
export interface FailureEntry {
  readonly retryable: boolean;
  readonly happened: string;
  readonly did: string;
  readonly remedy: string;
}

export const FAILURES = {
  'storage/unavailable': {
    retryable: true,
    happened: 'S3 did not answer or refused the connection.',
    did: 'Retried with backoff; the endpoint keeps its stance meanwhile.',
    remedy: 'Bring S3 back, then decide "retry" if the phase already waits.',
  },
  'storage/digest-mismatch': {
    retryable: false,
    happened: 'Bytes read from S3 do not have the digest they are referred to by.',
    did: 'Stopped the phase; nothing was used.',
    remedy: 'Treat the store as tampered with: restore the object version that has the digest, then "retry".',
  },
  'storage/not-found': {
    retryable: false,
    happened: 'An object that a reference names is not in S3.',
    did: 'Stopped the phase.',
    remedy: 'Restore the object, then "retry".',
  },
  'endpoint/unreachable': {
    retryable: true,
    happened: 'The endpoint did not answer its admin surface.',
    did: 'Published the contained stance as the desired one, so that it comes up contained; keeps trying to capture.',
    remedy: 'Check the endpoint; take it off the load balancer by hand if it may still answer requests.',
  },
  'endpoint/refused': {
    retryable: false,
    happened: 'The endpoint refused the stance order (signature, revision or model).',
    did: 'Stopped; the stance before the order holds.',
    remedy: 'Read the reason in the timeline; check the trusted keys of the gateway.',
  },
  'endpoint/unknown': {
    retryable: false,
    happened: 'The alert or order names an endpoint that lazaret.yaml does not declare.',
    did: 'Refused it.',
    remedy: 'Declare the endpoint in lazaret.yaml, or mend the label of the alert.',
  },
  'golden/missing': {
    retryable: false,
    happened: 'No golden record is registered for the model.',
    did: 'Isolated the endpoint instead of answering from a shadow.',
    remedy: 'Register one with `lazaret golden register`, then "retry".',
  },
  'golden/untrusted': {
    retryable: false,
    happened: 'The golden record or its model does not verify against the trusted keys.',
    did: 'Refused to use it.',
    remedy: 'Find out who changed it; register a record that verifies.',
  },
  'dataset/invalid': {
    retryable: false,
    happened: 'A data set does not match its signed manifest (truncated, changed, or the wrong columns).',
    did: 'Stopped the phase; nothing was trained on it.',
    remedy: 'Restore the shard that the message names, then "retry".',
  },
  'model/invalid': {
    retryable: false,
    happened: 'A model file could not be read as ONNX.',
    did: 'Recorded it as a finding; the bytes are in evidence.',
    remedy: 'Look at the bytes in the evidence store; go on with the other findings.',
  },
  'analysis/crashed': {
    retryable: false,
    happened: 'An analyser stopped with an error.',
    did: 'Recorded the crash as an inconclusive finding; the others went on.',
    remedy: 'Read the message; decide the plan on the other findings.',
  },
  'analysis/timeout': {
    retryable: false,
    happened: 'An analyser did not end within its time.',
    did: 'Recorded it as an inconclusive finding.',
    remedy: 'Decide the plan on the other findings.',
  },
  'trainer/failed': {
    retryable: false,
    happened: 'The trainer gave the job up; the message carries its own failure type.',
    did: 'Kept the checkpoints; the endpoint stays contained.',
    remedy: 'Mend what the message names, then "retry": the job goes on from its last checkpoint.',
  },
  'trainer/absent': {
    retryable: false,
    happened: 'No trainer took the job within the time allowed.',
    did: 'Kept the job ready to start again; the endpoint stays contained.',
    remedy: 'Start a trainer worker on the queue that lazaret.yaml names, then "retry".',
  },
  'validation/failed': {
    retryable: false,
    happened: 'The candidate did not pass a gate of the validation.',
    did: 'Did not ask for a release; the endpoint stays contained.',
    remedy: 'Read the validation report; "retry" trains nothing new, "abort" leaves the endpoint contained.',
  },
  'release/rolled-back': {
    retryable: false,
    happened: 'The canary did worse than the golden profile allows.',
    did: 'Put the endpoint back into its contained stance.',
    remedy: 'Read the canary figures in the timeline; "retry" tries the canary again.',
  },
  'release/evidence-moved': {
    retryable: false,
    happened: 'The artifact or the validation report is not the one the approvals are about.',
    did: 'Refused to release.',
    remedy: 'Start the release gate again with "retry".',
  },
  'evidence/diverged': {
    retryable: false,
    happened: 'The case log in S3 and the one in the workflow do not have the same root.',
    did: 'Refused to sign a checkpoint.',
    remedy: 'Treat the evidence store as tampered with: compare the log entries with the workflow history.',
  },
  'gate/rejected': {
    retryable: false,
    happened: 'A person rejected what the gate asked about.',
    did: 'Stopped before acting; the endpoint stays contained.',
    remedy:
      'Read the reason in the timeline; "retry" draws the subject up anew, "abort" leaves the endpoint contained.',
  },
  'internal/error': {
    retryable: false,
    happened: 'A step failed in a way the catalogue does not know.',
    did: 'Stopped the phase; the endpoint keeps its stance.',
    remedy: 'Read the message and the logs; "retry" or "abort". Please report it.',
  },
} as const satisfies Record<string, FailureEntry>;

export type FailureCode = keyof typeof FAILURES;

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(FAILURES, text);
}
