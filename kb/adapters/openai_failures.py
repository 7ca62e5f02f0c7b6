"""What can go wrong with a chat server, as this project's errors and as a circuit breaker's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import openai

from kb.breaker import Breaker
from kb.errors import ModelError, ModelFailed, ModelNotReady

BUSY = 429
# What reading an answer that is no chat completion ends in: the client checks no shapes.
_NONSENSE = (ValueError, TypeError, AttributeError, LookupError)


@contextmanager
def translated(url: str, model: str, breaker: Breaker | None = None) -> Iterator[None]:
    """Raises ModelNotReady or ModelFailed. The breaker is told what says that the server is in
    trouble, and of each success."""
    try:
        yield
    except ModelError:  # the server has answered, and that is no use
        raise
    except (openai.OpenAIError, httpx.HTTPError, *_NONSENSE) as error:
        if breaker and _in_trouble(error):
            breaker.failed()
        raise _translation(error, url, model) from error
    if breaker:
        breaker.succeeded()


def _in_trouble(error: Exception) -> bool:
    """Not what another request, key or name would mend."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code >= 500 or error.status_code == BUSY
    return True


def _translation(error: Exception, url: str, model: str) -> ModelError:
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelFailed(f"the chat server at {url} fell silent; look whether it is overloaded")
    if isinstance(error, openai.APIConnectionError):
        return ModelFailed(
            f"the chat server at {url} can't be reached; look whether it runs, and whether "
            "KB_CHAT_URL is right"
        )
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, url, model)
    if isinstance(error, httpx.HTTPError | openai.APIError):
        return ModelFailed(f"the chat server at {url} broke off: {error}; ask again")
    return ModelFailed(
        f"what answers at {url} is no chat completion; KB_CHAT_URL has to name an "
        "OpenAI-compatible server, with its version: http://host:port/v1"
    )


def _refusal(error: openai.APIStatusError, url: str, model: str) -> ModelError:
    match error.status_code:
        case 401 | 403:
            return ModelFailed(f"the chat server at {url} refuses the key; set KB_CHAT_KEY")
        case 404:
            return ModelFailed(
                f"the chat server at {url} has no model {model!r}, or no such route; set KB_MODEL "
                "to a name that it lists, and KB_CHAT_URL to its address with /v1"
            )
        case 429 | 503:
            return ModelNotReady(
                f"the chat server at {url} is loading or busy ({error.status_code}); ask again in "
                "a while"
            )
        case status:
            return ModelFailed(f"the chat server at {url} failed ({status}): {error.message}")
