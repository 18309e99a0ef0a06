"""Settings of the server, from `SECURE_API_*` variables; a weak value is refused at start, not warned about."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import NoDecode, SettingsConfigDict

from crypto import (
    ALGORITHMS,
    CryptoError,
    PassphraseError,
    PrivateKey,
    Profile,
    SignatureAlgorithm,
    StorageKey,
    read_private_key,
    read_secret_file,
    write_secret_file,
)
from crypto.providers import select_provider
from crypto.providers.kem_selection import select_kem_provider
from secure_api.behavior_settings import BehaviorSettings
from secure_api.domain.errors import ConfigurationError, KeyUnusable
from secure_api.domain.limits import Limits
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.session_settings import SessionSettings
from secure_api.study_settings import StudySettings

PREFIX = "SECURE_API_"
#: Variables that are not the server's: the command line's, and the folder of the tests' vectors.
NOT_SETTINGS = frozenset(f"{PREFIX}{name}" for name in ("CONFIG", "DEBUG", "PROFILE", "TOKEN", "VECTORS"))
#: What Kubernetes tells every container of a service that is named secure-api.
_KUBERNETES = re.compile(
    rf"{PREFIX}(?:SERVICE_HOST=|SERVICE_PORT(?:_\w+)?=|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?=|=(?:tcp|udp|sctp)://))"
)
MIN_PASSPHRASE = 12  # characters
DATABASE_FILE = "secure-api.db"
SERVER_KEY_FILE = "server-key.pem"
STORAGE_KEY_FILE = "storage.key"
PASSPHRASE_FILE = "server.passphrase"  # noqa: S105 - a file name
NonceStoreName = Literal["auto", "file", "database", "redis", "memory"]
_AUTHORITY = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def _strong(passphrase: SecretStr) -> SecretStr:
    if len(passphrase.get_secret_value()) < MIN_PASSPHRASE:
        raise ValueError(f"must have {MIN_PASSPHRASE} characters at least")
    return passphrase


def _named(value: object) -> object:
    """Refuse the empty name of a file or folder, which would mean wherever the server was started."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty")
    return value


def _listed(value: object) -> object:
    """Read what a variable lists, separated by commas."""
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


def _storage_key(text: SecretStr) -> SecretStr:
    try:
        StorageKey.from_text(text.get_secret_value())
    except CryptoError as error:
        raise ValueError(str(error)) from None
    return text


