"""storage: the way to a bucket that speaks S3: who asks, how often it is tried again, and what its errors mean.

The one module that loads obstore, so that a run on a disk needs none. A request that fails for a reason that may pass
(429, 5xx, a broken connection) is tried again by obstore itself, later each time.
"""

import functools
import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from errno import EACCES, EEXIST, EIO, ENOENT
from functools import lru_cache
from typing import Any

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import S3Store
from zarr.storage import ObjectStore

from wsi_area.errors import MissingExtraError, ResultError
from wsi_area.storage.access import Access

RETRIES, FIRST_RETRIES = 10, 5
"""Half a minute and more of patience with a server; less where perhaps nobody is there at all."""

LONGEST_WAIT = timedelta(seconds=15)
GIVEN_UP_AFTER = timedelta(minutes=3)
DEFAULT_REGION = "us-east-1"
"""What a server that knows no regions expects to be signed for; Amazon's own name theirs."""


_open: dict[tuple[str, Access], S3Store] = {}
"""One connection pool for each bucket in a process."""


def bucket_store(bucket: str, access: Access, key: str) -> S3Store:
    """Return the bucket, opened and, the first time, found to be there.

    Parameters
    ----------
    bucket : str
    access : Access
    key : str
        What is asked for first: who may list nothing but what lies below it needs no further right.

    Raises
    ------
    ResultError
        Without keys, or if the bucket is not there or may not be listed.
    """
    if (bucket, access) not in _open:
        _require(bucket, access, key)
        _open[bucket, access] = _opened(bucket, None, access)
    return _open[bucket, access]


def _require(bucket: str, access: Access, key: str) -> None:
    endpoint = _endpoint(access)
    where = f"s3://{bucket}" + (f" at {endpoint}" if endpoint else "")
    try:
        with as_os_errors():
            impatient = _opened(bucket, None, access, FIRST_RETRIES)
            next(iter(obstore.list(impatient, f"{key}/" if key else None)), None)
    except OSError as error:
        raise ResultError(
            f"{where} cannot be opened ({error.strerror}); check the name of the bucket, the endpoint "
            "(storage.endpoint or AWS_ENDPOINT_URL) and that the keys may list it (s3:ListBucket)"
        ) from error


@lru_cache(maxsize=32)
def zarr_bucket(bucket: str, prefix: str, access: Access) -> "ZarrBucket":
    """Return the store that zarr has below a prefix; rooted there, or zarr would mark every prefix above it."""
    return ZarrBucket(_opened(bucket, prefix, access))


def _opened(bucket: str, prefix: str | None, access: Access, retries: int = RETRIES) -> S3Store:
    endpoint = _endpoint(access)
    config: Any = {} if endpoint is None else dict.fromkeys(_endpoint_keys(), endpoint)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    provider = None if _has_keys(access) else _provider(bucket, access)
    if provider is not None:
        region = region or provider.config.get("region")
    return S3Store(
        bucket,
        prefix=prefix,
        region=region or DEFAULT_REGION,
        credential_provider=provider,
        client_options={"allow_http": endpoint is not None and endpoint.startswith("http://")},
        retry_config={
            "max_retries": retries,
            "retry_timeout": GIVEN_UP_AFTER,
            "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": LONGEST_WAIT, "base": 2},
        },
        config=config,
    )


@functools.cache
def _endpoint_keys() -> tuple[str, ...]:
    """Return by which names obstore is told the server; from 0.12 on AWS_ENDPOINT_URL_S3 outdoes the plain one."""
    both: Any = dict.fromkeys(("endpoint", "aws_endpoint_url_s3"), "http://127.0.0.1")
    try:
        S3Store("any", region=DEFAULT_REGION, config=both)
    except UnknownConfigurationKeyError:
        return ("endpoint",)
    return tuple(both)


def _endpoint(access: Access) -> str | None:
    return access.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def _has_keys(access: Access) -> bool:
    """Return True if the keys are in the environment, where obstore finds them by itself."""
    named = access.profile or os.environ.get("AWS_PROFILE")
    return not named and {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(os.environ)


def _provider(bucket: str, access: Access) -> Any:
    """Return the provider of the keys of a profile, of single sign-on or of the machine's own role; it renews them."""
    try:
        import boto3
        import botocore.exceptions
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise MissingExtraError.of("a profile of s3://", "s3", error) from error

    try:
        session = boto3.session.Session(profile_name=access.profile)
        found = session.get_credentials()
    except botocore.exceptions.BotoCoreError as error:
        raise ResultError(
            f"s3://{bucket}: the profile cannot be used ({error}); correct storage.profile or AWS_PROFILE, or see "
            "~/.aws/config"
        ) from error
    if found is None:
        raise ResultError(
            f"s3://{bucket}: no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a "
            "profile of ~/.aws/credentials with storage.profile or AWS_PROFILE"
        )
    return Boto3CredentialProvider(session)


@contextmanager
def as_os_errors(passed_on: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Raise what a bucket answers as the OSError that a disk would have raised; its words are the server's own."""
    try:
        yield
    except passed_on:
        raise
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):  # not "nothing there yet": nothing will ever be
            raise OSError(EIO, _words(error)) from error
        raise FileNotFoundError(ENOENT, "there is no such object") from error
    except AlreadyExistsError as error:
        raise FileExistsError(EEXIST, "the object is there already") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise PermissionError(EACCES, _words(error)) from error
    except BaseError as error:
        raise OSError(EIO, _words(error)) from error


def _words(error: Exception) -> str:
    """Return the words of a server, on one line.

    >>> _words(OSError("Generic S3 error: Error performing PUT http://a/b in 1ms, after 2 retries, max_retries: 2,"
    ...                " retry_timeout: 5s - Server returned non-2xx status code: 503 Service Unavailable: <?xml?>"
    ...                "<Error><Code>SlowDown</Code></Error>"))
    'PUT http://a/b, after 2 retries: 503 Service Unavailable, SlowDown'
    """
    text = str(error).partition("\n\nDebug source")[0]
    request = re.search(r"Error performing ([A-Z]+ \S+) in [^,\s]+(, after \d+ retries)?", text)
    status = re.search(r"status code: (\d{3}[\w ]*)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    lost = re.search(r"HTTP error: (.*)", text)
    if request is None or (status is None and lost is None):
        return " ".join(text.split())
    told = [found[1].strip() for found in (status or lost, code) if found is not None]
    return f"{request[1]}{request[2] or ''}: {', '.join(told)}"


def _translated(method: Any) -> Any:
    @functools.wraps(method)
    async def call(*arguments: Any, **named: Any) -> Any:
        with as_os_errors():
            return await method(*arguments, **named)

    return call


class ZarrBucket(ObjectStore[S3Store]):
    """zarr's own store of a bucket, whose errors are those of a disk: what catches one catches the other."""

    get = _translated(ObjectStore.get)
    get_partial_values = _translated(ObjectStore.get_partial_values)
    exists = _translated(ObjectStore.exists)
    set = _translated(ObjectStore.set)
    set_if_not_exists = _translated(ObjectStore.set_if_not_exists)
    delete = _translated(ObjectStore.delete)
    delete_dir = _translated(ObjectStore.delete_dir)
    getsize = _translated(ObjectStore.getsize)

    async def list_prefix(self, prefix: str) -> AsyncGenerator[str, None]:
        """Yield the keys below a prefix."""
        with as_os_errors():
            async for key in super().list_prefix(prefix):
                yield key
