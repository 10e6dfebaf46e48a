"""The worker's environment."""

import json
import logging

import pytest

from lazaret_trainer import logs, settings

COMPLETE = {
    "LAZARET_S3_ENDPOINT": "http://127.0.0.1:7070",
    "LAZARET_S3_ACCESS_KEY_ID": "key",
    "LAZARET_S3_SECRET_ACCESS_KEY": "very-secret",
    "LAZARET_S3_EVIDENCE_BUCKET": "evidence",
    "LAZARET_S3_ARTIFACTS_BUCKET": "artifacts",
    "LAZARET_TEMPORAL_ADDRESS": "127.0.0.1:7233",
}


def test_a_complete_environment_is_read_with_its_defaults():
    read = settings.load(COMPLETE)
    assert (read.queue, read.temporal_namespace, read.s3.region, read.cache) == ("trainer", "default", "us-east-1", None)


def test_every_problem_is_reported_at_once():
    with pytest.raises(settings.SettingsError) as caught:
        settings.load({"LAZARET_S3_ENDPOINT": "ftp://x", "LAZARET_TEMPORAL_ADDRESS": "nowhere"})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "LAZARET_S3_ENDPOINT",
        "LAZARET_S3_ACCESS_KEY_ID",
        "LAZARET_S3_SECRET_ACCESS_KEY",
        "LAZARET_S3_EVIDENCE_BUCKET",
        "LAZARET_S3_ARTIFACTS_BUCKET",
        "LAZARET_TEMPORAL_ADDRESS",
    ]


def test_a_secret_may_come_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("from-file\n")
    environment = {**COMPLETE, "LAZARET_S3_SECRET_ACCESS_KEY": "", "LAZARET_S3_SECRET_ACCESS_KEY_FILE": str(file)}
    assert settings.load(environment).s3.secret_access_key == "from-file"


@pytest.mark.parametrize("direct", ["very-secret", ""])
def test_a_secret_given_twice_or_from_a_missing_file_is_a_problem(direct):
    environment = {**COMPLETE, "LAZARET_S3_SECRET_ACCESS_KEY": direct, "LAZARET_S3_SECRET_ACCESS_KEY_FILE": "/nowhere/secret"}
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environment)
    assert len(caught.value.problems) == 1
    assert "very-secret" not in str(caught.value)


def test_the_secret_is_in_no_printed_form():
    assert "very-secret" not in repr(settings.load(COMPLETE))


def test_an_event_is_one_line_of_json():
    record = logging.LogRecord("lazaret_trainer.x", logging.INFO, __file__, 1, "two\nlines %s", ("!",), None)
    record.job = "j"
    line = logs.JsonLines().format(record)
    assert "\n" not in line
    assert {"level": "info", "msg": "two\nlines !", "job": "j"}.items() <= json.loads(line).items()


def test_the_idle_time_is_a_number_of_seconds_or_nothing():
    assert settings.load(COMPLETE).idle_seconds is None
    assert settings.load({**COMPLETE, "LAZARET_TRAINER_IDLE_SECONDS": "90"}).idle_seconds == 90
    for wrong in ("0", "-1", "soon", "inf", "nan"):
        with pytest.raises(settings.SettingsError, match="LAZARET_TRAINER_IDLE_SECONDS"):
            settings.load({**COMPLETE, "LAZARET_TRAINER_IDLE_SECONDS": wrong})
