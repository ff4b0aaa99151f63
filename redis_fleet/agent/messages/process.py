"""One process of a machine, as everything that runs there has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..access import Access
from ..codec import Message
from .certificates import CertificateFiles
from .kind import Kind


@dataclass(frozen=True)
class ManagedProcess(Message):
    """Where a process listens and how one gets in, its files, and its unit (empty: nothing supervises it).

    ``configuration``, ``log`` and ``pid`` are files, ``data`` is a folder.
    """

    name: str
    kind: Kind
    access: Access
    configuration: str
    unit: str = ""
    data: str = ""
    log: str = ""
    pid: str = ""
    certificates: Optional[CertificateFiles] = None

    @property
    def password(self) -> str:
        """The described password in clear, empty for none."""
        return self.access.secret.reveal() if self.access.secret else ""
