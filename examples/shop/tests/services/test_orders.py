"""The service with a real database."""

import asyncio

import pytest

from app.models import Order
from app.receipts import Outbox, send_receipt
from app.service import OrderService, UnknownProduct


@pytest.fixture
def outbox():
    return Outbox()


@pytest.fixture
def service(repository, warehouse, outbox):
    return OrderService(repository, warehouse, lambda order_id: send_receipt(outbox, order_id))


async def test_an_order_is_kept(service, repository, apple, outbox):
    order = await service.place("apple", 2)
    assert order.total == 6
    assert await repository.number_of_orders() == 1
    assert outbox.queue.get_nowait() == f"order {order.id}"


async def test_a_test_starts_without_orders(repository):
    assert await repository.number_of_orders() == 0


async def test_an_unknown_product_is_no_order(service, repository):
    with pytest.raises(UnknownProduct):
        await service.place("pear", 1)
    assert await repository.number_of_orders() == 0


async def test_two_orders_at_once(service, session, apple):
    lock = asyncio.Lock()

    async def place(quantity: int) -> Order:
        async with lock:
            return await service.place("apple", quantity)

    async with asyncio.timeout(5):
        orders = await asyncio.gather(place(1), place(2))
    assert [order.total for order in orders] == [3, 6]
