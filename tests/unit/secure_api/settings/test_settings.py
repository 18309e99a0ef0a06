"""Settings: where they come from, and that nothing weak or malformed gets through."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from crypto import PrivateKey, SignatureAlgorithm, write_private_key
from secure_api.domain.errors import ConfigurationError
from secure_api.domain.signature_policy import SignaturePolicy
from secure_api.settings import MIN_PASSPHRASE, NOT_SETTINGS, Settings

ROOT = Path(__file__).parents[4]
SECRET = "s3cr3t"
STRONG = "correct horse battery staple"


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """What is said of variables that are refused: one line, each named, no secret repeated."""
    for name, value in variables.items():
        monkeypatch.setenv(f"SECURE_API_{name}", value)
    with pytest.raises(ConfigurationError) as refused:
        Settings.load()
    detail = refused.value.detail
    assert "\n" not in detail
    assert SECRET not in detail
    for name in variables:
        assert re.search(rf"\bSECURE_API_{name}: \w", detail), detail
    return detail


def test_without_a_variable_every_default_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = Settings.load()
    assert settings.home == tmp_path / "secure-api"
    assert settings.url == f"sqlite+aiosqlite:///{tmp_path}/secure-api/secure-api.db"
    assert settings.server_key_path == tmp_path / "secure-api" / "server-key.pem"
    assert settings.signature_algorithms == frozenset(SignatureAlgorithm)
    assert settings.signature_policy is SignaturePolicy.ANY
    assert settings.authorities == frozenset()
    assert settings.profile().max_window == 300
    assert settings.profile().clock_skew == 5
    assert settings.limits().max_body_bytes == 1 << 20


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "HOME": str(tmp_path),
        "DATABASE_URL": f"postgresql+asyncpg://alice:{SECRET}@db.example.org/consortium",
        "DATABASE_POOL": "3",
        "SIGNATURE_ALGORITHMS": "ml-dsa-65, ed25519",
        "SIGNATURE_POLICY": "hybrid",
        "SIGNATURE_MAX_WINDOW": "60",
        "SIGNATURE_CLOCK_SKEW": "0",
        "AUTHORITIES": "api.example.org,127.0.0.1:8000 , [2001:db8::1]:8443",
        "MAX_BODY_BYTES": "2048",
        "MAX_HEADER_BYTES": "16384",
        "MAX_FIELD_BYTES": "8192",
        "MAX_BATCH_RECORDS": "7",
        "BODY_TIMEOUT": "1.5",
    }.items():
        monkeypatch.setenv(f"SECURE_API_{name}", value)
    settings = Settings.load()
    assert settings.home == tmp_path
    assert settings.url == f"postgresql+asyncpg://alice:{SECRET}@db.example.org/consortium"
    assert settings.database_pool == 3
    assert settings.signature_algorithms == {SignatureAlgorithm.ML_DSA_65, SignatureAlgorithm.ED25519}
    assert settings.signature_policy is SignaturePolicy.HYBRID
    assert settings.authorities == {"api.example.org", "127.0.0.1:8000", "[2001:db8::1]:8443"}
    profile, limits = settings.profile(), settings.limits()
    assert (profile.max_window, profile.clock_skew, profile.max_field_bytes) == (60, 0, 8192)
    assert (limits.max_body_bytes, limits.max_header_bytes, limits.max_field_bytes) == (2048, 16384, 8192)
    assert (limits.max_batch_records, limits.body_timeout) == (7, 1.5)


def test_a_home_that_is_named_comes_before_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECURE_API_HOME", str(tmp_path / "variable"))
    assert Settings.load().home == tmp_path / "variable"
    assert Settings.load(tmp_path / "named").home == tmp_path / "named"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGNATURE_MAX_WINDOW", "301"),
        ("SIGNATURE_MAX_WINDOW", "0"),
        ("SIGNATURE_MAX_WINDOW", "five minutes"),
        ("SIGNATURE_CLOCK_SKEW", "61"),
        ("SIGNATURE_CLOCK_SKEW", "-1"),
        ("SIGNATURE_ALGORITHMS", "rsa-pss-sha512"),
        ("SIGNATURE_ALGORITHMS", "ml-dsa-65,hmac-sha256"),
        ("SIGNATURE_ALGORITHMS", ""),
        ("SIGNATURE_ALGORITHMS", " , "),
        ("SIGNATURE_ALGORITHMS", '["ml-dsa-65"]'),
        ("SIGNATURE_POLICY", "none"),
        ("AUTHORITIES", "https://api.example.org"),
        ("AUTHORITIES", "API.example.org"),
        ("AUTHORITIES", "api.example.org/v1"),
        ("AUTHORITIES", "api.example.org:port"),
        ("AUTHORITIES", "api.example.org:123456"),
        ("AUTHORITIES", "alice@api.example.org"),
        ("AUTHORITIES", "api.example.org beta.example.org"),
        ("AUTHORITIES", '["api.example.org"]'),
        ("AUTHORITIES", "*"),
        ("CRYPTO_PROVIDER", "home-made"),
        ("PASSPHRASE", SECRET),
        ("PASSPHRASE", ""),
        ("HOME", ""),
        ("HOME", " "),
        ("PASSPHRASE_FILE", ""),
        ("DATABASE_URL", f"mysql+asyncmy://alice:{SECRET}@db.example.org/consortium"),
        ("DATABASE_URL", f"postgresql://alice:{SECRET}@db.example.org/consortium"),
        ("DATABASE_URL", f"alice:{SECRET}@db.example.org"),
        ("DATABASE_URL", "sqlite:///secure-api.db"),
        ("DATABASE_URL", ""),
        ("DATABASE_POOL", "1"),
        ("DATABASE_POOL", "101"),
        ("MAX_BODY_BYTES", "1023"),
        ("MAX_BODY_BYTES", "67108865"),
        ("MAX_HEADER_BYTES", "1024"),
        ("MAX_FIELD_BYTES", "1024"),
        ("MAX_BATCH_RECORDS", "0"),
        ("BODY_TIMEOUT", "0"),
        ("BODY_TIMEOUT", "nan"),
        ("BODY_TIMEOUT", "inf"),
        ("LEDGER_HEAD_INTERVAL", "0.5"),
        ("LEDGER_HEAD_INTERVAL", "nan"),
        ("NONCE_SWEEP_INTERVAL", "86400"),
        ("NONCE_STORE", "sqlite"),
        ("NONCE_STORE", "redis"),
        ("REDIS_URL", f"http://:{SECRET}@redis.example.org"),
        ("REDIS_URL", ""),
        ("REDIS_PREFIX", ""),
        ("REDIS_PREFIX", "secure api:"),
        ("REDIS_PREFIX", "{secure-api}:"),
        ("REDIS_TIMEOUT", "0"),
        ("SHUTDOWN_TIMEOUT", "0"),
        ("SQLITE_SYNCHRONOUS", "OFF"),
        ("LOG_LEVEL", "silent"),
        ("LOG_FORMAT", "xml"),
        ("ACCESS_LOG", "perhaps"),
    ],
)
def test_a_weak_or_malformed_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    detail = refusal(monkeypatch, **{name: value})
    assert "Value error" not in detail


def test_a_file_of_nonces_lies_beside_sqlite_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_DATABASE_URL", f"postgresql+asyncpg://alice:{SECRET}@db.example.org/consortium")
    assert "beside an SQLite database only" in refusal(monkeypatch, NONCE_STORE="file")


def test_a_malformed_redis_url_is_the_only_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_NONCE_STORE", "redis")
    assert "NONCE_STORE" not in refusal(monkeypatch, REDIS_URL=f"redis.example.org:6379,password={SECRET}")


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detail = refusal(monkeypatch, SIGNATURE_MAX_WINDOW="301", PASSPHRASE=SECRET, LOG_LEVEL="loud")
    assert detail.count("; ") == 2
    assert f"SECURE_API_PASSPHRASE: must have {MIN_PASSPHRASE} characters at least" in detail


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SIGNATURE_POLICI", "SIGNATURE_POLICY"),
        ("PASPHRASE", "PASSPHRASE"),
        ("AUTHORITY", "AUTHORITIES"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("MAX_BODY_SIZE", "MAX_BODY_BYTES"),
        ("PROFILES", "PROFILE"),
    ],
)
def test_a_name_that_was_mistyped_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    detail = refusal(monkeypatch, **{name: SECRET})
    assert detail == f"SECURE_API_{name}: no such setting, did you mean SECURE_API_{nearest}?"


def test_a_name_like_no_other_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, X="1") == "SECURE_API_X: no such setting"
    assert refusal(monkeypatch, LOG_LEVEL="loud").startswith("SECURE_API_X: no such setting; SECURE_API_LOG_LEVEL: ")


def test_names_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("secure_api_database_pool", "3")
    assert Settings.load().database_pool == 3
    monkeypatch.setenv("secure_api_database_pol", "3")
    with pytest.raises(ConfigurationError, match=r"^secure_api_database_pol: no such setting, did you mean SECURE_"):
        Settings.load()


def test_every_name_that_the_program_reads_is_known() -> None:
    sources = [path for part in ("cli", "client") for path in (ROOT / "secure_api" / part).rglob("*.py")]
    found = {name for path in sources for name in re.findall(r"(?<!_)SECURE_API_[A-Z_]*[A-Z]", path.read_text())}
    settings = {f"SECURE_API_{field.upper()}" for field in Settings.model_fields}
    assert found - settings <= NOT_SETTINGS
    assert NOT_SETTINGS - found == {"SECURE_API_VECTORS"}


def test_what_kubernetes_tells_of_a_service_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SERVICE_HOST": "10.0.0.11",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
        "PORT": "tcp://10.0.0.11:8000",
        "PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "PORT_8000_TCP_ADDR": "10.0.0.11",
    }.items():
        monkeypatch.setenv(f"SECURE_API_{name}", value)
    assert Settings.load().database_pool == 8
    assert "SECURE_API_PORT: no such setting" in refusal(monkeypatch, PORT="8000")


@pytest.mark.parametrize(
    ("policy", "algorithms", "satisfiable"),
    [
        ("any", "ed25519", True),
        ("any", "ml-dsa-44", True),
        ("post-quantum", "ed25519", False),
        ("post-quantum", "ml-dsa-44", True),
        ("post-quantum", "ml-dsa-44,ed25519", True),
        ("hybrid", "ed25519", False),
        ("hybrid", "ml-dsa-44,ml-dsa-65", False),
        ("hybrid", "ml-dsa-44,ed25519", True),
    ],
)
def test_a_policy_that_no_request_could_satisfy_is_refused(
    monkeypatch: pytest.MonkeyPatch, policy: str, algorithms: str, satisfiable: bool
) -> None:
    monkeypatch.setenv("SECURE_API_SIGNATURE_ALGORITHMS", algorithms)
    if satisfiable:
        monkeypatch.setenv("SECURE_API_SIGNATURE_POLICY", policy)
        assert Settings.load().signature_policy.value == policy
    else:
        assert policy in refusal(monkeypatch, SIGNATURE_POLICY=policy)


def test_an_unknown_algorithm_is_not_blamed_on_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECURE_API_SIGNATURE_POLICY", "hybrid")
    assert "POLICY" not in refusal(monkeypatch, SIGNATURE_ALGORITHMS="rsa")


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        database_url=SecretStr(f"postgresql+asyncpg://alice:{SECRET}@db.example.org/consortium"),
        passphrase=SecretStr(SECRET * 3),
    )
    assert repr(settings) == f"Settings(home={str(tmp_path)!r})"
    assert SECRET not in f"{settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.signature_max_window = 301  # type: ignore[misc]  # what the type checker refuses, too


def test_a_provider_that_is_not_there_is_told_by_the_variable(tmp_path: Path) -> None:
    code = """
