"""Put the server together: `create_app(settings)` gives an ASGI application; importing this module does nothing."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import structlog
from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

from crypto import StorageKey
from secure_api import __version__, logs
from secure_api.api import openapi, problem
from secure_api.api.metrics import METRICS_PATH, Metrics
from secure_api.api.middleware.access_log import AccessLogMiddleware
from secure_api.api.middleware.behavior import RestrictionMiddleware, WatchMiddleware
from secure_api.api.middleware.limits import LimitsMiddleware
from secure_api.api.middleware.signatures import SignatureMiddleware
from secure_api.api.routers import (
    alerts,
    clients,
    contexts,
    datasets,
    documentation,
    ledger,
    masking,
    mpc,
    organizations,
    records,
    sessions,
    status,
    studies,
)
from secure_api.api.server import Server
from secure_api.data.database import Database
from secure_api.data.migrations import check_schema
from secure_api.data.nonce_file import FileNonceStore
from secure_api.data.nonce_memory import MemoryNonceStore
from secure_api.data.nonce_table import DatabaseNonceStore
from secure_api.data.nonces import NONCE_AFTERLIFE, NonceStore
from secure_api.data.sessions import sweep_sessions
from secure_api.domain.alerts import BehaviorMode
from secure_api.domain.clock import Clock, system_clock
from secure_api.domain.errors import BehaviorMissing, ConfigurationError, DomainError
from secure_api.services.authentication import Authenticator
from secure_api.services.behavior.office import BehaviorOffice
from secure_api.services.discovery import discovery_document
from secure_api.services.enrollment import presented_keys
from secure_api.services.exchange import Exchanger
from secure_api.services.ledger import sign_head
from secure_api.services.sealing_keyring import SealingKeyring
from secure_api.services.session_keeper import SessionKeeper
from secure_api.services.sessions import SessionOffice
from secure_api.services.studies.driver import StudyDriver
from secure_api.services.studies.office import StudyOffice
from secure_api.services.studies.registry import study_methods
from secure_api.settings import Settings

PUBLIC_PATHS = (
    frozenset({"/healthz", "/readyz", METRICS_PATH, "/.well-known/secure-api", "/openapi.json"}) | documentation.PATHS
)
PRESENTING = {
    ("POST", "/v1/clients"): presented_keys,
    ("POST", "/v1/clients/me/keys"): presented_keys,
}

KEYRING_INTERVAL = 60.0  # seconds between two looks at the sealing keys

log = structlog.get_logger("secure_api.app")


def create_app(settings: Settings, *, clock: Clock = system_clock, freeze: bool = False) -> FastAPI:
    """Make the application of one server process.

    Args:
        settings: what the operator chose.
        clock: tells the time.
        freeze: leave what is there at the start out of later garbage collections, which would stop requests and the
            scoring thread for tens of milliseconds to look at it. For a process that serves this application alone:
            what is frozen is collected after the end at the earliest.

    Raises:
        ConfigurationError: the server's key cannot be read, or the database URL is none we know.
    """
    provider = settings.select_provider()
    server_key = settings.server_key()
    database = Database(settings.url, pool_size=settings.database_pool, sqlite_synchronous=settings.sqlite_synchronous)
    limits = settings.limits()
    metrics = Metrics()
    nonces = nonce_store(settings, database)
    storage_key = settings.read_storage_key()
    terms = settings.session_terms()
    keyring = SealingKeyring(database, storage_key, server_key, clock=clock, lifetime=settings.sealing_key_lifetime)
    keeper = SessionKeeper(database, storage_key, clock=clock)
    authenticator = Authenticator(
        database,
        nonces,
        keeper,
        profile=settings.profile(),
        policy=settings.signature_policy,
        algorithms=settings.signature_algorithms,
        authorities=settings.authorities,
        clock=clock,
    )
    behavior = behavior_office(settings, database, storage_key, clock)
    methods = study_methods(clock, settings.study_compute_seconds)
    driver = StudyDriver(database, methods, clock, settings.study_lease)
    server = Server(
        database=database,
        clock=clock,
        limits=limits,
        server_keys=(server_key.public_key,),
        discovery=discovery_document(
            settings.profile(),
            limits,
            settings.signature_algorithms,
            settings.signature_policy,
            (server_key.public_key,),
            terms,
        ),
        office=SessionOffice(terms, storage_key, server_key.keyid),
        keyring=keyring,
        nonces=nonces,
        studies=StudyOffice(methods, settings.study_limits()),
    )

    async def sweep() -> None:
        before = int(clock().timestamp()) - NONCE_AFTERLIFE
        metrics.swept.inc(await nonces.sweep(before))
        async with database.write() as session:
            await sweep_sessions(session, before)
        await keeper.sweep()

    async def sign() -> None:
        if await sign_head(database, server_key, clock) is not None:
            metrics.heads.inc()

    async def watch() -> None:
        if behavior is not None:
            try:
                await behavior.step()
            finally:
                metrics.count_behavior(behavior.progress())

    async def compare() -> None:
        if behavior is not None and behavior.reference is not None:
            opinion = await behavior.reference.consult()
            if opinion is not None:
                metrics.compare_behavior(opinion.agreement, opinion.shared, len(opinion.overlooked))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(database.close)
            await check_schema(database)
            stack.push_async_callback(nonces.close)
            await nonces.open(int(clock().timestamp()))
            await keyring.refresh()
            stack.push_async_callback(attempt, "sign the ledger's head", sign)
            if behavior is not None:
                await behavior.open()
                stack.push_async_callback(attempt, "close behavior analysis", behavior.close)
            tasks = await stack.enter_async_context(anyio.create_task_group())
            if behavior is not None:
                tasks.start_soon(repeat, "carry behavior analysis on", watch, settings.behavior_interval)
                tasks.start_soon(repeat, "ask the reference of behavior", compare, settings.behavior_interval)
            tasks.start_soon(repeat, "sweep nonces and sessions", sweep, settings.nonce_sweep_interval)
            tasks.start_soon(repeat, "refresh the sealing keys", keyring.refresh, KEYRING_INTERVAL)
            tasks.start_soon(repeat, "carry studies on", driver.step, settings.study_interval)
            tasks.start_soon(repeat, "sign the ledger's head", sign, settings.ledger_head_interval)
            if freeze:
                gc.collect()
                gc.freeze()
                stack.callback(gc.unfreeze)
            server.ready = True
            log.info("ready", version=__version__, database=database.dialect, provider=provider)
            yield
            server.ready = False
            tasks.cancel_scope.cancel()

    app = FastAPI(
        title="secure-api",
        version=__version__,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
        docs_url=None,
    )
    app.state.server = server
    app.state.behavior = behavior
    for module in (
        status,
        documentation,
        organizations,
        clients,
        sessions,
        datasets,
        records,
        ledger,
        studies,
        mpc,
        alerts,
    ):
        app.include_router(module.router)
    for octets in (studies.octets, contexts.router, contexts.octets, masking.router, masking.octets):
        app.include_router(octets)
    problem.install(app, metrics.refused)
    # Added from the inside out: the request's id is known to all the others, the limits stand before the signature.
    if behavior is not None:
        app.add_middleware(RestrictionMiddleware, office=behavior, clock=clock, refused=metrics.refused)
    app.add_middleware(
        SignatureMiddleware,
        authenticator=authenticator,
        exchanger=Exchanger(keyring, server_key, clock=clock),
        limits=limits,
        public=PUBLIC_PATHS,
        presenting=PRESENTING,
        refused=metrics.refused,
    )
    app.add_middleware(LimitsMiddleware, limits=limits)
    if behavior is not None:
        app.add_middleware(WatchMiddleware, office=behavior, public=PUBLIC_PATHS, clock=clock, refused=metrics.refused)
    metrics.install(app)
    if settings.access_log:
        app.add_middleware(AccessLogMiddleware)
    app.add_middleware(CorrelationIdMiddleware)
    app.openapi = openapi.document(app, PUBLIC_PATHS)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def from_environment() -> FastAPI:
    """Make the application from `SECURE_API_*` variables: the factory that uvicorn's workers call.

    Raises:
        ConfigurationError: the settings make no sense.
    """
    settings = Settings.load()
    logs.configure(settings.log_level, settings.log_format)
    return create_app(settings, freeze=True)


def behavior_office(
    settings: Settings, database: Database, storage_key: StorageKey, clock: Clock
) -> BehaviorOffice | None:
    """Make what watches requests; None when it is off, or not installed and not asked for.

    Raises:
        BehaviorMissing: it was asked for, and the extra is not installed.
    """
    if settings.behavior is BehaviorMode.OFF:
        return None
    try:
        return BehaviorOffice(database, storage_key, settings.home, settings.behavior_terms(), clock=clock)
    except BehaviorMissing as error:
        if "behavior" in settings.model_fields_set:
            raise
        log.warning("behavior analysis is off", reason=error.detail)
        return None


def nonce_store(settings: Settings, database: Database) -> NonceStore:
    """Make the store of nonces that the settings choose.

    Raises:
        ConfigurationError: it needs a URL, a database of another kind, or an extra that is not installed.
    """
    chosen, path, skew = settings.nonce_store, database.path, settings.signature_clock_skew
    if chosen == "redis":
        if settings.redis_url is None:
            raise ConfigurationError("Nonces in Redis need SECURE_API_REDIS_URL.")
        try:
            from secure_api.data.nonce_redis import RedisNonceStore
        except ModuleNotFoundError as error:
            raise ConfigurationError("Nonces in Redis need the extra secure-api[redis].") from error
        url, prefix = settings.redis_url.get_secret_value(), settings.redis_prefix
        return RedisNonceStore(url, database, prefix=prefix, timeout=settings.redis_timeout, clock_skew=skew)
    if chosen == "memory":
        return MemoryNonceStore(database, clock_skew=skew)
    if chosen == "database" or (chosen == "auto" and path is None):
        return DatabaseNonceStore(database)
    if path is None:
        raise ConfigurationError("A file of nonces needs an SQLite database beside it.")
    return FileNonceStore(path.with_suffix(".nonces"), path)


async def repeat(what: str, action: Callable[[], Awaitable[None]], interval: float) -> None:
    """Do something every `interval` seconds for as long as the server lives; a failure is logged and tried again."""
    while True:
        await asyncio.sleep(interval)
        await attempt(what, action)


async def attempt(what: str, action: Callable[[], Awaitable[None]]) -> None:
    """Do something once; a failure is logged."""
    try:
        await action()
    except DomainError as error:
        log.warning("could not " + what, error=error.detail)
    except Exception as error:  # a defect, but no reason to stop trying
        log.error("could not " + what, exc_info=error)
