"""Sessions: short-lived symmetric keys of a client."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class SessionRow(Model):
    """One session. Its secret is encrypted under the storage key, and emptied when the session ends.

    Times are POSIX seconds. `last_used` may lie a little ahead: a worker that serves a session takes a lease on it,
    and writes down when that lease ends. `requests_left` and `bytes_left` do not count what is out on lease.
    """

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id"), index=True)
    key_set: Mapped[str] = mapped_column(String(36), index=True)  # the keys that signed the handshake
    suite: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)
    idle_timeout: Mapped[int] = mapped_column(BigInteger)
    last_used: Mapped[int] = mapped_column(BigInteger)
    requests_left: Mapped[int] = mapped_column(BigInteger)
    bytes_left: Mapped[int] = mapped_column(BigInteger)