def _known_database(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
        raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    return url


def _known_redis(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return url


def _possible_store(store: NonceStoreName, info: ValidationInfo) -> NonceStoreName:
    database: SecretStr | None = info.data.get("database_url")
    if store == "file" and database is not None and not database.get_secret_value().startswith("sqlite"):
        raise ValueError("a file of nonces lies beside an SQLite database only; use auto, database or redis")
    if store == "redis" and "redis_url" in info.data and info.data["redis_url"] is None:
        raise ValueError("redis needs SECURE_API_REDIS_URL")
    return store


def _authorities(values: frozenset[str]) -> frozenset[str]:
    if not all(_AUTHORITY.fullmatch(value) for value in values):
        raise ValueError("must be lower-case authorities like api.example.org or 127.0.0.1:8000")
    return values


def _satisfiable(policy: SignaturePolicy, info: ValidationInfo) -> SignaturePolicy:
    kinds = {ALGORITHMS[algorithm].post_quantum for algorithm in info.data.get("signature_algorithms", ())}
    needed = {SignaturePolicy.ANY: set(), SignaturePolicy.POST_QUANTUM: {True}, SignaturePolicy.HYBRID: {True, False}}
    if kinds and not needed[policy] <= kinds:
        raise ValueError(f"no request can satisfy {policy} with the algorithms of SECURE_API_SIGNATURE_ALGORITHMS")
    return policy


class Settings(BehaviorSettings, StudySettings, SessionSettings):
    """The settings. Each one's description is what `docs/operations.md` says of it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    home: Annotated[Path, BeforeValidator(_named)] = Field(
        default_factory=lambda: user_data_path("secure-api"),
        description="Folder of the embedded database, the server's keys and its configuration.",
    )
    database_url: Annotated[SecretStr, AfterValidator(_known_database)] | None = Field(
        default=None,
        description="sqlite+aiosqlite:///FILE or postgresql+asyncpg://...; default: SQLite in the home folder.",
    )
    database_pool: int = Field(default=8, ge=2, le=100, description="Connections a worker holds at most.")
    passphrase: Annotated[SecretStr, AfterValidator(_strong)] | None = Field(
        default=None, description="Passphrase of the server's private key."
    )
    passphrase_file: Annotated[Path | None, BeforeValidator(_named)] = Field(
        default=None, description="File that holds it; default: server.passphrase in the home folder."
    )
    crypto_provider: Literal["auto", "openssl", "oqs"] = Field(
        default="auto", description="Library that verifies ML-DSA; auto: oqs where liboqs is there, else openssl."
    )
    signature_algorithms: Annotated[frozenset[SignatureAlgorithm], NoDecode, BeforeValidator(_listed)] = Field(
        default=frozenset(SignatureAlgorithm),
        min_length=1,
        description="Algorithms that clients may use, separated by commas.",
    )
    signature_policy: Annotated[SignaturePolicy, AfterValidator(_satisfiable)] = Field(
        default=SignaturePolicy.ANY,
        description="any; post-quantum: every request has an ML-DSA signature; hybrid: and an Ed25519 one.",
    )
    signature_max_window: int = Field(default=300, ge=1, le=300, description="Seconds from created to expires at most.")
    signature_clock_skew: int = Field(
        default=5, ge=0, le=60, description="Seconds that a client's clock may be ahead or behind."
    )
    authorities: Annotated[frozenset[str], NoDecode, BeforeValidator(_listed), AfterValidator(_authorities)] = Field(
        default=frozenset(),
        description="Host names (with port) that the server answers to, separated by commas; empty: any. Set it "
        "wherever clients use the same key with several servers.",
    )
    max_body_bytes: int = Field(default=1 << 20, ge=1 << 10, le=64 << 20, description="Bytes of a body.")
    max_header_bytes: int = Field(
        default=32 << 10, ge=16 << 10, le=256 << 10, description="Bytes of all header fields together."
    )
    max_field_bytes: int = Field(
        default=16 << 10, ge=8 << 10, le=128 << 10, description="Bytes of one signature field."
    )
    max_batch_records: int = Field(default=1_000, ge=1, le=100_000, description="Records in one request.")
    body_timeout: float = Field(default=20.0, gt=0, le=600, description="Seconds in which a body must arrive.")
    ledger_head_interval: float = Field(
        default=60.0, ge=1, le=86_400, description="Seconds between two signatures of the ledger's head."
    )
    redis_url: Annotated[SecretStr, AfterValidator(_known_redis)] | None = Field(
        default=None, description="redis://HOST, rediss://USER:PASSWORD@HOST:PORT/DATABASE or unix://PATH."
    )
    redis_prefix: str = Field(
        default="secure-api:",
        pattern=r"^[!-z|~]{1,64}$",
        description="What the names of our keys in Redis begin with; servers on one database need the same.",
    )
    redis_timeout: float = Field(
        default=2.0, gt=0, le=60, description="Seconds that Redis has to connect, and to answer."
    )
    nonce_store: Annotated[NonceStoreName, AfterValidator(_possible_store)] = Field(
        default="auto", description="Where nonces are spent (see below); auto: a file beside SQLite, else the database."
    )
    nonce_sweep_interval: float = Field(
        default=60.0, ge=1, le=3_600, description="Seconds between two sweeps of expired nonces."
    )
    shutdown_timeout: int = Field(
        default=30, ge=1, le=600, description="Seconds that accepted requests have to finish at shutdown."
    )
    storage_key: Annotated[SecretStr, AfterValidator(_storage_key)] | None = Field(
        default=None,
        description="Key that the secrets of sessions and of sealing are encrypted under in the database: 32 bytes as "
        "base64. Every host on one database needs the same.",
    )
    storage_key_file: Annotated[Path | None, BeforeValidator(_named)] = Field(
        default=None, description="File that holds it; default: storage.key in the home folder, which init makes."
    )
    sqlite_synchronous: Literal["FULL", "NORMAL"] = Field(
        default="FULL", description="NORMAL is faster and may lose the last commits when the machine dies."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Level.")
    log_format: Literal["json", "console"] = Field(default="json", description="Form of a log line.")
    access_log: bool = Field(default=True, description="One log line a request.")

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the settings from the environment; `home` overrides `SECURE_API_HOME`.

        Raises:
            ConfigurationError: a value is malformed or too weak, or no setting has that name; the text names the
                variable.
        """
        unknown = _unknown(os.environ, {f"{PREFIX}{field.upper()}" for field in cls.model_fields})
        try:
            settings = cls() if home is None else cls(home=home)
        except ValidationError as error:
            raise ConfigurationError("; ".join([*unknown, _one_line(error)])) from None
        if unknown:
            raise ConfigurationError("; ".join(unknown))
        return settings

    @property
    def url(self) -> str:
        """The database's URL."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.home / DATABASE_FILE}"

    @property
    def server_key_path(self) -> Path:
        """Where the server's private key lies."""
        return self.home / SERVER_KEY_FILE

    def read_passphrase(self) -> bytes | None:
        """Give the passphrase of the server's key: the variable, the file named, or the one that `init` left.

        Raises:
            ConfigurationError: the file named cannot be read, or what it holds is too weak.
        """
        if self.passphrase is not None:
            return self.passphrase.get_secret_value().encode()
        if self.passphrase_source is None:
            return None
        path = self.passphrase_file or self.home / PASSPHRASE_FILE
        try:
            passphrase = path.read_bytes().strip()
        except OSError as error:
            raise ConfigurationError(f"The passphrase file {path} cannot be read: {error.strerror}.") from error
        if len(passphrase.decode(errors="replace")) < MIN_PASSPHRASE:
            raise ConfigurationError(f"The passphrase in {path} must have {MIN_PASSPHRASE} characters at least.")
        return passphrase

    @property
    def passphrase_source(self) -> str | None:
        """What `read_passphrase` reads: a variable or a file; None when there is neither."""
        if self.passphrase is not None:
            return f"{PREFIX}PASSPHRASE"
        path = self.passphrase_file or self.home / PASSPHRASE_FILE
        return str(path) if self.passphrase_file is not None or path.exists() else None

    def server_key(self) -> PrivateKey:
        """Read the server's private key.

        Raises:
            ConfigurationError: there is none.
            KeyUnusable: others may read it, or the passphrase does not open it.
        """
        if not self.server_key_path.exists():
            raise ConfigurationError(f"{self.home} is not initialized; run: secure-api init --home {self.home}")
        try:
            return read_private_key(self.server_key_path, self.read_passphrase())
        except PassphraseError as error:
            source = self.passphrase_source
            more = f" (the passphrase came from {source})" if source else ""
            raise KeyUnusable(f"The server's key cannot be used: {error}{more}") from error
        except CryptoError as error:
            raise KeyUnusable(f"The server's key cannot be used: {error}") from error

    @property
    def storage_key_path(self) -> Path:
        """Where the storage key lies, unless the variable holds it."""
        return self.storage_key_file or self.home / STORAGE_KEY_FILE

    def read_storage_key(self) -> StorageKey:
        """Give the storage key: the variable, or the file that `init` or `migrate` made.

        Raises:
            ConfigurationError: there is none, others may read it, or it is none.
        """
        try:
            if self.storage_key is not None:
                return StorageKey.from_text(self.storage_key.get_secret_value())
            if self.storage_key_file is None and not self.storage_key_path.exists():
                raise ConfigurationError(
                    f"There is no storage key {self.storage_key_path}; run: secure-api migrate --home {self.home}"
                )
            return StorageKey.from_text(read_secret_file(self.storage_key_path).decode("ascii", "replace"))
        except CryptoError as error:
            raise ConfigurationError(f"The storage key {self.storage_key_path} cannot be used: {error}") from error

    def make_storage_key(self, *, anew: bool = False) -> Path | None:
        """Make the file of the storage key if one is needed and there is none; returns its path if it was made.

        With `anew`, one that is there is replaced.

        Raises:
            ConfigurationError: it cannot be written.
        """
        if self.storage_key is not None or (self.storage_key_path.exists() and not anew):
            return None
        try:
            write_secret_file(self.storage_key_path, StorageKey.generate().text.encode() + b"\n", force=anew)
        except CryptoError as error:
            raise ConfigurationError(f"The storage key cannot be written: {error}") from error
        return self.storage_key_path

    def select_provider(self) -> str:
        """Choose the library behind signatures and key exchange in this process; returns its name.

        Raises:
            ConfigurationError: it is not there.
        """
        try:
            select_kem_provider(self.crypto_provider)
            return select_provider(self.crypto_provider).name
        except CryptoError as error:
            raise ConfigurationError(f"SECURE_API_CRYPTO_PROVIDER: {error}") from error

    def limits(self) -> Limits:
        """Give the limits for the layers below."""
        return Limits(
            max_body_bytes=self.max_body_bytes,
            max_header_bytes=self.max_header_bytes,
            max_field_bytes=self.max_field_bytes,
            max_batch_records=self.max_batch_records,
            body_timeout=self.body_timeout,
        )

    def profile(self) -> Profile:
        """Give the signature profile."""
        return Profile(
            max_window=self.signature_max_window,
            clock_skew=self.signature_clock_skew,
            max_field_bytes=self.max_field_bytes,
        )

    def __repr__(self) -> str:
        """Name the home only: a URL may hold a password."""
        return f"Settings(home={str(self.home)!r})"


def _one_line(error: ValidationError) -> str:
    findings = {
        f"SECURE_API_{str(item['loc'][0]).upper()}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    }
    return "; ".join(sorted(findings))


def _unknown(environment: Mapping[str, str], settings: set[str]) -> list[str]:
    """Say of each variable that no setting has its name, and which one was meant: a typing error changes nothing."""
    known = settings | NOT_SETTINGS
    found = []
    for name, value in sorted(environment.items()):
        upper = name.upper()  # as the settings are read: in any case
        if not upper.startswith(PREFIX) or upper in known or _KUBERNETES.match(f"{upper}={value}"):
            continue
        nearest = get_close_matches(upper.removeprefix(PREFIX), [item.removeprefix(PREFIX) for item in known], n=1)
        found.append(f"{name}: no such setting" + (f", did you mean {PREFIX}{nearest[0]}?" if nearest else ""))
    return found
