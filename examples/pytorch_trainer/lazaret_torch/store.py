"""Objects by reference, verified against their digests, and the trainer's own documents: in S3."""

import hashlib
import os
from typing import Any, Protocol

from .contract import Failure

Ref = dict[str, Any]


class Store(Protocol):
    """`bucket` is `evidence` or `artifacts`; documents lie in the second."""

    def read(self, bucket: str, key: str) -> bytes | None: ...
    def write(self, key: str, content: bytes) -> None: ...
    def keys(self, prefix: str) -> list[str]: ...
    def delete(self, key: str) -> None: ...


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def key_of(digest: str) -> str:
    return f"objects/sha256/{digest.removeprefix('sha256:')}"


def get(store: Store, ref: Ref, missing: str = "trainer/bad-job") -> bytes:
    """The bytes that a reference means. Whoever can write to the bucket can put others there: they MUST be verified before use."""
    content = store.read(ref["store"], key_of(ref["digest"]))
    if content is None:
        raise Failure(missing, f"{ref['name']} is not in the {ref['store']} bucket")
    if len(content) != ref["bytes"] or digest_of(content) != ref["digest"]:
        raise Failure("trainer/input-digest-mismatch", f"{ref['name']}: the bucket holds other bytes than those of {ref['digest']}")
    return content


def put(store: Store, content: bytes, media_type: str, name: str) -> Ref:
    digest = digest_of(content)
    store.write(key_of(digest), content)
    return {"store": "artifacts", "digest": digest, "bytes": len(content), "mediaType": media_type, "name": name}


class S3Store:
    """From LAZARET_S3_*, the variables of the bundled trainer."""

    def __init__(self) -> None:
        import boto3
        from botocore.client import Config

        self._buckets = {name: os.environ[f"LAZARET_S3_{name.upper()}_BUCKET"] for name in ("evidence", "artifacts")}
        config = Config(
            s3={"addressing_style": "path"},
            retries={"mode": "standard", "max_attempts": 5},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=os.environ["LAZARET_S3_ENDPOINT"],
            region_name=os.environ.get("LAZARET_S3_REGION", "us-east-1"),
            aws_access_key_id=os.environ["LAZARET_S3_ACCESS_KEY_ID"],
            aws_secret_access_key=os.environ["LAZARET_S3_SECRET_ACCESS_KEY"],
            config=config,
        )

    def read(self, bucket: str, key: str) -> bytes | None:
        from botocore.exceptions import ClientError

        try:
            return self._call("get_object", Bucket=self._buckets[bucket], Key=key)["Body"].read()
        except ClientError:
            return None

    def write(self, key: str, content: bytes) -> None:
        self._call("put_object", Bucket=self._buckets["artifacts"], Key=key, Body=content)

    def keys(self, prefix: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._buckets["artifacts"], Prefix=prefix)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def delete(self, key: str) -> None:
        self._call("delete_object", Bucket=self._buckets["artifacts"], Key=key)

    def _call(self, name: str, **request: Any) -> Any:
        """Raises ClientError where there is no such object, trainer/storage-unavailable for everything else."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, name)(**request)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                raise
            raise Failure("trainer/storage-unavailable", f"S3: {error.response.get('Error', {}).get('Code', '?')}") from None
        except (BotoCoreError, OSError) as error:
            raise Failure("trainer/storage-unavailable", f"S3: {type(error).__name__}") from None
