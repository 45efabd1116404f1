"""run: what is asked of a cluster, one name for each thing; how a scheduler calls it is written in one place each."""

from pydantic import BaseModel, ConfigDict, Field

_MEMORY_UNITS_MIB = {"M": 1, "G": 1 << 10, "T": 1 << 20}
_NO_CONTROL = r"^[^\x00-\x1f\x7f]+$"


class ClusterSettings(BaseModel):
    """What one job gets, and how many there are."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    cores: int = Field(4, ge=1, description="processor cores of one job, and how many tiles it measures at once")
    memory: str = Field("16G", pattern=r"^[1-9]\d*[MGT]$", description="memory of one job: 16000M, 16G, 1T")
    jobs: int = Field(8, ge=1, description="how many jobs share the slides")
    walltime: str = Field(
        "12:00:00", pattern=r"^(\d+-)?\d{1,3}:[0-5]\d:[0-5]\d$", description="of one job: hh:mm:ss or d-hh:mm:ss"
    )
    queue: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.,-]+$", description="queue or partition; left out: the cluster's own choice"
    )
    scratch: str | None = Field(None, pattern=_NO_CONTROL, description="local folder of a node for temporary files")
    account: str | None = Field(None, pattern=r"^[A-Za-z0-9_.-]+$", description="who pays, where a cluster asks")

    @property
    def memory_mib(self) -> int:
        """Return the memory of one job in MiB.

        >>> ClusterSettings(memory="2G").memory_mib
        2048
        """
        return int(self.memory[:-1]) * _MEMORY_UNITS_MIB[self.memory[-1]]
