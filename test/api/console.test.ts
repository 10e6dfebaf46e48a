import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { IncidentState } from '../../domain/incident/state.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { ADA, decode, startApi, type fakeIncidents } from './fakes.ts';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
const withBrowser = BROWSER ? describe : describe.skip;

const HOSTILE = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
const INTERVAL = { value: 0.972, low: 0.95, high: 0.985, confidence: 0.95, n: 360, method: 'wilson' as const };

/** A state as the workflow gives it at the plan gate, with an attacker's words wherever words can be. */
function stateAtThePlanGate(): Partial<IncidentState> {
  const facts = {
    endpoint: 'signs',
    openedAt: '2026-06-01T11:59:00Z',
    alerts: {
      count: 3,
      firing: 3,
      first: { source: 'alertmanager', kind: 'poisoning', title: `Stop signs read as speed limits ${HOSTILE}` },
    },
    phase: 'plan',
    severity: 'critical',
    kind: 'poisoning',
    stage: 'data',
    reasons: ['poisoning starts at high', 'an alert claims critical'],
    stances: { signs: 'isolated', lanes: 'shadow' },
    findings: [
      {
        analyser: 'signature',
        question: 'Who signed what was served?',
        verdict: 'suspicious',
        confidence: null,
        summary: 'Signed by the pipeline, not by the registry.',
        detail: null,
        failure: null,
      },
      {
        analyser: 'behaviour',
        question: 'Does it answer as the golden model does?',
        verdict: 'compromised',
        confidence: 0.99,
        summary: `41 of 52 requests flow to class 7 ${HOSTILE}`,
        detail: null,
        failure: null,
      },
      {
        analyser: 'weights',
        question: 'What changed in the weights?',
        verdict: 'inconclusive',
        confidence: null,
        summary: 'All layers moved a little.',
        detail: null,
        failure: null,
      },
    ],
    plan: {
      action: 'retrain',
      reasons: ['62 records of batch b-0007 disagree with the golden model'],
      drop: { count: 62 },
      dataset: { name: 'digits' },
      checkpoint: { version: 'golden-1' },
    },
    sanitized: null,
    training: {
      progress: {
        jobId: 'j',
        step: 40,
        steps: 120,
        epoch: 1,
        loss: 0.25,
        checkpointStep: 0,
        worker: 'trainer-1',
        curve: [
          { step: 20, loss: 0.5, accuracy: 0.8, attackSuccess: 0.9 },
          { step: 40, loss: 0.25, accuracy: 0.95, attackSuccess: 0.02 },
        ],
      },
      result: null,
    },
    validation: {
      verdict: 'pass',
      gates: [
        {
          id: 'accuracy',
          title: 'Accuracy on the hold-out',
          verdict: 'pass',
          figure: INTERVAL,
          golden: INTERVAL,
          threshold: 'at most 1 point below',
          reason: '',
        },
      ],
    },
    release: null,
    decisions: [],
    log: { size: 17, root: 'ab'.repeat(32) },
    status: 'running',
    waiting: {
      for: 'approval',
      gate: 'plan',
      digest: digestOf('plan'),
      since: '2026-06-01T12:00:00Z',
      missing: [['ml-engineer', 'security-lead']],
      summary: 'Drop 62 records and retrain from the golden checkpoint.',
    },
  };
  return JSON.parse(JSON.stringify(facts));
}

withBrowser('the console in a browser', () => {
  let app: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    ({ app, incidents } = await startApi({}, stateAtThePlanGate));
    incidents.open.add('signs');
    await app.listen(0, '127.0.0.1');
    browser = await chromium.launch({ executablePath: BROWSER ?? '', args: FLAGS.split(' ') });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  it('lets a person sign in, read the incident and approve', async () => {
    await page.goto(await app.getUrl());
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Nobody in lazaret.yaml has this token.').waitFor();
    errors.length = 0;
    await page.getByLabel('Token').fill(ADA);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'signs-0123abcd' }).click();
    await page.getByRole('heading', { name: /poisoning on signs/ }).waitFor();
    await page.getByText('event: forged').waitFor();
    if (process.env['LAZARET_SCREENSHOTS']) await screenshots(page, process.env['LAZARET_SCREENSHOTS']);

    await page.getByRole('button', { name: 'Reject' }).click();
    await page.getByText('“Reject” asks for a reason.').waitFor();
    await page.getByLabel('Reason').first().fill('the list was checked by hand');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.locator('#announce', { hasText: 'Accepted.' }).waitFor({ state: 'attached' });
    expect(decode(incidents.statements.at(-1) ?? '')).toMatchObject({
      person: 'ada',
      decision: 'approve',
      gate: 'plan',
      role: 'security-lead',
      reason: 'the list was checked by hand',
    });
    expect(errors).toEqual([]);
  }, 60_000);

  it('lets a person set the severity, with a reason', async () => {
    await page.getByText('Change the severity').click();
    const form = page.locator('details', { hasText: 'Change the severity' });
    await form.getByRole('button', { name: 'Low' }).click();
    await form.getByText('“Low” asks for a reason.').waitFor();
    await form.getByLabel('Reason').fill('a lab copy');
    await form.getByRole('button', { name: 'Low' }).click();
    await page.waitForFunction('document.querySelector("details[open] textarea").value === ""');
    expect(decode(incidents.statements.at(-1) ?? '')).toMatchObject({ decision: 'severity-low', gate: 'incident' });
  }, 60_000);

  it('draws the curves of a training that is going on', async () => {
    const curves = page.getByRole('img', {
      name: 'Curves up to step 40: loss 0.25, accuracy 0.95, attack success 0.02',
    });
    expect(await curves.locator('polyline').count()).toBe(3);
    expect(await curves.locator('polyline.loss').getAttribute('points')).toBe('160.0,0.0 320.0,48.0');
  });

  it('shows hostile texts as texts', async () => {
    expect(await page.title()).not.toContain('owned');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('.lead').textContent()).toContain('<script>');
  });

  it('forgets the token with the session', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });
});

/** For people who change the page: LAZARET_SCREENSHOTS=<folder>. */
async function screenshots(page: Page, folder: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: `${folder}/incident-${scheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: `${folder}/incident-narrow.png`, fullPage: true });
  await page.setViewportSize({ width: 1200, height: 900 });
}
