"""The only reader of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from platformdirs import user_data_path
from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from kb.errors import SettingsInvalid

PREFIX = "KB_"
OPEN_WORDS: Final = "yes, anyone may ask"
# What Kubernetes puts into every container beside a Service that is called kb.
_SERVICE_NAME = re.compile(
    rf"{PREFIX}(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://\S+")


class Settings(BaseSettings):
    """Every setting, with its bounds. Set as an environment variable: KB_HOME, KB_MODEL, …"""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: user_data_path("weighbridge"),
        description="Folder for weights and the index; created when missing.",
    )
    corpus: Path = Field(
        Path("corpus"), description="Folder whose documents `make up` and the server ingest."
    )
    model: str = Field(
        "qwen2.5-coder-1.5b",
        description="Chat model: a name from `kb models list`, or a path to any GGUF file.",
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the server listens on.")
    database_url: str | None = Field(
        None, description="Catalog's SQLAlchemy URL; default: SQLite under KB_HOME."
    )
    chroma_url: HttpUrl | None = Field(
        None, description="A Chroma server's address; default: Chroma in this process."
    )
    store_seconds: float = Field(
        10.0,
        ge=1,
        le=300,
        description="How long the catalog's and the vector store's servers may take to answer.",
    )
    chat_url: HttpUrl | None = Field(
        None,
        description="An OpenAI-compatible server's address, with /v1; default: the chat model runs "
        "in this process. KB_MODEL is then a name that the server knows.",
    )
    chat_key: SecretStr | None = Field(None, description="Key for that server, if it wants one.")
    chat_seconds: float = Field(
        60.0, ge=1, le=600, description="How long that server may be silent before a call fails."
    )
    threads: int = Field(2, ge=1, le=64, description="Threads for the encoder and the chat model.")
    context_tokens: int = Field(
        4096, ge=1024, le=131072, description="The chat model's context window, tokens."
    )
    answer_from: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Confidence from which what was found is shown as the answer.",
    )
    quote_from: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Confidence from which it is shown as the closest passages; below it the "
        "question is refused.",
    )
    answer_seconds: float = Field(
        40.0, ge=1, le=600, description="Deadline for an answer; after it: verified quotes."
    )
    answer_cache: int = Field(
        256,
        ge=0,
        le=100_000,
        description="How many answers are kept in memory, for when their question is asked again; "
        "0: none.",
    )
    follow_ups: Literal["rules", "model"] = Field(
        "rules",
        description="Who puts a follow-up into words that the rules are unsure of; the chat model "
        "takes seconds for it.",
    )
    at_once: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Questions that the chat model works on at once. Default: 1 in this process, 8 "
        "with KB_CHAT_URL.",
    )
    queue: int = Field(
        32,
        ge=1,
        le=10_000,
        description="Questions that may wait for it; a further one is refused with 503.",
    )
    question_chars: int = Field(
        2000, ge=20, le=20000, description="Longest accepted question, in characters."
    )
    file_mb: int = Field(20, ge=1, le=1000, description="Largest file that is ingested, MB.")
    keep_versions: int = Field(
        3, ge=1, le=1000, description="How many earlier corpus versions stay askable."
    )
    watch: bool = Field(
        False, description="Whether the server ingests what changes in KB_CORPUS by itself."
    )
    watch_prune: bool = Field(
        False, description="Whether it then removes documents whose files have gone, too."
    )
    watch_seconds: float = Field(
        2.0, ge=0.1, le=600, description="How long a file must have been left alone before that."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Lines of the server's log: text, or one JSON object each."
    )
    otlp_url: HttpUrl | None = Field(
        None,
        description="Where traces are sent over OTLP/HTTP: http://localhost:4318/v1/traces. Needs "
        "the extra telemetry.",
    )
    disk_mb: int = Field(
        500,
        ge=0,
        le=10_000_000,
        description="Free space under KB_HOME, MB, below which the server is not ready.",
    )
    conversation_days: int = Field(
        30,
        ge=0,
        le=36500,
        description="Days that a conversation is kept after its last question; 0 stores none.",
    )

    allowed_origins: str = Field(
        "",
        pattern=r"^(?:https?://[^\s,/*]+(?:, ?https?://[^\s,/*]+)*)?$",
        description="Sites whose pages may use the widget, with commas: https://docs.example.com.",
    )

    open_to_everyone: Literal["", "yes, anyone may ask"] = Field(
        "",
        description='"yes, anyone may ask": whoever reaches the server may ask and read without a '
        "key, also where KB_HOST is no loopback address.",
    )
    trusted_hosts: str = Field(
        "",
        pattern=r"^(?:[^\s,/:]+(?:, ?[^\s,/:]+)*)?$",
        description="Names the server may be called by beside localhost and KB_HOST, with commas: "
        "kb.example.com, *.example.com.",
    )
    rate_per_minute: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="Requests a minute for one key, or for one address without a key; 0: no limit. "
        "Default: 0 on a loopback address, else 120.",
    )
    daily_quota: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="Questions a day for one key, or for one address without a key; 0: no limit.",
    )
    limits_url: str = Field(
        "memory://",
        description="Where requests are counted: memory://, or redis://host:6379 for several "
        "servers together.",
    )
    key: SecretStr | None = Field(
        None, description="Key that kb's commands send to a server that asks for one."
    )

    @property
    def trusted_names(self) -> list[str]:
        return [name.strip() for name in self.trusted_hosts.split(",") if name.strip()]

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.allowed_origins.split(",") if origin.strip()]

    @property
    def weights(self) -> Path:
        return self.home / "weights"

    @property
    def index(self) -> Path:
        return self.home / "index"

    @property
    def uploads(self) -> Path:
        return self.index / "uploads"

    @property
    def shared(self) -> bool:
        """Whether nothing of the index is in this folder: other processes may use it at once."""
        served = self.database_url is not None and not self.database_url.startswith("sqlite")
        return served and self.chroma_url is not None

    @property
    def catalog_url(self) -> str:
        return self.database_url or f"sqlite:///{self.index / 'catalog.sqlite3'}"


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Unknown KB_ names are refused, so that a typing error
    can't silently leave a default in force. Raises SettingsInvalid."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    environ = {name: value for name, value in environ.items() if not _of_a_service(name, value)}
    strange = sorted(k for k in environ if k.startswith(PREFIX) and k not in known)
    if strange:
        raise SettingsInvalid(
            f"unknown setting {', '.join(strange)}; known are {', '.join(sorted(known))}"
        )
    given = {key[len(PREFIX) :].lower(): value for key, value in environ.items() if key in known}
    if f"{PREFIX}PORT" not in environ:  # or pydantic takes the Service's address from the process
        given["port"] = str(Settings.model_fields["port"].default)
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic turns the strings into types
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsInvalid(f"{name}: {first['msg']}") from error


def _of_a_service(name: str, value: str) -> bool:
    """Whether a variable isn't this program's: KB_PORT too is an address then, and no number."""
    address = name == f"{PREFIX}PORT" and _SERVICE_ADDRESS.fullmatch(value) is not None
    return address or _SERVICE_NAME.fullmatch(name) is not None
