"""What can go wrong in words a person can act on."""


class CrmWarehouseError(Exception):
    """A problem the user can mend: its text names what is wrong, where, and what to do. Never retried."""


class SettingsError(CrmWarehouseError):
    """A setting, a bank profile or a folder is wrong."""


class NothingDelivered(CrmWarehouseError):
    """The bank delivers nothing on the dates asked for."""


class ExtractError(CrmWarehouseError):
    """An extract is missing, empty or not what the profile or its control file says."""


class SourceInterrupted(ExtractError):
    """The source broke off while it was read; what was read so far counts for nothing, so it is read again."""


class ForbiddenData(ExtractError):
    """A delivery holds data of class C3 (card numbers, card codes, passwords): nothing of it may be kept.

    `found` is what may be told of it: table, business date, file, sha256, column, first row; never a value.
    """

    def __init__(self, sentence: str, **found: object):
        super().__init__(sentence)
        self.found = found


class GateFailed(CrmWarehouseError):
    """A rule of severity `block` failed, or a gate could not prove that it checked what it planned."""


class DecisionRefused(CrmWarehouseError):
    """Rows in quarantine cannot be released or discarded as asked."""


class WaiverRefused(CrmWarehouseError):
    """A rule cannot be waived as asked."""


class ErasureRefused(CrmWarehouseError):
    """A customer cannot be erased as asked."""


class AnotherAtWork(CrmWarehouseError):
    """Another run works where only one may."""


class BuildFailed(CrmWarehouseError):
    """dbt did not build and test everything that was planned."""


class PublishRefused(CrmWarehouseError):
    """The candidate may not replace the live version."""


class ServingFailed(CrmWarehouseError):
    """The serving database could not follow: it serves another version than the files, which are live."""


class EvidenceBroken(CrmWarehouseError):
    """The evidence log is not what this program wrote."""


class CorruptionRefused(CrmWarehouseError):
    """A delivery cannot be damaged, restored, corrected or withheld as asked."""


class ReportRefused(CrmWarehouseError):
    """A report cannot be printed or found as asked."""


class MachineRefused(CrmWarehouseError):
    """The machine has no room, no memory, or no right to write left; or it has other programs than the lock names."""
