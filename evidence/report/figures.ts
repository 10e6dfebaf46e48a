import type { Interval } from '../../domain/contracts/interval.ts';
import { NOT_MEASURED } from './document.ts';

/** Figures as people read them: with units (behind a no-break space), with their interval, and never more digits than they deserve. */

const thousands = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

export function count(value: number): string {
  return thousands(String(Math.round(value)));
}

export function plural(value: number, word: string, many: string = `${word}s`): string {
  return `${count(value)} ${value === 1 ? word : many}`;
}

/** A duration in milliseconds: `38\u00a0ms`, `4.2 s`, `2 min 05 s`, `3 h 20 min`, `2 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${String(whole % 60).padStart(2, '0')}\u00a0s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}\u00a0h ${String(minutes % 60).padStart(2, '0')}\u00a0min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}\u00a0d ${hours % 24}\u00a0h`;
}

/** Milliseconds since the epoch of an RFC 3339 instant; null where it is none. */
export function instant(text: string | null): number | null {
  const ms = text === null ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** `2026-11-21 05:54:07.041 UTC`: one zone, to the millisecond, sortable. */
export function at(text: string): string {
  const ms = instant(text);
  return ms === null ? text : `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

/** `05:54:07.041`, for rows of one day; the day stands in the caption. */
export function clock(text: string): string {
  const ms = instant(text);
  return ms === null ? text : new Date(ms).toISOString().slice(11, 23);
}

/** A share as percentage; three significant digits near the ends of the scale, where they matter. */
export function percent(share: number): string {
  const value = 100 * share;
  const near = Math.min(Math.abs(value), Math.abs(100 - value));
  return `${value.toFixed(near >= 10 || value === 0 || value === 100 ? 1 : 2).replace(/\.0+$/, '')}\u00a0%`;
}

/** A positive figure over many orders of magnitude: `0.0312`, `4.1·10⁻¹⁹`. */
export function scientific(value: number): string {
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -3 && exponent < 4) return String(Number(value.toPrecision(3)));
  return `${(value / 10 ** exponent).toFixed(1)}·10${superscript(exponent)}`;
}

function superscript(exponent: number): string {
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  return [...String(exponent)].map((sign) => (sign === '-' ? '⁻' : (digits[Number(sign)] ?? ''))).join('');
}

/** Smaller ones are below what a double computes reliably, and no decision depends on them. */
const SMALLEST_P = 1e-15;

export function pValue(p: number): string {
  return p < SMALLEST_P ? '<\u00a010⁻¹⁵' : scientific(p);
}

/** Wilson and Clopper–Pearson intervals are of a proportion, Newcombe's of a difference of two proportions; a bootstrap is of anything, DeLong's of an area. */
function unitOf(interval: Interval): (value: number) => string {
  switch (interval.method) {
    case 'wilson':
    case 'clopper-pearson':
      return percent;
    case 'newcombe':
      return (value) => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(100 * value).toFixed(2)}\u00a0pp`;
    case 'bootstrap':
    case 'delong':
      return (value) => String(Number(value.toPrecision(3)));
  }
}

export function isProportion(interval: Interval): boolean {
  return interval.method === 'wilson' || interval.method === 'clopper-pearson';
}

/** `97.5 % (95 % CI 96.0 % to 98.5 %, n = 360)`. */
export function withInterval(interval: Interval): string {
  const unit = unitOf(interval);
  return `${unit(interval.value)} (${percent(interval.confidence)} CI ${unit(interval.low)} to ${unit(interval.high)}, n\u00a0=\u00a0${count(interval.n)})`;
}

export function measured(figure: Interval | number | string | null): string {
  if (figure === null) return NOT_MEASURED;
  if (typeof figure === 'string') return figure;
  if (typeof figure === 'number') return Number.isFinite(figure) ? scientific(figure) : NOT_MEASURED;
  return withInterval(figure);
}

/** Only the value of a figure, for a headline; its interval stands in the section. */
export function headline(figure: Interval | number | string | null): string {
  return typeof figure === 'object' && figure !== null ? unitOf(figure)(figure.value) : measured(figure);
}

/** `sha256:1f2e3d4c5b6a`: enough for eyes; whole digests stand in the evidence section. */
export function brief(digest: string): string {
  return digest.slice(0, 19);
}
