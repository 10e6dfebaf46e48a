import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, note, paragraph, table, type Section } from '../document.ts';
import { timelineOf } from '../facts/timeline.ts';
import { at, count, duration } from '../figures.ts';
import { bothWidths } from '../pictures/canvas.ts';
import { gantt } from '../pictures/gantt.ts';

export function timeline(file: CaseFile): Section {
  const times = timelineOf(file);
  if (times.phases.length === 0)
    return { id: 'timeline', title: 'Timeline', blocks: [paragraph('The case log has no entry of any phase.')] };
  return {
    id: 'timeline',
    title: 'Timeline',
    blocks: [
      paragraph(
        `Time runs from the receipt of the alert, ${at(times.zero)}. The station worked ${duration(times.workMs)} and waited ${duration(times.peopleMs)} for people.`,
      ),
      {
        kind: 'picture',
        caption:
          'Phases of the incident. Solid: the station works. Hatched: it waits for a person; between double lines the wait is folded and not to scale. The band on top is what the endpoint did; the triangles are alerts.',
        pictures: bothWidths((width) => gantt(times, file.endpoint, width)),
      },
      table(
        'Durations by phase',
        [column('Phase'), end('Begins at'), end('Station'), end('People'), end('Steps'), end('Failed')],
        times.phases.map((phase) => [
          phase.phase,
          `+${duration(phase.stretches[0]?.from ?? 0)}`,
          duration(phase.workMs),
          phase.peopleMs > 0 ? duration(phase.peopleMs) : '–',
          count(phase.steps),
          phase.failures > 0 ? count(phase.failures) : '–',
        ]),
      ),
      note(
        'A step is recorded when it ends; it is drawn from the end of the step before. Steps that the investigation takes to contain further endpoints count for the phase "contain".',
      ),
    ],
  };
}
