"""storage: who asks a bucket, and where it is; never a key or a secret, so that it may be written down and sent."""

from wsi_area.frozen_value import frozen_value


@frozen_value
class Access:
    """Where a server that speaks S3 is and which profile names the keys; None: as the usual variables say.

    >>> Access()
    Access(endpoint=None, profile=None)
    """

    endpoint: str | None = None  # http(s)://host:port of a server other than Amazon's
    profile: str | None = None  # of ~/.aws/credentials or ~/.aws/config