from secure_api.domain.errors import ConfigurationError
from secure_api.settings import Settings
print(Settings(crypto_provider="openssl").select_provider())
try:
    Settings(crypto_provider="oqs").select_provider()
except ConfigurationError as error:
    print(error.detail)
"""
    environment = {**os.environ, "HOME": str(tmp_path), "OQS_INSTALL_PATH": str(tmp_path), "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    chosen, refused = done.stdout.splitlines()
    assert chosen == "openssl"
    assert refused.startswith("SECURE_API_CRYPTO_PROVIDER: liboqs")


class TestPassphrase:
    """The passphrase of the server's key: the variable, the file named, or the one in the home folder."""

    def test_the_variable_comes_first(self, tmp_path: Path) -> None:
        (tmp_path / "server.passphrase").write_text("another long passphrase")
        assert Settings(home=tmp_path, passphrase=SecretStr(STRONG)).read_passphrase() == STRONG.encode()

    def test_then_the_file_that_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "server.passphrase").write_text("another long passphrase")
        named = tmp_path / "named"
        named.write_text(f"{STRONG}\n")
        assert Settings(home=tmp_path, passphrase_file=named).read_passphrase() == STRONG.encode()

    def test_then_the_file_in_the_home_folder(self, tmp_path: Path) -> None:
        assert Settings(home=tmp_path).read_passphrase() is None
        (tmp_path / "server.passphrase").write_text("äöüäöüäöüäöü\n")
        assert Settings(home=tmp_path).read_passphrase() == "äöüäöüäöüäöü".encode()

    @pytest.mark.parametrize("content", ["", "\n", SECRET, "äöüäöü"])
    def test_a_weak_one_in_a_file_is_refused_as_well(self, tmp_path: Path, content: str) -> None:
        for file in ("server.passphrase", "named"):
            (tmp_path / file).write_text(content)
            settings = Settings(home=tmp_path, passphrase_file=tmp_path / file if file == "named" else None)
            with pytest.raises(ConfigurationError, match=f"{file} must have 12 characters at least") as refused:
                settings.read_passphrase()
            assert SECRET not in refused.value.detail

    @pytest.mark.parametrize("obstacle", ["missing", "folder"])
    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path, obstacle: str) -> None:
        named = tmp_path / "named"
        if obstacle == "folder":
            named.mkdir()
        with pytest.raises(ConfigurationError, match=f"{named} cannot be read: [A-Z]"):
            Settings(home=tmp_path, passphrase_file=named).read_passphrase()


