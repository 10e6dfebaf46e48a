"""Where bytes come from and go to: content-addressed objects and the trainer's own documents, in S3."""

import hashlib
import io
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any, Literal, Protocol, TypeVar

import boto3.session
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from .contract import ObjectRef
from .failures import FailureType, TrainerFailure
from .settings import S3Settings

T = TypeVar("T")

CONNECT_SECONDS = 1.0
READ_SECONDS = 5.0
PAUSES_SECONDS = (0.2, 0.5, 1.0)
"""Between tries of one call. A longer outage is the station's to ride out: the job fails as retryable and goes on from its checkpoint."""

SPOOL_BYTES = 64 * 2**20
"""Smaller objects are read into memory, larger ones into a scratch file, by CHUNK_BYTES."""
CHUNK_BYTES = 2**20

GONE = ("404", "NoSuchKey", "NotFound")


class Storage(Protocol):
    """Objects are read by reference and verified before they are returned; documents are the trainer's own, in the artifacts bucket."""

    def get(self, ref: ObjectRef, missing: FailureType) -> bytes:
        """The bytes. Fails with `missing` where there is no such object, with trainer/input-digest-mismatch where it is another."""
        ...

    def spooled(self, ref: ObjectRef, missing: FailureType) -> IO[bytes]:
        """The same bytes, verified, as a file to read and close: they may be more than memory holds."""
        ...

    def put(self, content: bytes, media_type: str, name: str) -> ObjectRef:
        """Writes an artifact under its digest. Idempotent."""
        ...

    def has(self, ref: ObjectRef) -> bool: ...

    def read_document(self, key: str) -> bytes | None: ...

    def write_document(self, key: str, content: bytes, media_type: str) -> None: ...

    def list_documents(self, prefix: str) -> list[str]:
        """Keys in ascending order."""
        ...

    def delete_document(self, key: str) -> None: ...


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def object_key(digest: str) -> str:
    """The key of a content-addressed object in either bucket."""
    return f"objects/sha256/{digest.removeprefix('sha256:')}"


def verified(content: bytes, ref: ObjectRef) -> bytes:
    """The bytes again, or the failure that they are not the ones the reference means: someone changed the store."""
    if len(content) != ref.bytes or digest_of(content) != ref.digest:
        raise _another(len(content), ref)
    return content


def sized(length: int, ref: ObjectRef) -> None:
    """Refuses an object by its size, before it is read: what was put there instead may be of any size."""
    if length != ref.bytes:
        raise TrainerFailure(
            "trainer/input-digest-mismatch",
            f"{ref.name}: the {ref.store} bucket holds {length} bytes where {ref.digest} has {ref.bytes}",
        )


def _another(length: int, ref: ObjectRef) -> TrainerFailure:
    return TrainerFailure(
        "trainer/input-digest-mismatch",
        f"{ref.name}: the {ref.store} bucket holds {length} bytes that are not the {ref.bytes} bytes of {ref.digest}",
    )


class S3Storage:
    """`waiting` is called in pauses with their seconds and may raise, so that a cancelled job does not sit out the retries."""

    def __init__(self, settings: S3Settings, waiting: Callable[[float], None] = time.sleep):
        self._buckets = {"evidence": settings.evidence_bucket, "artifacts": settings.artifacts_bucket}
        self._waiting = waiting
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                # Other S3 servers than Amazon's do not all know the trailing checksums; the digest is checked here anyway.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                proxies={},
            ),
        )

    def waiting_with(self, waiting: Callable[[float], None]) -> "S3Storage":
        """The same connection for one job."""
        copy = object.__new__(S3Storage)
        copy.__dict__.update(self.__dict__, _waiting=waiting)
        return copy

    def get(self, ref: ObjectRef, missing: FailureType) -> bytes:
        def read() -> bytes:
            answer = self._client.get_object(Bucket=self._buckets[ref.store], Key=object_key(ref.digest))
            sized(answer["ContentLength"], ref)
            return answer["Body"].read()

        content = self._try(f"read {ref.name}", read)
        if content is None:
            raise TrainerFailure(missing, f"{ref.name}: {ref.digest} is not in the {ref.store} bucket")
        return verified(content, ref)

    def spooled(self, ref: ObjectRef, missing: FailureType) -> IO[bytes]:
        if ref.bytes <= SPOOL_BYTES:
            return io.BytesIO(self.get(ref, missing))
        file = tempfile.TemporaryFile(prefix="lazaret-object-")  # noqa: SIM115 the caller closes it

        def read() -> str:
            answer = self._client.get_object(Bucket=self._buckets[ref.store], Key=object_key(ref.digest))
            sized(answer["ContentLength"], ref)
            file.seek(0)
            file.truncate()
            digest = hashlib.sha256()
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
            return f"sha256:{digest.hexdigest()}"

        try:
            digest = self._try(f"read {ref.name}", read)
            if digest is None:
                raise TrainerFailure(missing, f"{ref.name}: {ref.digest} is not in the {ref.store} bucket")
            if digest != ref.digest:
                raise _another(file.tell(), ref)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def put(self, content: bytes, media_type: str, name: str) -> ObjectRef:
        digest = digest_of(content)
        self._put(object_key(digest), content, media_type)
        return ObjectRef(store="artifacts", digest=digest, bytes=len(content), media_type=media_type, name=name)

    def has(self, ref: ObjectRef) -> bool:
        bucket = self._buckets[ref.store]
        head = self._try(f"look for {ref.name}", lambda: self._client.head_object(Bucket=bucket, Key=object_key(ref.digest)))
        return head is not None and head["ContentLength"] == ref.bytes

    def read_document(self, key: str) -> bytes | None:
        return self._try(f"read {key}", lambda: self._client.get_object(Bucket=self._buckets["artifacts"], Key=key)["Body"].read())

    def write_document(self, key: str, content: bytes, media_type: str) -> None:
        self._put(key, content, media_type)

    def list_documents(self, prefix: str) -> list[str]:
        def listed() -> list[str]:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._buckets["artifacts"], Prefix=prefix)
            return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

        return self._try(f"list {prefix}", listed) or []

    def delete_document(self, key: str) -> None:
        self._try(f"delete {key}", lambda: self._client.delete_object(Bucket=self._buckets["artifacts"], Key=key))

    def _put(self, key: str, content: bytes, media_type: str) -> None:
        def write() -> Literal[True]:
            self._client.put_object(Bucket=self._buckets["artifacts"], Key=key, Body=content, ContentType=media_type)
            return True

        if self._try(f"write {key}", write) is None:
            raise TrainerFailure("trainer/storage-unavailable", f"cannot write {key}: the bucket does not exist")

    def _try(self, what: str, call: Callable[[], T]) -> T | None:
        """The answer, or None where the object is not there. A few tries; then trainer/storage-unavailable."""
        for pause in (*PAUSES_SECONDS, None):
            try:
                return call()
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", "?"))
                if code in GONE:
                    return None
                reason, final = f"S3 answered {code}", error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
            except (BotoCoreError, HTTPClientError, OSError) as error:
                reason, final = type(error).__name__, False
            if pause is None or final:
                raise TrainerFailure("trainer/storage-unavailable", f"cannot {what}: {reason}") from None
            self._waiting(pause)
        raise AssertionError("unreachable")
