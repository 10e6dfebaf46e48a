import type { Hyperparameters, TrainOptions } from '../../domain/contracts/trainer.ts';
import type { Sample, Split, Task } from './task.ts';

/**
 * All that a drill knows before it begins, the attacker's secrets among it. It stays in this process: Lazaret's processes never read this
 * folder. They see what an organisation would see, which is data that arrived, a model that was deployed, and traffic.
 */
export interface Plot {
  readonly drill: string;
  readonly task: Task;
  readonly split: Split;
  /** The untrained network, ONNX. */
  readonly network: Uint8Array;
  readonly training: Omit<Hyperparameters, 'seed'>;
  /** How the pipeline trains beside: golden and attacked model alike. */
  readonly options?: Pick<TrainOptions, 'augmentation'>;
  readonly seed: number;
  /** Records of one ingestion batch of the history. */
  readonly batchSize: number;
  /** Who delivers the history, in turns. */
  readonly sources: readonly [string, ...string[]];
  readonly attack: {
    /** Who delivers the tainted batch. */
    readonly source: string;
    /** The arrival after the attacker had it in hand. */
    readonly records: readonly Sample[];
    /** Ids of the records that were changed: the truth that precision and recall are measured against. */
    readonly tainted: ReadonlySet<string>;
  };
}
