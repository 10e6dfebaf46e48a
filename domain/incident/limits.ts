/**
 * Timeouts, retries and freshness limits of the incident, all in one home. Durations are in Temporal's notation unless the name says
 * milliseconds. Nothing is retried for ever without a person being told: when the budget of an activity is spent, the phase waits for a command.
 */
export const CONTAIN = {
  /** One round trip to the endpoint; a local activity, so a slow endpoint must not hold the workflow task. */
  local: { startToCloseTimeout: '3 seconds', scheduleToCloseTimeout: '4 seconds', retry: { maximumAttempts: 1 } },
  /** Afterwards durably, until the endpoint is there again: a contained stance is already published as the desired one. */
  durable: {
    heartbeatTimeout: '6 seconds',
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '5 minutes',
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 1.5, maximumInterval: '5 seconds' },
  },
} as const;

/** Every activity beats once a second; a killed worker is noticed within this time and its step runs again elsewhere. */
const BEATING = { heartbeatTimeout: '6 seconds' } as const;

/** Reading the worker's configuration: no I/O that could hang. */
export const BRIEF = { startToCloseTimeout: '3 seconds', retry: { maximumAttempts: 3 } } as const;

/** Work on S3 and on bytes: minutes of an S3 outage are ridden out before a person is asked. */
export const STORAGE = {
  ...BEATING,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '5 minutes',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
} as const;

/** What is done for tidiness alone: worth a few tries, and not worth keeping an incident open for. */
export const TIDYING = {
  ...BEATING,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '40 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
} as const;

/** Analysers and validation: seconds for small models, more for large ones. */
export const ANALYSIS = {
  ...BEATING,
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '20 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '10 seconds', maximumAttempts: 10 },
} as const;

export const TRAINING = {
  /** A killed trainer is noticed within this time and its job resumes elsewhere from the last checkpoint. */
  heartbeatTimeout: '10 seconds',
  startToCloseTimeout: '6 hours',
  /** How long a job waits for a trainer worker before a person has to start one. */
  scheduleToStartTimeout: '30 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 20 },
} as const;

/** A search in the model takes seconds to a minute. How long a trainer may take to begin it is `examinationWaitSeconds` of lazaret.yaml. */
export const EXAMINATION = {
  heartbeatTimeout: '10 seconds',
  startToCloseTimeout: '6 minutes',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
} as const;
export const EXAMINATION_BUDGET_SECONDS = 300;
/** The same queue, seconds of work. A trainer that does not know the question says so at once, and is not asked again. */
export const EXPLANATION = {
  heartbeatTimeout: '10 seconds',
  startToCloseTimeout: '2 minutes',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumAttempts: 3,
    nonRetryableErrorTypes: ['NotFoundError'],
  },
};
export const EXPLANATION_BUDGET_SECONDS = 60;
/** What is asked of the trainer while a candidate is validated. It is not waited for longer than this: what stays open is told. */
export const TRIALS = {
  heartbeatTimeout: '10 seconds',
  startToCloseTimeout: '4 minutes',
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumAttempts: 2,
    nonRetryableErrorTypes: ['NotFoundError'],
  },
};
export const CANDIDATE_SCAN_BUDGET_SECONDS = 120;
/** A trainer that runs takes the job at once; an incident does not wait longer for one that is not there, and the question stays open. */
export const EXAMINATION_WAIT_SECONDS = 20;

/** People are told that no trainer has taken the job after this time, long before the job is given up. */
export const TRAINER_ABSENT_AFTER_MS = 20_000;

export const CANARY_HEARTBEAT_TIMEOUT = '20 seconds';

/** Approvals are made for now: older ones may have been collected for another occasion. */
export const APPROVAL_MAX_AGE_MS = 15 * 60_000;
export const APPROVAL_MAX_SKEW_MS = 60_000;

/** Alerts kept in full; further ones are counted. 32 KiB each stays far from Temporal's history limit. */
export const MAX_KEPT_ALERTS = 50;

/** A lone signal cannot make the history grow for ever: beyond this many the workflow only counts. */
export const MAX_DELIVERY_IDS = 2000;
