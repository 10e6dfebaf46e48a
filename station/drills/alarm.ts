/** What a monitor of the organisation noticed: by its own rules, and without knowing what is behind it. */
export interface Alarm {
  readonly name: string;
  /** An incident kind that the sender claims. */
  readonly kind: string;
  readonly severity: string;
  readonly summary: string;
}

/** Alertmanager's webhook payload, version 4, as its documentation and a recorded sample have it. */
export function alertmanagerPayload(endpoint: string, alarm: Alarm, at: Date): unknown {
  const labels = { alertname: alarm.name, endpoint, kind: alarm.kind, severity: alarm.severity };
  const annotations = { summary: alarm.summary };
  return {
    receiver: 'lazaret',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations,
        startsAt: at.toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: at.getTime().toString(16).padStart(16, '0'),
      },
    ],
    groupLabels: { alertname: labels.alertname, endpoint },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager.invalid',
    version: '4',
    groupKey: `{}:{alertname="${labels.alertname}", endpoint="${endpoint}"}`,
    truncatedAlerts: 0,
  };
}
