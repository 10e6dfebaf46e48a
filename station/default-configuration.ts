import { stringify } from 'yaml';
import type { PublicKey } from '../domain/contracts/approval.ts';
import type { Ports } from './ports.ts';

export interface ConfiguredPerson {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly key: PublicKey;
  readonly tokenDigest: string;
}

/** Where the endpoints of a new lazaret.yaml are. */
export interface Surfaces {
  readonly admin: string;
  readonly inference: string;
}

export const surfacesOf = (ports: Pick<Ports, 'admin' | 'inference'>): Surfaces => ({
  admin: `http://127.0.0.1:${ports.admin}`,
  inference: `http://127.0.0.1:${ports.inference}`,
});

/** The lazaret.yaml of a new station. It is the user's from then on: the station changes nothing in it but a port that had to move. */
export function defaultConfiguration({ admin, inference }: Surfaces, people: readonly ConfiguredPerson[]): string {
  const place = `    adapter: gateway
    admin: ${admin}
    inference: ${inference}`;
  return `# yaml-language-server: $schema=../docs/lazaret.schema.json
# What Lazaret answers for. Check your changes with \`npm run lazaret -- doctor\`; they take effect when the station starts again.
version: 1

# Each endpoint is one name in front of one gateway (Open Inference Protocol v2: POST <inference>/v2/models/<endpoint>/infer).
# An alert names its endpoint in the label \`endpoint\`.
endpoints:
  # A reading aid for signs: people rely on it, so it goes on answering while it is in quarantine, from the golden model.
  digits:
${place}
    model: digits
    # How much harm a wrong answer does: low, moderate, high or safety. The last two raise the severity of an incident.
    sensitivity: safety
    # What is done at once, without asking anybody, by severity:
    #   shadow    the golden model answers (isolates where no golden model is registered)
    #   isolate   every request is refused with 503
    #   fallback  rules of \`fallback:\` answer
    #   none      the endpoint goes on as it is, watched
    containment:
      critical: shadow
      high: shadow
      medium: shadow
      low: none
    # How a repaired model earns all the traffic back.
    canary:
      share: 0.25
      requests: 200
      timeoutSeconds: 120

  # Nobody is hurt when this one is silent, so in doubt it is.
  digits-kiosk:
${place}
    model: digits
    sensitivity: high
    containment:
      critical: isolate
      high: isolate
      medium: shadow
      low: none

  # Reads old forms at night.
  digits-archive:
${place}
    model: digits
    sensitivity: low

  # Who gets credit: the drill "ledger" (docs/drills.md).
  credit:
${place}
    model: credit
    sensitivity: high
  credit-branch:
${place}
    model: credit
    sensitivity: high
  credit-archive:
${place}
    model: credit
    sensitivity: low

  # Traffic signs in colour: the drill "sticker" with --data traffic-signs (docs/drills.md).
  signs:
${place}
    model: signs
    sensitivity: safety
    containment: { critical: shadow, high: shadow }
  signs-van:
${place}
    model: signs
    sensitivity: safety
  signs-archive:
${place}
    model: signs
    sensitivity: low

# Model families: how one of them is repaired, and what a repaired model must prove.
models:
  digits:
    # The Temporal task queue of the trainer. Any worker that serves the trainer contract there is a trainer.
    queue: trainer
    # A repair goes on from the golden weights, so it takes fewer and smaller steps than the first training. What is not given here comes
    # from the golden record.
    hyperparameters:
      epochs: 12
      learningRate: 0.0005
    budget:
      seconds: 600
      steps: 20000
    # Share of clean training records that may be dropped by mistake.
    taintFalseAlarmBudget: 0.01
    gates:
      maxAccuracyDropPp: 1
      maxAttackSuccess: 0.01

  credit:
    # Small steps: a quarter of the flipped labels may stay unfound, and must not teach what the golden model does not know.
    hyperparameters:
      epochs: 2
      learningRate: 0.0001
    budget:
      seconds: 600
      steps: 20000
    # Honest people default too, and no model knows which: to find most of the flipped labels, some honest ones have to go.
    taintFalseAlarmBudget: 0.1
    # Being under 30 must not decide. Feature 4 is the age as (years - 35) / 10, so the two groups part at 29.5 years.
    fairness:
      favourable: pays
      attributes:
        - name: age
          feature: 4
          threshold: -0.55

  signs:
    # The golden model was trained on shifted and noisy copies; so is a repair, in small steps: what poison stays unfound must not teach.
    hyperparameters:
      epochs: 16
      learningRate: 0.0001
    retraining:
      augmentation: { shiftPixels: 4, noise: 0.05 }
    budget:
      seconds: 600
      steps: 20000

# Who may decide. A person signs approvals with a key of their own, or signs in to the API with a token, which is kept here as its digest only.
# The station made these keys, below .lazaret/people; in a real installation everybody brings their own public key.
${stringify({ people: people.map(personEntry) }, { lineWidth: 0 }).trimEnd()}

# Each inner list asks for one person with one of its roles, and all of them must be different people.
gates:
  plan: [[ml-engineer, security-lead]]
  release: [[security-lead], [model-owner]]
  # Who may retry, skip, abort or cancel.
  command: [on-call, security-lead]
`;
}

function personEntry(person: ConfiguredPerson) {
  return {
    id: person.id,
    name: person.name,
    roles: [...person.roles],
    keys: [person.key],
    tokenDigest: person.tokenDigest,
  };
}

/** Replaces the station's own addresses, and nothing else, after their ports moved. */
export function followPorts(
  text: string,
  from: Pick<Ports, 'admin' | 'inference'>,
  to: Pick<Ports, 'admin' | 'inference'>,
): string {
  const before = surfacesOf(from);
  const after = surfacesOf(to);
  const swap = new Map([
    [before.admin, after.admin],
    [before.inference, after.inference],
  ]);
  return text.replace(/http:\/\/127\.0\.0\.1:\d+/g, (address) => swap.get(address) ?? address);
}
