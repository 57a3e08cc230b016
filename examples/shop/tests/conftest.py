"""The fixtures of the whole suite: a database of its own for each test, a session in it, a client for the API."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.database import Base, get_session
from app.main import app, get_warehouse
from app.models import Product
from app.repository import Repository
from app.warehouse import Warehouse


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine("sqlite+aiosqlite:///:memory:")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def repository(session: AsyncSession) -> Repository:
    return Repository(session)


@pytest.fixture
async def apple(repository: Repository) -> Product:
    return await repository.add_product("apple", 3)


@pytest.fixture
async def warehouse() -> AsyncIterator[Warehouse]:
    """A warehouse that has ten of everything."""

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = int(request.content.decode().rpartition(":")[2].strip(" }"))
        return httpx.Response(200, json={"reserved": wanted <= 10})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://warehouse.test") as client:
        yield Warehouse(client)


@pytest.fixture
async def client(session: AsyncSession, warehouse: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    app.dependency_overrides[get_session] = lambda: session
    app.dependency_overrides[get_warehouse] = lambda: warehouse
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
