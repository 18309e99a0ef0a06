"""Where the server spends nonces, having looked at it."""

from secure_api.data.errors import DatabaseUnavailable
from secure_api.domain.errors import ConfigurationError
from secure_api.settings import Settings


async def inspect_nonces(settings: Settings) -> str:
    """Look at the place that the settings choose for nonces; returns what it is, in a few words.

    Raises:
        ConfigurationError: it cannot be reached, or trusted with nonces, or needs an extra that is not installed.
    """
    if settings.nonce_store == "redis" and settings.redis_url is not None:
        try:
            from secure_api.data.redis_connection import connect, inspect_server
        except ModuleNotFoundError as error:
            raise ConfigurationError("Nonces in Redis need the extra secure-api[redis].") from error
        client = connect(settings.redis_url.get_secret_value(), settings.redis_timeout)
        try:
            server = await inspect_server(client)
        except DatabaseUnavailable as error:
            said = str(error.__cause__).partition("\n")[0]
            raise ConfigurationError(f"Redis: {said.rstrip('.')}; is SECURE_API_REDIS_URL right?") from error
        finally:
            await client.aclose()
        return f"redis {server.version}, eviction policy {server.eviction or 'unknown'}"
    if settings.nonce_store == "memory":
        return "memory of the process: one worker only"
    beside = settings.nonce_store in {"auto", "file"} and settings.url.startswith("sqlite")
    return "file beside the database" if beside else "table of the database"
