"""What a submission may use. One place, so that the sandbox, the watchdog and the documentation agree."""

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True)
class Limits:
    """Limits on one submission.

    Attributes:
        cell_cpu_s: CPU seconds one cell of the student may compute.
        test_cpu_s: CPU seconds that student code may compute during one test cell.
        wall_factor: a cell or call may take this many times its CPU seconds on the clock (and at least a minute).
        memory_mb: resident memory of all the submission's processes together.
        address_space_mb: address space of one process.
        processes: processes and threads together.
        file_mb: size of one file, and of each of its private temporary folders.
        output_kb: what one cell may print and display.
        submission_s: seconds on the clock for all of a submission's cells and checks together.
        restarts: how often a dead kernel is started again.
    """

    cell_cpu_s: float = 120.0
    test_cpu_s: float = 120.0
    wall_factor: float = 4.0
    memory_mb: int = 4096
    address_space_mb: int = 16384
    processes: int = 192
    file_mb: int = 256
    output_kb: int = 1024
    submission_s: float = 1800.0
    restarts: int = 6

    def as_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "Limits":
        """Limits from a dict; unknown names are refused.

        Raises:
            ValueError: a name that is no limit.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise ValueError(f"unknown limits {sorted(unknown)}; there are: {known}")
        return cls(**values)
