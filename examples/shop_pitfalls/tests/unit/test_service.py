"""The service by itself, with mocks around it."""

import asyncio
import unittest
from unittest.mock import AsyncMock, MagicMock, patch

import httpx
import pytest

from app import receipts
from app.models import Order, Product
from app.receipts import Outbox
from app.service import OrderService, OutOfStock, UnknownProduct
from app.warehouse import Warehouse


def make_service():
    repository = AsyncMock()
    repository.product.return_value = Product(id=1, name="apple", price=3)
    repository.add_order.return_value = Order(id=7, product_id=1, quantity=2, total=6)
    return OrderService(repository, AsyncMock(), AsyncMock())


async def test_the_total_is_right():
    order = await make_service().place("apple", 2)
    assert order.total == 2 * 3


@pytest.mark.asyncio
async def test_a_receipt_is_sent():
    service = make_service()
    await service.place("apple", 2)
    send_receipt = AsyncMock()
    send_receipt.assert_awaited_once


@pytest.mark.asyncio
async def test_an_unknown_product_is_refused():
    service = OrderService(AsyncMock(), AsyncMock(), AsyncMock())
    with pytest.raises(UnknownProduct):
        service.place("pear", 1)


@pytest.mark.asyncio
async def test_a_broken_database_is_an_error():
    repository = MagicMock()
    with pytest.raises(Exception):
        await repository.product("apple")


@pytest.mark.asyncio
async def test_the_warehouse_reserves():
    response = AsyncMock()
    response.status_code = 200
    response.json.return_value = {"reserved": True}
    client = AsyncMock()
    client.post.return_value = response
    assert await Warehouse(client).reserve("apple", 2)


@pytest.mark.asyncio
async def test_a_transaction_is_left_by_an_error():
    transaction = MagicMock()
    transaction.__aexit__ = AsyncMock()
    async with transaction:
        assert transaction.commit.called


@pytest.mark.asyncio
async def test_the_receipt_can_be_replaced():
    with patch("app.receipts.send_receipt", MagicMock()) as send:
        receipts.send_receipt(Outbox(), 1)
    assert send.called


@pytest.mark.asyncio
async def test_sizes_of_orders():
    for quantity in (1, 2):
        order = await make_service().place("apple", quantity)
        yield order


@pytest.mark.asyncio
def test_errors_are_exceptions():
    assert issubclass(OutOfStock, Exception)


@pytest.mark.asyncio
async def test_what_is_asynchronous():
    assert asyncio.iscoroutinefunction(make_service().place)

    async def test_the_receipt_too():
        assert asyncio.iscoroutinefunction(receipts.send_receipt)


class WarehouseTests(unittest.TestCase):
    async def asyncSetUp(self):
        self.warehouse = Warehouse(httpx.AsyncClient())

    async def test_reserves(self):
        self.assertTrue(await self.warehouse.reserve("apple", 2))


class TestBrokenWarehouse:
    asked = []

    async def setup_method(self):
        self.asked.clear()

    def fail(self, request):
        return httpx.Response(500)

    @pytest.mark.asyncio
    async def test_the_error_is_passed_on(self):
        self.asked.append("apple")
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.fail), base_url="http://warehouse") as client:
            with pytest.raises(httpx.HTTPStatusError):
                await Warehouse(client).reserve("apple", 1)


class TestPrices:
    asked = []

    @pytest.mark.asyncio
    async def test_apple(self):
        self.asked.append("apple")
        assert self.asked == ["apple"]

    @pytest.mark.asyncio
    async def test_pear(self):
        self.asked.append("pear")
        assert self.asked == ["pear"]
