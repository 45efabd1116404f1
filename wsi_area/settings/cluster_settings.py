"""settings: what lies beyond this machine: a cluster, a scheduler's certificates, object storage; never a key itself.

One name for each thing; how a scheduler calls it is written in one place each.
"""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wsi_area.storage.access import Access

_MEMORY_UNITS_MIB = {"M": 1, "G": 1 << 10, "T": 1 << 20}
_NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"


class ClusterSettings(BaseModel):
    """What one job gets, and how many there are."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    cores: int = Field(4, ge=1, description="processor cores of one job, and how many tiles it measures at once")
    memory: str = Field("16G", pattern=r"^[1-9]\d*[MGT]$", description="memory of one job: 16000M, 16G, 1T")
    jobs: int = Field(8, ge=1, description="how many jobs share the slides; with run.executor=slurm at most")
    min_jobs: int = Field(1, ge=1, description="with run.executor=slurm: jobs kept however little is left to do")
    walltime: str = Field(
        "12:00:00", pattern=r"^(\d+-)?\d{1,3}:[0-5]\d:[0-5]\d$", description="of one job: hh:mm:ss or d-hh:mm:ss"
    )
    queue: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.,-]+$", description="queue or partition; left out: the cluster's own choice"
    )
    scratch: str | None = Field(None, pattern=_NO_CONTROL, description="local folder of a node for temporary files")
    account: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]+$", description="who pays, where a cluster asks")
    interface: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="with run.executor=slurm: the network card that nodes share, such as ib0",
    )

    @model_validator(mode="after")
    def _keeps_no_more_than_it_may_have(self) -> "ClusterSettings":
        if self.min_jobs > self.jobs:
            raise ValueError(f"cluster.min_jobs is {self.min_jobs}, more than cluster.jobs, {self.jobs}")
        return self

    @property
    def memory_mib(self) -> int:
        """Return the memory of one job in MiB.

        >>> ClusterSettings(memory="2G").memory_mib
        2048
        """
        return int(self.memory[:-1]) * _MEMORY_UNITS_MIB[self.memory[-1]]

    @property
    def walltime_s(self) -> int:
        """Return the walltime in seconds.

        >>> ClusterSettings(walltime="1-02:03:04").walltime_s
        93784
        """
        days, _, clock = self.walltime.rpartition("-")
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds


class TlsSettings(BaseModel):
    """What a dask scheduler with ``tls://`` is shown, and what it is believed by."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    ca: Path | None = Field(None, description="PEM file: who signed the certificates of run.scheduler and its workers")
    cert: Path | None = Field(None, description="PEM file: the certificate of this run, signed by the same")
    key: Path | None = Field(None, description="PEM file: the private key of cert")

    @model_validator(mode="after")
    def _is_whole(self) -> "TlsSettings":
        given = [name for name in ("ca", "cert", "key") if getattr(self, name) is not None]
        if given and len(given) < 3:
            raise ValueError(f"of tls.ca, tls.cert and tls.key only {' and '.join(given)} is given; all are needed")
        return self


class StorageSettings(BaseModel):
    """Where slides and results at s3:// are asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    endpoint: str | None = Field(None, description="http(s)://host:port of an S3 server; else as AWS_ENDPOINT_URL says")
    profile: str | None = Field(None, description="profile of ~/.aws with the keys; left out: as AWS_PROFILE says")

    @field_validator("endpoint")
    @classmethod
    def _is_an_address_without_keys(cls, endpoint: str | None) -> str | None:
        if endpoint is None:
            return None
        parts = urlsplit(endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or "@" in parts.netloc:
            raise ValueError(
                "storage.endpoint is not http(s)://host or http(s)://host:port; keys are never part of it: give them "
                "by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or by a profile"
            )
        return endpoint.rstrip("/")

    @property
    def access(self) -> Access:
        """Return the same, as a bucket is asked."""
        return Access(self.endpoint, self.profile)
