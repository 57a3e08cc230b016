"""The fixtures of the whole suite."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.database import Base, get_session
from app.main import app, get_warehouse
from app.models import Product
from app.receipts import Outbox
from app.repository import Repository
from app.warehouse import Warehouse

pytest_plugins = ("pytest_asyncio",)
pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="session")
def event_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest_asyncio.fixture(scope="session")
async def engine() -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine("sqlite+aiosqlite:///:memory:")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine


@pytest_asyncio.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        async with session.begin():
            yield session


@pytest.fixture
def repository(session: AsyncSession) -> Repository:
    return Repository(session)


@pytest.fixture
async def apple(repository: Repository) -> Product:
    return await repository.add_product("apple", 3)


@pytest_asyncio.fixture(scope="session")
async def till() -> asyncio.Lock:
    return asyncio.Lock()


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest_asyncio.fixture
async def courier(outbox: Outbox) -> AsyncIterator[None]:
    worker = asyncio.create_task(outbox.run())
    yield


@pytest_asyncio.fixture
async def warehouse() -> AsyncIterator[Warehouse]:
    """A warehouse that has ten of everything."""

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = int(request.content.decode().rpartition(":")[2].strip(" }"))
        return httpx.Response(200, json={"reserved": wanted <= 10})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://warehouse.test") as client:
        yield Warehouse(client)


@pytest_asyncio.fixture
async def client(session: AsyncSession, warehouse: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    app.dependency_overrides[get_session] = lambda: session
    app.dependency_overrides[get_warehouse] = lambda: warehouse
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client
