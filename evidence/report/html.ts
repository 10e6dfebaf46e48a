import type { CaseFile } from '../../domain/contracts/activities.ts';
import type { Block, Inline, Section, Text } from './document.ts';
import { Html, html } from './markup.ts';
import { postMortemOf } from './post-mortem.ts';
import { STYLESHEET } from './stylesheet.ts';

/**
 * The post-mortem as one self-contained page: no scripts, no external resources, pictures as inline SVG. The content policy in the page itself forbids scripts, frames, forms and every fetch, so even a mistake in the
 * escaping could not reach out of it.
 */
export function renderHtml(file: CaseFile): string {
  const report = postMortemOf(file);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${report.overline}: ${report.title}</title>
        <style>
          ${new Html(STYLESHEET)}
        </style>
      </head>
      <body>
        <header>
          <p class="overline">${report.overline}</p>
          <h1>${report.title}</h1>
          <p class="subtitle">${report.subtitle}</p>
          <p class="badges">${report.badges.map((badge) => inline({ badge }))}</p>
        </header>
        <nav aria-label="Sections">
          <ol>
            ${report.sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`)}
          </ol>
        </nav>
        <main>${report.sections.map(sectionOf)}</main>
        <footer>
          <p>Drawn up by Lazaret from the case log. Figures that nobody measured are called "not measured".</p>
        </footer>
      </body>
    </html> `;
  return page.markup;
}

function sectionOf(section: Section): Html {
  return html`<section id="${section.id}" aria-labelledby="${section.id}-title">
    <h2 id="${section.id}-title">${section.title}</h2>
    ${section.blocks.map((block, index) => blockOf(block, `${section.id}-${index}`))}
  </section> `;
}

function blockOf(block: Block, id: string): Html {
  switch (block.kind) {
    case 'paragraph':
      return html`<p>${text(block.text)}</p> `;
    case 'note':
      return html`<p class="note">${text(block.text)}</p> `;
    case 'figures':
      return html`<ul class="figures">
        ${block.figures.map(
          (figure) =>
            html`<li class="${figure.tone}">
              <span class="name">${figure.label}</span><strong>${figure.value}</strong
              ><span class="about">${figure.note}</span>
            </li>`,
        )}
      </ul> `;
    case 'facts':
      return html`<dl class="facts">
        ${block.facts.map(
          (fact) =>
            html`<div>
              <dt>${fact.term}</dt>
              <dd>${text(fact.text)}</dd>
            </div>`,
        )}
      </dl> `;
    case 'table':
      return html`<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}">
        <table${block.columns.length > 3 && html` class="broad"`}><caption id="${id}">
            ${block.caption}
          </caption>
          <thead>
            <tr>
              ${block.columns.map(
                (column) => html`<th scope="col" ${column.align === 'end' && html` class="end"`}>${column.title}</th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${block.rows.map(
              (row) =>
                html`<tr>
                  ${row.map((cell, index) => html`<td${block.columns[index]?.align === 'end' && html` class="end"`}>${text(cell)}</td>`)}
                </tr> `,
            )}
          </tbody>
        </table>
      </div> `;
    case 'picture':
      return html`<figure>
        ${block.pictures}
        <figcaption>${block.caption}</figcaption>
      </figure> `;
  }
}

function text(value: Text): Html {
  return isList(value) ? html`${value.map(inline)}` : inline(value);
}

function isList(value: Text): value is readonly Inline[] {
  return Array.isArray(value);
}

function inline(part: Inline): Html {
  if (typeof part === 'string') return html`${part}`;
  if ('code' in part) return html`<code>${part.code}</code>`;
  if ('strong' in part) return html`<strong>${part.strong}</strong>`;
  return html`<span class="badge ${part.badge.tone}">${part.badge.text}</span>`;
}
