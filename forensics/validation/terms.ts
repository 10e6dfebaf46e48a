/**
 * What regulators and standards call what a gate measures, each with its place. A term says what a gate speaks to; passing a gate is no
 * conformity with any of them. Sources: Regulation (EU) 2024/1689 (AI Act; Articles 10 and 15 bind high-risk systems), NIST AI 100-1 (AI RMF
 * 1.0), NIST AI 100-2 E2025 (taxonomy of attacks), 29 CFR 1607.4 D, ISO/IEC 42001:2023 Annex A, ISO/IEC TR 24027:2021,
 * ISO/IEC TR 24029-1:2021, ISO/IEC TS 4213:2022, NIST SP 800-53 Rev. 5.
 */
const TERMS: Readonly<Record<string, readonly string[]>> = {
  accuracy: [
    'EU AI Act Art. 15(1): accuracy',
    'NIST AI RMF MEASURE 2.5: valid and reliable',
    'ISO/IEC TS 4213: classification performance',
  ],
  'class-recall': ['EU AI Act Art. 15(1): accuracy', 'ISO/IEC TS 4213: classification performance'],
  calibration: ['EU AI Act Art. 15(1): accuracy', 'NIST AI RMF MEASURE 2.5: valid and reliable'],
  agreement: ['EU AI Act Art. 15(1): consistent performance', 'ISO/IEC 42001 A.6.2.4: verification and validation'],
  drift: ['EU AI Act Art. 15(1): consistent performance', 'ISO/IEC 42001 A.6.2.4: verification and validation'],
  'fairness/selection': [
    'EU AI Act Art. 10(2)(f): possible biases',
    'NIST AI RMF MEASURE 2.11: fairness and bias',
    '29 CFR 1607.4 D: four-fifths rule',
  ],
  'fairness/equalised-odds': [
    'EU AI Act Art. 10(2)(f): possible biases',
    'NIST AI RMF MEASURE 2.11: fairness and bias',
    'ISO/IEC TR 24027: bias in AI systems',
  ],
  'worst-slice': ['EU AI Act Art. 15(1): accuracy', 'NIST AI RMF MEASURE 2.11: fairness and bias'],
  'captured-attack': [
    'EU AI Act Art. 15(5): attempts to alter use, outputs or performance',
    'NIST AI RMF MEASURE 2.7: security and resilience',
  ],
  regression: [
    'EU AI Act Art. 15(5): attempts to alter use, outputs or performance',
    'NIST AI RMF MEASURE 2.7: security and resilience',
  ],
  'recovered-trigger': [
    'EU AI Act Art. 15(5): data poisoning, model poisoning',
    'NIST AI 100-2: backdoor poisoning (NISTAML.023)',
  ],
  'backdoor-scan': [
    'EU AI Act Art. 15(5): data poisoning, model poisoning',
    'NIST AI 100-2: backdoor poisoning (NISTAML.023)',
  ],
  'robustness/pgd': [
    'EU AI Act Art. 15(5): adversarial examples or model evasion',
    'NIST AI 100-2: evasion (NISTAML.022)',
    'ISO/IEC TR 24029-1: robustness of neural networks',
  ],
  robustness: [
    'EU AI Act Art. 15(5): adversarial examples or model evasion',
    'NIST AI 100-2: black-box evasion (NISTAML.025)',
    'ISO/IEC TR 24029-1: robustness of neural networks',
  ],
  membership: [
    'EU AI Act Art. 15(5): confidentiality attacks',
    'NIST AI RMF MEASURE 2.10: privacy risk',
    'NIST AI 100-2: membership inference (NISTAML.033)',
  ],
  graph: ['EU AI Act Art. 15(5): model poisoning', 'NIST AI 100-2: supply chain attacks (NISTAML.05)'],
  'control/drift': [
    'EU AI Act Art. 15(1): consistent performance',
    'NIST AI RMF MEASURE 1.2: effectiveness of existing controls',
  ],
  control: [
    'EU AI Act Art. 15(5): attempts to alter use, outputs or performance',
    'NIST SP 800-53 SI-7(15): code authentication',
    'NIST AI RMF MEASURE 1.2: effectiveness of existing controls',
  ],
  weights: ['EU AI Act Art. 15(4): errors, faults or inconsistencies'],
};

/** Ids are `stem`, `stem:what` or, of fairness, `fairness:attribute:measure`; drift is `drift-place`. */
export function termsOf(id: string): readonly string[] {
  const parts = id.split(':');
  const stem = parts[0] ?? '';
  if (stem === 'fairness') return TERMS[`fairness/${parts[2] ?? ''}`] ?? [];
  if (id === 'control:drift') return TERMS['control/drift'] ?? [];
  if (stem === 'robustness' && parts[1]?.startsWith('pgd')) return TERMS['robustness/pgd'] ?? [];
  return TERMS[stem.startsWith('drift-') ? 'drift' : stem] ?? [];
}

/** Every term once, for the page and its test. */
export const ALL_TERMS: readonly string[] = [...new Set(Object.values(TERMS).flat())];
