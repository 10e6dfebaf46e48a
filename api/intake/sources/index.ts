import type { AlertSource } from '../source.ts';
import { alertmanager } from './alertmanager.ts';
import { cloudevents } from './cloudevents.ts';
import { datadog } from './datadog.ts';
import { evidently } from './evidently.ts';
import { falco } from './falco.ts';
import { generic } from './generic.ts';
import { github } from './github.ts';
import { grafana } from './grafana.ts';
import { kserve } from './kserve.ts';
import { mlflow } from './mlflow.ts';
import { pagerduty } from './pagerduty.ts';
import { sns } from './sns.ts';

/** Every source that is known by name. One file each; a new one is added here and in `ALERT_SOURCES`. */
export const SOURCES: readonly AlertSource[] = [
  alertmanager,
  generic,
  grafana,
  pagerduty,
  github,
  cloudevents,
  sns,
  mlflow,
  datadog,
  falco,
  evidently,
  kserve,
];
