"""The marts, worked out a second time from the banks' files: by day, in Decimal, sharing nothing with the SQL.

Only definitions are shared: the column descriptions of the marts, the policy files, and how each bank writes its files.
Every position is walked day by day; nothing is rounded but where a definition says so, half away from zero.
"""

from .arithmetic import rounded
from .comparing import Recomputed, recompute
from .eagle_bank import eagle_transactions, read_eagle_bank
from .flow_classes import built_classes, classify
from .keys import KEYS
from .reference_bank import read_reference_bank

__all__ = [
    "KEYS",
    "Recomputed",
    "built_classes",
    "classify",
    "eagle_transactions",
    "read_eagle_bank",
    "read_reference_bank",
    "recompute",
    "rounded",
]
