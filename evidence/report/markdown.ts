import type { CaseFile } from '../../domain/contracts/activities.ts';
import type { Block, Inline, Text } from './document.ts';
import { legible } from './markup.ts';
import { postMortemOf } from './post-mortem.ts';

/** The post-mortem as GitHub-flavoured Markdown, for merge requests, tickets and chats. Pictures are left to the HTML form. */
export function renderMarkdown(file: CaseFile): string {
  const report = postMortemOf(file);
  const head = [
    `# ${escape(report.title)}`,
    escape(report.subtitle),
    report.badges.map((badge) => `**${escape(badge.text)}**`).join(' · '),
  ];
  const body = report.sections.flatMap((section) => [
    `## ${escape(section.title)}`,
    ...section.blocks.flatMap((block) => {
      const text = blockOf(block);
      return text === '' ? [] : [text];
    }),
  ]);
  return `${[...head, ...body].join('\n\n')}\n`;
}

function blockOf(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return text(block.text);
    case 'note':
      return `> ${text(block.text)}`;
    case 'figures':
      return grid(
        ['Figure', 'Value', ''],
        block.figures.map((figure) => [escape(figure.label), `**${escape(figure.value)}**`, escape(figure.note)]),
      );
    case 'facts':
      return block.facts.map((fact) => `- **${escape(fact.term)}:** ${text(fact.text)}`).join('\n');
    case 'table': {
      const rows = block.rows.map((row) => row.map(text));
      const titles = block.columns.map((column) => escape(column.title));
      return `**${escape(block.caption)}**\n\n${grid(
        titles,
        rows,
        block.columns.map((column) => column.align === 'end'),
      )}`;
    }
    case 'picture':
      return '';
  }
}

function grid(titles: readonly string[], rows: readonly (readonly string[])[], ends: readonly boolean[] = []): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map((_, index) => (ends[index] ? '---:' : '---'))), ...rows.map(line)].join('\n');
}

function text(value: Text): string {
  return isList(value) ? value.map(inline).join('') : inline(value);
}

function isList(value: Text): value is readonly Inline[] {
  return Array.isArray(value);
}

function inline(part: Inline): string {
  if (typeof part === 'string') return escape(part);
  if ('code' in part) return `\`${legible(part.code).replaceAll('`', 'ˋ').replaceAll('|', '¦')}\``;
  if ('strong' in part) {
    // Emphasis must not touch the space at its edge, or it is no emphasis.
    const [, before = '', inner = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(part.strong) ?? [];
    return inner === '' ? before : `${before}**${escape(inner)}**${after}`;
  }
  return `**${escape(part.badge.text)}**`;
}

/**
 * Everything that could begin markup, an HTML element, an entity, a mention or an automatic link is taken its meaning: CommonMark lets any
 * ASCII punctuation be escaped. A leading list or heading sign cannot occur, because no text of a stranger begins a block.
 */
function escape(value: string): string {
  return legible(value)
    .replace(/[\\`*_{}[\]<>|~&#@$]/g, (sign) => (sign === '<' ? '&lt;' : sign === '>' ? '&gt;' : `\\${sign}`))
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/\b(www|mailto|xmpp)(?=[.:])/gi, (word) => `${word}\\`);
}
