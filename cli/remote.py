"""The knowledge base of a running server, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import httpx
from pydantic import SecretStr

import kb.access_errors  # noqa: F401  # so that what a server reports of them is known
from kb.errors import ServerUnreachable, SettingsInvalid, WeighbridgeError, leaves

Wire = dict[str, Any]  # a JSON object of the HTTP interface

CONNECT_SECONDS = 5.0


class Server:
    """The server that owns the index. Raises what it reports, as this project's errors."""

    def __init__(
        self,
        url: str,
        answer_seconds: float,
        transport: httpx.BaseTransport | None = None,
        key: SecretStr | None = None,
    ) -> None:
        """answer_seconds: how long an answer may take; others may be served before this one. key:
        sent where there is one. Raises SettingsInvalid."""
        self._url = url
        timeout = httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS)
        # trust_env: a proxy in the environment is not for this machine's own server
        self._client = httpx.Client(
            base_url=url,
            timeout=timeout,
            trust_env=False,
            transport=transport,
            headers=_authorization(key),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, question: str) -> Wire:
        return self._post("/v1/ask", {"question": question})

    def search(self, question: str, count: int) -> Wire:
        return self._post("/v1/search", {"question": question, "count": count})

    def about(self) -> Wire:
        return self._call("GET", "/v1/about")

    def ingest(self, lines: Iterator[bytes], prune: bool, dry_run: bool) -> Wire:
        """The job that has been accepted. lines: of the upload, as the API describes it."""
        accepted = self._call(
            "POST",
            "/v1/ingest/files",
            content=lines,
            params={"prune": prune, "dry_run": dry_run},
            headers={"Content-Type": "application/x-ndjson"},
        )
        job: Wire = accepted["job"]
        return job

    def job(self, job_id: str) -> Wire:
        return self._call("GET", f"/v1/jobs/{job_id}")

    def cancel(self, job_id: str) -> Wire:
        return self._call("POST", f"/v1/jobs/{job_id}/cancel")

    def documents(self) -> Wire:
        return self._call("GET", "/v1/documents")

    def versions(self) -> Wire:
        return self._call("GET", "/v1/versions")

    def changes(self, before: int, after: int) -> Wire:
        return self._call("GET", f"/v1/versions/{before}/diff/{after}")

    def roll_back(self, number: int) -> Wire:
        return self._call("POST", f"/v1/versions/{number}/rollback")

    def migrate(self) -> Wire:
        """The job that switches to what `kb migrate` built."""
        accepted = self._call("POST", "/v1/migration")
        job: Wire = accepted["job"]
        return job

    def alive(self) -> bool:
        try:
            return self._client.get("/livez").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _post(self, path: str, body: Wire) -> Wire:
        return self._call("POST", path, json=body)

    def _call(self, method: str, path: str, **what: Any) -> Wire:
        """what: httpx's own arguments of a request."""
        try:
            response = self._client.request(method, path, **what)
        except httpx.HTTPError as error:
            raise ServerUnreachable(
                f"the server at {self._url} does not answer ({error or type(error).__name__}); "
                "look at its log, or stop it and run this command again"
            ) from error
        if response.is_error:
            raise _problem(response)
        answer: Wire = response.json()
        return answer


def _authorization(key: SecretStr | None) -> dict[str, str]:
    sent = key.get_secret_value() if key else ""
    if not sent.isascii() or not sent.isprintable():
        raise SettingsInvalid("KB_KEY: a key is made of letters, digits, - and _")
    return {"Authorization": f"Bearer {sent}"} if sent else {}


def _problem(response: httpx.Response) -> WeighbridgeError:
    """The problem document as the error that it was made from."""
    try:
        problem = response.json()
        code, detail = str(problem["code"]), str(problem.get("detail") or problem["title"])
    except (ValueError, KeyError, TypeError):
        return ServerUnreachable(f"the server answered HTTP {response.status_code}; see its log")
    return reported(code, detail)


def reported(code: str, detail: str) -> WeighbridgeError:
    """The error that has this code."""
    known = {leaf.code: leaf for leaf in leaves()}
    return known.get(code, WeighbridgeError)(detail)
