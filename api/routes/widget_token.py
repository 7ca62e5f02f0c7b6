"""Tokens for the widget, so that a page needs no key."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from api.auth import FOR_EVERYONE, Access
from api.described import REFUSED
from api.limits import address_of
from api.tokens import LIFETIME_SECONDS

router = APIRouter(tags=["operations"])


class TokenOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"token": "eyJ…", "expires_in": LIFETIME_SECONDS, "scopes": ["ask", "read"]}
            ]
        }
    )

    token: str = Field(description="Sent as `Authorization: Bearer`, by pages of the same origin.")
    expires_in: int = Field(description="Seconds.")
    scopes: list[str]


@router.post(
    "/v1/widget/token",
    responses={403: REFUSED, 429: REFUSED, 503: REFUSED},
    summary="A token for a page",
)
async def widget_token(
    request: Request,
    origin: Annotated[str, Header(max_length=300, description="Browsers send it.")] = "",
) -> TokenOut:
    """For pages of the origins in `KB_ALLOWED_ORIGINS`. It lets them ask and read, from that origin
    only and for ten minutes."""
    access: Access = request.app.state.access
    token = await to_thread.run_sync(_issued, access, address_of(request.client), origin)
    return TokenOut(token=token, expires_in=LIFETIME_SECONDS, scopes=sorted(FOR_EVERYONE))


def _issued(access: Access, address: str, origin: str) -> str:
    access.limits.count_token(address)
    return access.tokens.issue(origin)
