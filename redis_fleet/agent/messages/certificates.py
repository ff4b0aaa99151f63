"""The certificate of a process: where its files are, and what is in them and in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from ..codec import Message
from ..secret import Secret


@dataclass(frozen=True)
class CertificateFiles(Message):
    """Where a process has its certificate, its ``key`` and the ``authorities`` that it believes."""

    certificate: str
    key: str
    authorities: str
    key_password: Optional[Secret] = None


@dataclass(frozen=True)
class CertificateFacts(Message):
    """The texts of the files (None: not there, or not to be read), and the certificate that is ``served``, PEM.

    ``fits``: the key is that of the certificate. ``served`` is empty where nobody answered with one.
    """

    certificate: Optional[str] = None
    authorities: Optional[str] = None
    fits: bool = False
    served: str = ""
