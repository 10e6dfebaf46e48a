import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { isSameModel, ModelRefused, type ModelLoader, type ServedModel } from '../model/loader.ts';
import type { GatewayLog } from '../ports.ts';
import { loadedBy, modelsOf, postureOf, type Posture } from './posture.ts';

/** The models of one endpoint, each a thread of its own: which are loaded for the next stance, and which end because no stance needs them. */
export interface ModelsInUse {
  /** Those of a posture whose threads live. */
  alive(posture: Posture): readonly ServedModel[];
  /**
   * The stance with all its models loaded and verified; those that answer already are not loaded again. Throws ModelRefused where one does
   * not verify, else a Failure.
   */
  prepare(stance: Stance, about: { since: () => string; salt: string }, present: () => Posture): Promise<Posture>;
  /** The posture is in force now: its models are ended with `retireAllBut`. */
  adopt(posture: Posture): void;
  /** Ends every adopted model that this posture does not need. */
  retireAllBut(needed: Posture | null): void;
  /** Ends what was prepared and is not wanted any more. */
  discard(prepared: Posture): void;
  /** The gateway is being stopped: nothing new is loaded. */
  close(): void;
}

export interface ModelsInUseNeeds {
  readonly name: string;
  readonly load: ModelLoader;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
}

/** A model that is loaded while another order comes may have to be prepared once more. */
const MAX_PREPARATIONS = 3;

export function createModelsInUse({ name, load, metrics, log }: ModelsInUseNeeds): ModelsInUse {
  /** Every model that was part of a posture, until its thread is ended. */
  const adopted = new Set<ServedModel>();
  let closed = false;

  const alive = (posture: Posture): readonly ServedModel[] =>
    loadedBy(posture)
      .map(([, model]) => model)
      .filter((model) => model.session.alive());

  function retireAllBut(needed: Posture | null): void {
    const kept = new Set(needed ? loadedBy(needed).map(([, model]) => model) : []);
    for (const model of adopted) {
      if (kept.has(model)) continue;
      model.session.retire();
      adopted.delete(model);
    }
  }

  return {
    alive,
    retireAllBut,

    async prepare(stance, about, present) {
      for (let attempt = 0; attempt < MAX_PREPARATIONS; attempt += 1) {
        const models: ServedModel[] = [...alive(present())];
        const fresh: ServedModel[] = [];
        try {
          for (const [, ref] of modelsOf(stance)) {
            if (models.some((model) => isSameModel(model.ref, ref))) continue;
            const model = await load(ref);
            models.push(model);
            fresh.push(model);
            if (closed) throw new Failure('storage/unavailable', 'the gateway is being stopped');
          }
        } catch (error) {
          for (const model of fresh) model.session.retire();
          if (error instanceof ModelRefused) {
            metrics.modelRefused(name, error.reason);
            log.error({ endpoint: name, reason: error.reason, detail: error.message }, 'a model was refused');
          }
          throw error;
        }
        const next = postureOf(stance, models, { salt: about.salt, since: about.since() });
        if (next && loadedBy(next).every(([, model]) => model.session.alive())) return next;
        for (const model of fresh) model.session.retire();
      }
      throw new Failure('internal/error', 'the models of the stance ended while they were being loaded');
    },

    adopt(posture) {
      for (const [, model] of loadedBy(posture)) adopted.add(model);
    },

    discard(prepared) {
      for (const [, model] of loadedBy(prepared)) if (!adopted.has(model)) model.session.retire();
    },

    close() {
      closed = true;
      retireAllBut(null);
    },
  };
}
