"""run: the settings of object storage: where the server is and which profile names the keys; never the keys."""

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from wsi_area.storage.access import Access


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
