"""Puts a specimen together: a healthy twin whose routes the mistake's own stand in front of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI

from apps.common.application import TwinDatabase, create_app
from apps.common.settings import Settings


def build(
    name: str,
    database: Callable[[Settings], TwinDatabase],
    twin: APIRouter,
    mistake: APIRouter | None = None,
    *,
    watched: bool = True,
    **usual: Any,
) -> FastAPI:
    """The specimen called `name`: of two routes to the same path, the mistake's answers.

    `watched`: as for `create_app`. `usual` are settings that belong to the mistake, unless the
    environment has others (a cure to try).
    """
    router = APIRouter()
    if mistake is not None:
        router.include_router(mistake, include_in_schema=False)  # the twin's describes it as well
    router.include_router(twin)
    settings = Settings.from_environment(name, usual=usual)
    return create_app(settings, database, router, watched=watched)
