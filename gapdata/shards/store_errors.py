"""What goes wrong at a disk or an object store, as one line; and whether trying again can help."""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Mapping

from gapdata.errors import ConfigError, GapdataError

# Errors of store clients that are no OSError, by module; a module that was never loaded raised none.
_CLIENT_ERRORS: Mapping[str, tuple[str, ...]] = {
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "aiohttp.client_exceptions": ("ClientError",),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
}
_PASSING_ERRORS: Mapping[str, tuple[str, ...]] = {
    "botocore.exceptions": ("HTTPClientError", "ConnectionError", "IncompleteReadError"),
    "aiohttp.client_exceptions": ("ClientConnectionError", "ClientPayloadError"),
    "google.auth.exceptions": ("TransportError",),
}
_NO_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "botocore.exceptions": ("NoCredentialsError", "PartialCredentialsError"),
    "google.auth.exceptions": ("DefaultCredentialsError",),
}
_PASSING_ERRNOS = frozenset(
    {errno.EBUSY, errno.EREMOTEIO, errno.EAGAIN, errno.EPIPE, errno.EHOSTUNREACH, errno.ENETUNREACH}
)
_BUSY_STATUS = 429  # of HTTP; 500 and more are the server's own troubles


def store_errors() -> tuple[type[BaseException], ...]:
    """Every type that a file system or store client raises for what is not a mistake in the program."""
    return (OSError, *_types(_CLIENT_ERRORS))


def is_passing(error: BaseException) -> bool:
    """Whether a remote store may well answer the same request soon."""
    if isinstance(error, (FileNotFoundError, PermissionError, FileExistsError)):
        return False
    if isinstance(error, (ConnectionError, TimeoutError, *_types(_PASSING_ERRORS))):
        return True
    status = getattr(error, "code", None)
    if isinstance(status, int) and (status == _BUSY_STATUS or status >= 500):
        return True
    return isinstance(error, OSError) and error.errno in _PASSING_ERRNOS


def explained(error: BaseException, where: str, action: str, *, remote: bool) -> GapdataError:
    """The error in one line without the store's own words, which might repeat what only the store should know.

    action: what could not be done, `read` or `written` say.
    """
    code = error_code(error)
    if code == "NoSuchBucket":
        return ConfigError(f"{where}: there is no such bucket; create it or correct the URL")
    if isinstance(error, _types(_NO_CREDENTIALS)):
        return ConfigError(
            f"{where}: no credentials were found; set them in the environment, as the store's client expects"
        )
    if isinstance(error, PermissionError) and remote:
        return ConfigError(
            f"{where}: the store does not permit that it is {action} ({code or 'refused'}); "
            "check the credentials in the environment, what they may do, and this machine's clock"
        )
    if remote and is_passing(error):
        return ConfigError(
            f"{where}: the store cannot be reached ({code or type(error).__name__}); "
            "check the network and the endpoint, then run the same command again to go on"
        )
    reason = getattr(error, "strerror", None) or code or type(error).__name__
    if action == "written":
        place = f" (staged in {tempfile.gettempdir()})" if remote else ""
        return ConfigError(
            f"{where}: cannot be written{place}: {reason}; free space there or choose another output"
        )
    return ConfigError(f"{where}: cannot be {action}: {reason}")


def error_code(error: BaseException) -> str:
    """The store's own short code for an error, `AccessDenied` say; "" when it gave none."""
    for link in (error, error.__cause__):
        response = getattr(link, "response", None)
        if isinstance(response, Mapping):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def is_taken(error: BaseException) -> bool:
    """Whether creating an object failed because there is one already."""
    return (
        isinstance(error, FileExistsError)
        or error_code(error) in ("PreconditionFailed", "ConditionalRequestConflict")
        or getattr(error, "code", None) == 412
    )


def _types(names: Mapping[str, tuple[str, ...]]) -> tuple[type[BaseException], ...]:
    return tuple(
        getattr(sys.modules[module], name)
        for module, found in names.items()
        if module in sys.modules
        for name in found
    )
