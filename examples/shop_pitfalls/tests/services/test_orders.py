"""The service with a real database."""

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.receipts import Outbox, send_receipt
from app.service import OrderService

pytestmark = pytest.mark.asyncio

TEST_DATABASE_URL = "sqlite+aiosqlite:///:memory:"


@pytest_asyncio.fixture
async def service(repository, warehouse):
    return OrderService(repository, warehouse, lambda order_id: send_receipt(Outbox(), order_id))


async def test_an_order_is_kept(service, repository):
    await repository.add_product("plum", 1)
    order = await service.place("plum", 2)
    assert order.total == 2


async def test_a_test_starts_without_orders(repository):
    assert await repository.number_of_orders() == 0


async def test_apples_are_known(apple):
    assert apple.name == "apple"


async def test_the_service_is_ready():
    assert service


async def test_an_unknown_product_is_no_order(repository, warehouse):
    service = OrderService(repository, warehouse, print)
    result = service.place("pear", 1)
    assert result is not None


async def test_products_are_looked_up_in_a_loop(repository):
    product = asyncio.run(repository.product("plum"))
    assert product.price == 1


async def test_a_fresh_database_has_no_orders():
    engine = create_async_engine(TEST_DATABASE_URL, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("create table orders (id int)"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from orders")) == 0
