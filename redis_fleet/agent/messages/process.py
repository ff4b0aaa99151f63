"""One process of a machine, as everything that runs there has to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..access import Access
from ..codec import Message
from ..secret import Secret
from .certificates import CertificateFiles
from .kind import Kind


@dataclass(frozen=True)
class ManagedProcess(Message):
    """Where a process listens and how one gets in, its files, and its unit (empty: nothing supervises it).

    ``configuration``, ``log`` and ``pid`` are files, ``data`` is a folder. ``default`` is the default user's password
    where ``access`` is another user's, ``previous`` what that user's was before.
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
    default: Optional[Secret] = None
    previous: Optional[Secret] = None

    @property
    def password(self) -> str:
        """The described password of the default user in clear, empty for none."""
        secret = self.default if self.access.user else self.access.secret
        return secret.reveal() if secret else ""
