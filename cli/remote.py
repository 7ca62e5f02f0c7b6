"""The knowledge base of a running server, over HTTP."""

from __future__ import annotations

from typing import Any, Self

import httpx

from kb.errors import ServerUnreachable, WeighbridgeError, leaves

Wire = dict[str, Any]  # a JSON object of the HTTP interface

CONNECT_SECONDS = 5.0


class Server:
    """The server that owns the index. Raises what it reports, as this project's errors."""

    def __init__(
        self, url: str, answer_seconds: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        """answer_seconds: how long an answer may take; others may be served before this one."""
        self._url = url
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        # trust_env: a proxy in the environment is not for this machine's own server
        self._client = httpx.Client(
            base_url=url, timeout=timeout, trust_env=False, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, question: str) -> Wire:
        return self._post("/v1/ask", {"question": question})

    def search(self, question: str, count: int) -> Wire:
        return self._post("/v1/search", {"question": question, "count": count})

    def alive(self) -> bool:
        try:
            return self._client.get("/livez").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _post(self, path: str, body: Wire) -> Wire:
        try:
            response = self._client.post(path, json=body)
        except httpx.HTTPError as error:
            raise ServerUnreachable(
                f"the server at {self._url} does not answer ({error or type(error).__name__}); "
                "look at its log, or stop it and run this command again"
            ) from error
        if response.is_error:
            raise _reported(response)
        answer: Wire = response.json()
        return answer


def _reported(response: httpx.Response) -> WeighbridgeError:
    """The problem document as the error that it was made from."""
    try:
        problem = response.json()
        code, detail = str(problem["code"]), str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, TypeError):
        return ServerUnreachable(f"the server answered HTTP {response.status_code}; see its log")
    known = {leaf.code: leaf for leaf in leaves()}
    return known.get(code, WeighbridgeError)(detail)
