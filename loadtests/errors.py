"""The one family of errors a person may see: what failed, the likely cause, the next command."""


class BenchError(Exception):
    """Something went wrong that a person can mend.

    `message` names the thing and the cause; `hint` names the next command to type. Printed once, at
    the edge (`scripts.cli`), without a traceback.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(BenchError):
    """A command was typed in a way that cannot work."""

    exit_code = 2


class SpecError(UsageError):
    """A spec is wrong; the message names file, key and line."""


class EnvironmentNotReady(BenchError):
    """The database, an arm or the machine could not be made ready."""

    exit_code = 3


class StorageError(BenchError):
    """Results could not be written or read (disk full, unwritable folder, damaged file)."""

    exit_code = 3
