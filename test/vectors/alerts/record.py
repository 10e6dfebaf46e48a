"""Records what senders' own code puts on the wire, as `recorded-*.json` beside this file: {"headers": …, "body": …}.

python3 -m venv venv && venv/bin/pip install mlflow-skinny cloudevents standardwebhooks evidently 'pandas<2.3'
venv/bin/python test/vectors/alerts/record.py [mlflow] [cloudevents] [evidently]
venv/bin/pip install requests cloudevents==0.3.0   # then 1.2.0
venv/bin/python test/vectors/alerts/record.py kserve

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


def kserve():
    """The steps of components/alibi-detect-server/adserver/server.py of Seldon Core; needs requests, and cloudevents 0.3.0 or 1.2.0."""
    import cloudevents.sdk.event as events
    import requests
    from cloudevents.sdk import converters, marshaller

    try:
        from cloudevents.sdk.event import v02 as version
    except ImportError:
        from cloudevents.sdk.event import v1 as version
    Event, spec = version.Event, {"v02": "0.2", "v1": "1.0"}[version.__name__.removeprefix(events.__name__ + ".")]
    incoming = {
        "ce-specversion": spec,
        "ce-type": "io.seldon.serving.inference.request",
        "ce-source": "io.seldon.serving",
        "ce-id": "3z1",
        "ce-namespace": "development",
        "ce-inferenceservicename": "cifar10",
        "ce-endpoint": "default",
        "ce-requestid": "3z1",
        "content-type": "application/json",
    }
    answer = json.loads(json.loads((HERE / "kserve" / "drift.json").read_text()))
    event = marshaller.NewDefaultHTTPMarshaller().FromRequest(Event(), incoming, b"{}", json.loads)
    reply = Event().SetContentType("application/json").SetData(json.dumps(answer)).SetEventID(event.EventID())
    reply = reply.SetSource("io.seldon.serving.cifar10-drift").SetEventType("io.seldon.serving.inference.drift")
    reply = reply.SetExtensions(event.Extensions())
    headers, data = marshaller.NewDefaultHTTPMarshaller().ToRequest(reply, converters.TypeBinary, json.dumps)
    url = "https://lazaret:kserve-1QaZwSxEdCrFv77@lazaret.example/v1/alerts/kserve"
    sent = requests.Request("POST", url, headers=headers, data=data).prepare()
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()}
    values.pop("Content-Length", None)
    keep(f"kserve/recorded-drift-{spec}.json", values, sent.body)


for name in sys.argv[1:] or ["mlflow", "cloudevents", "evidently"]:
    globals()[name]()