class TestServerKey:
    """Reading the server's key: what is wrong with it stops the server in one line."""

    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        key = PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)
        write_private_key(tmp_path / "server-key.pem", key, STRONG.encode())
        return tmp_path

    def refused(self, settings: Settings) -> str:
        with pytest.raises(ConfigurationError) as refused:
            settings.server_key()
        assert "\n" not in refused.value.detail
        assert STRONG not in refused.value.detail
        return refused.value.detail

    def test_the_right_passphrase_opens_it(self, home: Path) -> None:
        key = Settings(home=home, passphrase=SecretStr(STRONG)).server_key()
        assert key.algorithm is SignatureAlgorithm.ML_DSA_65

    def test_a_home_that_is_not_initialized_says_what_to_do(self, tmp_path: Path) -> None:
        missing = tmp_path / "missing"
        assert self.refused(Settings(home=missing)) == (
            f"{missing} is not initialized; run: secure-api init --home {missing}"
        )

    def test_a_wrong_passphrase(self, home: Path) -> None:
        said = self.refused(Settings(home=home, passphrase=SecretStr("wrong horse battery")))
        assert said.endswith("the key file is damaged (the passphrase came from SECURE_API_PASSPHRASE)")
        for name, settings in (
            ("server.passphrase", Settings(home=home)),
            ("named", Settings(home=home, passphrase_file=home / "named")),
        ):
            (home / name).write_text("wrong horse battery")
            assert self.refused(settings).endswith(f"(the passphrase came from {home / name})")

    def test_a_passphrase_that_is_not_wanted(self, tmp_path: Path) -> None:
        write_private_key(tmp_path / "server-key.pem", PrivateKey.generate(SignatureAlgorithm.ED25519), None)
        said = self.refused(Settings(home=tmp_path, passphrase=SecretStr(STRONG)))
        assert said.endswith("no passphrase is wanted (the passphrase came from SECURE_API_PASSPHRASE)")

    def test_no_passphrase(self, home: Path) -> None:
        assert self.refused(Settings(home=home)).endswith("a passphrase is needed")

    def test_a_key_that_others_can_read(self, home: Path) -> None:
        for mode in (0o640, 0o604, 0o660):
            (home / "server-key.pem").chmod(mode)
            assert f"mode {mode:04o}" in self.refused(Settings(home=home, passphrase=SecretStr(STRONG)))

    def test_a_file_that_is_no_key(self, home: Path) -> None:
        (home / "server-key.pem").write_text("-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----\n")
        assert "key" in self.refused(Settings(home=home, passphrase=SecretStr(STRONG)))
