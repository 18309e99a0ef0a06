"""The server's keys that bodies are sealed to."""

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class SealingKeyRow(Model):
    """One generation of the sealing key. Its seed is encrypted under the storage key; the row goes when it expires.

    Times are POSIX seconds: bodies should be sealed to the key until `retires`, and can be opened until `expires`.
    `signature` is by the server's signing key `keyid`, over what `services.sealing_keys.statement` gives.
    """

    __tablename__ = "sealing_keys"

    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kid: Mapped[str] = mapped_column(String(43), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    seed: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[int] = mapped_column(BigInteger)
    retires: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)
    keyid: Mapped[str] = mapped_column(String(43))
    signature: Mapped[bytes] = mapped_column(LargeBinary)
