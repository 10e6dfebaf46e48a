export { incident } from './incident.ts';
export { retrain } from './retrain.ts';
export { registerGoldenModel } from './register-golden.ts';
