"""Records what senders' own code puts on the wire, as `recorded-*.json` beside this file: {"headers": …, "body": …}.

python3 -m venv venv && venv/bin/pip install mlflow-skinny cloudevents standardwebhooks evidently 'pandas<2.3'
venv/bin/python test/vectors/alerts/record.py [mlflow] [cloudevents] [evidently]

The secrets are those of test/api/senders.ts, the clock stands at the moment of test/api/fakes.ts. Versions are in the SOURCE.md of each folder.
"""

import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

HERE = Path(__file__).parent
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.utc)
STANDARD_SECRET = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="


def keep(path, headers, body):
    names = {name.lower(): value for name, value in headers.items()}
    text = body.decode() if isinstance(body, bytes) else body
    (HERE / path).write_text(json.dumps({"headers": names, "body": text}) + "\n")


def mlflow():
    from mlflow.entities.webhook import Webhook, WebhookAction, WebhookEntity, WebhookEvent
    from mlflow.webhooks import delivery

    event = WebhookEvent(WebhookEntity.MODEL_VERSION_TAG, WebhookAction.SET)
    webhook = Webhook("1", "lazaret", "https://lazaret.example/v1/alerts/mlflow", [event], 0, 0, secret="mlflow-9OiKuJyHtGrFe31")
    payload = {"name": "digits", "version": "3", "key": "lazaret.alert", "value": "tampering high"}
    session = mock.Mock()
    with mock.patch.object(delivery, "_validate_webhook_url"), mock.patch.object(time, "time", NOW.timestamp):
        delivery._send_webhook_request(webhook, payload, event, session)
    sent = session.post.call_args.kwargs
    keep("mlflow/recorded-tag-set.json", sent["headers"], sent["data"])


def cloudevents():
    from cloudevents.v1.conversion import to_binary, to_structured
    from cloudevents.v1.http import CloudEvent
    from standardwebhooks import Webhook

    attributes = {"type": "com.example.drift", "source": "/monitors/7", "id": "8f1c-é", "time": "2026-06-01T11:59:30+00:00"}
    data = {"endpoint": "signs", "kind": "drift", "severity": "low", "title": "Konfidenz fällt"}
    for name, convert in (("structured", to_structured), ("binary", to_binary)):
        headers, body = convert(CloudEvent(attributes, data))
        text = body.decode()
        signature = Webhook(STANDARD_SECRET).sign(f"msg_{name}", NOW, text)
        proof = {"webhook-id": f"msg_{name}", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}
        keep(f"cloudevents/recorded-{name}.json", {"content-type": "application/json", **headers, **proof}, text)


def evidently():
    import numpy as np
    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset
    from standardwebhooks import Webhook

    draws = np.random.default_rng(7)
    reference = pd.DataFrame({"speed": draws.normal(0, 1, 400), "angle": draws.normal(0, 1, 400)})
    current = pd.DataFrame({"speed": draws.normal(1, 1, 400), "angle": draws.normal(0, 1, 400)})
    run = Report([DataDriftPreset()], include_tests=True).run(current, reference)
    text = json.dumps({"endpoint": "signs", **run.dict()}, default=str)
    signature = Webhook(STANDARD_SECRET).sign("msg_evidently", NOW, text)
    proof = {"webhook-id": "msg_evidently", "webhook-timestamp": str(int(NOW.timestamp())), "webhook-signature": signature}
    keep("evidently/recorded-run.json", {"content-type": "application/json", **proof}, text)


for name in sys.argv[1:] or ["mlflow", "cloudevents", "evidently"]:
    globals()[name]()
