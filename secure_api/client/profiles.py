"""Profiles: which server, which key, remembered under a short name in `profiles.toml`.

[clinic-a]
url = "https://api.example.org"
keys = ["/home/ada/clinic-a.pem"]
passphrase_file = "/home/ada/clinic-a.passphrase"   # optional
server_key = "/home/ada/keys/server.pem"             # optional: the server's public key, that its answers are held to
home = "/home/ada/consortium"                        # optional: a server on this machine, wherever it serves now
"""

import fcntl
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import tomlkit
from platformdirs import user_config_path
from tomlkit.exceptions import TOMLKitError

from crypto import CryptoError, PrivateKey, PublicKey, read_private_key, read_secret_file, write_secret_file
from secure_api.client.errors import ClientError, ProfileMissing, ProfileUnreadable

FILE: Final = "profiles.toml"
MAX_BYTES: Final = 1 << 20
SERVED_AT_FILE: Final = "served-at.url"  # in a server's home: where `serve` served last
MAX_URL: Final = 256  # characters
CONFIG_VARIABLE: Final = "SECURE_API_CONFIG"
PASSPHRASE_VARIABLE: Final = "SECURE_API_PASSPHRASE"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One profile: the server's URL, key files (two for a hybrid client), where the passphrase lies.

    `home` is the home of a server on this machine: where that one serves now is the profile's URL, and `url` is only
    what it was when nothing had been served yet.
    """

    name: str
    url: str
    keys: tuple[Path, ...]
    passphrase_file: Path | None = None
    organization: str | None = None
    role: str | None = None
    home: Path | None = None
    server_key: Path | None = None

    @classmethod
    def parse(cls, name: str, table: Mapping[str, object], file: Path) -> Self:
        """Read one table of the file.

        Raises:
            ProfileUnreadable: a member is missing or of the wrong type.
        """
        url, keys, passphrase_file = table.get("url"), table.get("keys"), table.get("passphrase_file")
        organization, role, home = table.get("organization"), table.get("role"), table.get("home")
        if not isinstance(url, str) or not isinstance(keys, list) or not keys:
            raise ProfileUnreadable(f"{file}: the profile {name} needs url and keys")
        server_key = table.get("server_key")
        texts = [*keys, *(item for item in (passphrase_file, organization, role, home, server_key) if item is not None)]
        if not all(isinstance(item, str) and "\0" not in item for item in texts):
            raise ProfileUnreadable(f"{file}: the profile {name} has a member that is not text")
        return cls(
            name=name,
            url=url if home is None else served_at(Path(str(home))) or url,
            keys=tuple(file.parent / str(key) for key in keys),
            passphrase_file=None if passphrase_file is None else file.parent / str(passphrase_file),
            organization=None if organization is None else str(organization),
            role=None if role is None else str(role),
            home=None if home is None else Path(str(home)),
            server_key=None if server_key is None else file.parent / str(server_key),
        )

    def read_keys(self, passphrase: bytes | None = None) -> tuple[PrivateKey, ...]:
        """Read the private keys; without a passphrase, the profile's file or the environment gives it.

        Raises:
            CryptoError: a key file is missing, open to others, or the passphrase does not open it.
        """
        if passphrase is None and self.passphrase_file is not None:
            passphrase = read_secret_file(self.passphrase_file).strip()
        if passphrase is None and (variable := os.environ.get(PASSPHRASE_VARIABLE)):
            passphrase = os.fsencode(variable)
        return tuple(read_private_key_maybe_open(path, passphrase) for path in self.keys)

    def read_server_key(self) -> PublicKey | None:
        """Read the public key that the server's answers are held to; None when the profile names none.

        Raises:
            ProfileUnreadable: the file cannot be read, or holds no public key.
        """
        if self.server_key is None:
            return None
        try:
            with self.server_key.open("rb") as file:
                return PublicKey.from_pem(file.read(MAX_BYTES))
        except OSError as error:
            raise ProfileUnreadable(f"the server's key {self.server_key} cannot be read: {error.strerror}") from error
        except CryptoError as error:
            raise ProfileUnreadable(f"{self.server_key} holds no public key of a server: {error}") from error


def served_at(home: Path) -> str | None:
    """Give the URL at which the server of a home folder served last; None when it never did, or nobody may know."""
    try:
        with (home / SERVED_AT_FILE).open(encoding="ascii") as file:
            url = file.read(MAX_URL).strip()
    except (OSError, UnicodeDecodeError):
        return None
    return url if url.startswith(("http://", "https://")) else None


def read_private_key_maybe_open(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Read a private key that may be encrypted or not: a passphrase that is not wanted is not used.

    Raises:
        CryptoError: the file is missing, open to others, or the passphrase does not open it.
    """
    encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in read_secret_file(path)
    return read_private_key(path, passphrase if encrypted else None)


class ProfileStore:
    """The profiles of one configuration folder: unless told otherwise, that of SECURE_API_CONFIG or the user's own."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None and (variable := os.environ.get(CONFIG_VARIABLE)):
            folder = Path(variable)
        self.folder = user_config_path("secure-api") if folder is None else folder
        self.file = self.folder / FILE

    def load(self) -> dict[str, ClientProfile]:
        """Read every profile; none when there is no file.

        Raises:
            ProfileUnreadable: the file cannot be read, or is not TOML of tables.
        """
        try:
            tables = tomllib.loads(self._read())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ProfileUnreadable(f"{self.file} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise ProfileUnreadable(f"{self.file} cannot be read: {error}") from error
        profiles = {}
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise ProfileUnreadable(f"{self.file}: {name} stands outside a profile")
            profiles[name] = ClientProfile.parse(name, table, self.file)
        return profiles

    def get(self, name: str) -> ClientProfile:
        """Find a profile.

        Raises:
            ProfileMissing: there is none of that name.
            ProfileUnreadable: the file cannot be read.
        """
        profiles = self.load()
        if name not in profiles:
            known = ", ".join(sorted(profiles)) or "none"
            raise ProfileMissing(f"there is no profile {name} in {self.file} (there: {known})")
        return profiles[name]

    def prepare(self) -> None:
        """See to it that `put` will work, as far as can be seen: for whoever is about to do what cannot be undone.

        Raises:
            ProfileUnreadable: the file that is there cannot be read.
            ClientError: the folder cannot be made or written.
        """
        with self._locked():
            self.load()
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise ClientError(f"cannot write in {self.folder}: it is read-only")

    def put(self, profile: ClientProfile) -> None:
        """Write a profile, keeping the others and their comments; two writers take turns.

        Raises:
            ProfileUnreadable: the file that is there cannot be read.
            ClientError: the file cannot be written.
        """
        with self._locked():
            self.load()  # refuse to touch a file that is not ours to understand
            try:
                document = tomlkit.parse(self._read()) if self.file.exists() else tomlkit.document()
                table = document.setdefault(profile.name, tomlkit.table())
                table["url"] = profile.url
                table["keys"] = [str(path) for path in profile.keys]
                for member in ("passphrase_file", "organization", "role", "home", "server_key"):
                    if (value := getattr(profile, member)) is not None:
                        table[member] = str(value)
                    else:
                        table.pop(member, None)
                # Through a link: who keeps the file elsewhere goes on doing so.
                write_secret_file(self.file.resolve(), tomlkit.dumps(document).encode(), force=True)
            except (CryptoError, TOMLKitError) as error:
                raise ClientError(str(error)) from error

    def _read(self) -> str:
        with self.file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ProfileUnreadable(f"{self.file} has more than {MAX_BYTES} bytes")
        return content.decode()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder / f".{FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ClientError(f"cannot write in {self.folder}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
