"""What a report says of each specimen beyond its numbers: data only, nothing measured stands here.

The apps themselves are in `apps/specimens/`, each with its mistake in a few lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """Where to read more."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Specimen:
    """One well-known mistake."""

    app: str
    mistake: str
    """As a heading."""
    symptom: str
    """What one sees, in words that people search for; an app's error text comes from the run."""
    mechanism: str
    """Why, in two sentences."""
    cure: str
    """What to do instead, as a sentence."""
    code: str
    """The cure in a few lines of Python."""
    links: tuple[Link, ...]


POOL_TIMEOUT = Link("SQLAlchemy: QueuePool limit reached", "https://sqlalche.me/e/21/3o7r")

ALL = (
    Specimen(
        app="sync-ungated",
        mistake="The session comes from a dependency, and nobody limits how many requests get in",
        symptom="Requests fail with a timeout of the connection pool while app and database have "
        "next to nothing to do; a larger pool only moves the load at which it begins.",
        mechanism="FastAPI checks a def endpoint's answer in a worker thread while the "
        "dependency's session still holds its connection. Once every thread waits for a "
        "connection, the holders of the connections wait for a thread, until the pool's timeout "
        "(30 s unless it is set) ends it.",
        cure="Open the session inside the endpoint, and let in no more requests than the pool "
        "holds, first come first served.",
        code="@router.get('/items/{item_id}', response_model=ItemOut)\n"
        "def get_item(item_id: int, database: OpenDatabase):\n"
        "    with database.session() as session:  # not: session = Depends(get_session)\n"
        "        return session.get(Item, item_id)",
        links=(
            Link("fastapi#3205", "https://github.com/fastapi/fastapi/issues/3205"),
            Link("fastapi#12066", "https://github.com/fastapi/fastapi/pull/12066"),
            POOL_TIMEOUT,
        ),
    ),
    Specimen(
        app="async-blocking",
        mistake="A sync session inside async def",
        symptom="While one query runs nobody else is answered, health checks included, and one "
        "worker serves one request at a time. Nothing fails and nothing is logged, unless asyncio "
        "is in debug mode: “Executing <Task …> took … seconds”.",
        mechanism="A coroutine runs in the thread of the event loop, and a sync driver blocks that "
        "thread until the database has answered. Every other request waits for the loop, whatever "
        "it needs.",
        cure="Make the endpoint def, so that it runs in a worker thread, or use an async session "
        "and driver.",
        code="def get_item(...):             # a sync session: def\n"
        "    with database.session() as session:\n"
        "        return session.get(Item, item_id)\n\n"
        "async def get_item(...):       # async def: an async session\n"
        "    async with database.session() as session:\n"
        "        return await session.get(Item, item_id)",
        links=(
            Link("FastAPI: concurrency and async / await", "https://fastapi.tiangolo.com/async/"),
            Link(
                "asyncio: running blocking code",
                "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
            ),
        ),
    ),
    Specimen(
        app="async-ddl",
        mistake="The tables are created in every request",
        symptom="Every request is slow though its own statement is quick, and the statement log is "
        "full of DESCRIBE or of reads of information_schema. On an empty schema the first requests "
        "fail with “Table 'items' already exists”.",
        mechanism="create_all asks the server for every table before it decides that there is "
        "nothing to do. In a dependency that is a second trip to the pool, a transaction and "
        "several round trips before each request's own work.",
        cure="Create the tables once, before the app starts, by a migration; let the dependency "
        "lend a session and nothing else.",
        code="# when deploying, not when answering: alembic upgrade head\n\n"
        "async def get_db():\n"
        "    async with sessions() as session:\n"
        "        yield session",
        links=(
            Link(
                "SQLAlchemy: create_all and checkfirst",
                "https://docs.sqlalchemy.org/en/21/core/metadata.html",
            ),
            Link("Alembic", "https://alembic.sqlalchemy.org/en/latest/tutorial.html"),
        ),
    ),
    Specimen(
        app="async-ungated",
        mistake="The pool decides who is next",
        symptom="The median looks fine, but some requests take many times as long or fail with a "
        "timeout of the connection pool, although connections become free all the time.",
        mechanism="SQLAlchemy's pool is not a fair queue: a returned connection may be taken by a "
        "newcomer before the waiter that was woken for it runs. The waiter then queues again, at "
        "the end.",
        cure="Queue in front of the pool, first come first served, and let in no more requests "
        "than it holds.",
        code="app.add_middleware(Admission, gate=AdmissionGate(limit=pool_size, wait_s=5.0))",
        links=(
            Link("sqlalchemy#7679", "https://github.com/sqlalchemy/sqlalchemy/issues/7679"),
            POOL_TIMEOUT,
        ),
    ),
    Specimen(
        app="hold-connection",
        mistake="A connection is kept while the request waits for something else",
        symptom="Requests fail with a timeout of the connection pool at a load that the database "
        "hardly notices; SHOW PROCESSLIST is full of “Sleep”.",
        mechanism="A session that has run a statement keeps its connection until its transaction "
        "ends. While the request waits for another service its connection idles, and the pool "
        "serves as many requests as it has connections, however long the other service takes.",
        cure="End the transaction before the call, and begin another after it.",
        code="async with database.session() as session:\n"
        "    order = await session.get(Order, order_id)\n"
        "answer = await payment_service.ask(order)      # no connection is held here\n"
        "async with database.session() as session:\n"
        "    ...",
        links=(
            Link(
                "SQLAlchemy: when a session gives its connection back",
                "https://docs.sqlalchemy.org/en/21/orm/session_basics.html#closing",
            ),
            POOL_TIMEOUT,
        ),
    ),
    Specimen(
        app="n-plus-one",
        mistake="A page's rows are read again one by one",
        symptom="The statement log repeats one SELECT by primary key as often as the page has "
        "rows, and a page takes longer with every row and with the distance to the database.",
        mechanism="One query lists the rows and a loop, or a lazily loaded attribute, reads each "
        "of them. Every row costs a round trip and the work of ORM and driver for one statement.",
        cure="Read what the answer needs in one statement; for relationships say so with "
        "selectinload or joinedload.",
        code="items = await session.scalars(select(Item).order_by(Item.id).limit(20))\n"
        "return items.all()     # not: [await session.get(Item, id) for id in ids]",
        links=(
            Link(
                "SQLAlchemy: relationship loading techniques",
                "https://docs.sqlalchemy.org/en/21/orm/queryguide/relationships.html",
            ),
        ),
    ),
)

SPECIMENS: Mapping[str, Specimen] = {specimen.app: specimen for specimen in ALL}
