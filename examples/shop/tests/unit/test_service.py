"""The service by itself, with mocks around it."""

import unittest
from unittest.mock import AsyncMock, MagicMock, create_autospec

import httpx
import pytest

from app.models import Order, Product
from app.repository import Repository
from app.service import OrderService, OutOfStock, UnknownProduct
from app.warehouse import Warehouse


@pytest.fixture
def repository():
    repository = create_autospec(Repository, instance=True)
    repository.product.return_value = Product(id=1, name="apple", price=3)
    repository.add_order.return_value = Order(id=7, product_id=1, quantity=2, total=6)
    return repository


@pytest.fixture
def warehouse():
    warehouse = create_autospec(Warehouse, instance=True)
    warehouse.reserve.return_value = True
    return warehouse


@pytest.fixture
def send_receipt():
    return AsyncMock(return_value=None)


@pytest.fixture
def service(repository, warehouse, send_receipt):
    return OrderService(repository, warehouse, send_receipt)


async def test_an_order_is_placed(service, send_receipt):
    order = await service.place("apple", 2)
    assert order.total == 6
    send_receipt.assert_awaited_once_with(7)


async def test_nothing_is_reserved_for_an_unknown_product(service, repository, warehouse):
    repository.product.return_value = None
    with pytest.raises(UnknownProduct):
        await service.place("pear", 1)
    warehouse.reserve.assert_not_awaited()


async def test_no_receipt_without_stock(service, warehouse, send_receipt):
    warehouse.reserve.return_value = False
    with pytest.raises(OutOfStock):
        await service.place("apple", 2)
    send_receipt.assert_not_awaited()


class WarehouseTests(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        response = MagicMock(spec=httpx.Response)
        response.json.return_value = {"reserved": True}
        self.client = AsyncMock(spec=httpx.AsyncClient)
        self.client.post.return_value = response
        self.warehouse = Warehouse(self.client)

    async def test_reserves(self):
        self.assertTrue(await self.warehouse.reserve("apple", 2))
        self.client.post.assert_awaited_once()


class TestBrokenWarehouse:
    @pytest.fixture(autouse=True)
    async def broken(self):
        self.asked = []

        def fail(request):
            self.asked.append(request.url.path)
            return httpx.Response(500)

        async with httpx.AsyncClient(transport=httpx.MockTransport(fail), base_url="http://warehouse.test") as client:
            self.warehouse = Warehouse(client)
            yield

    async def test_the_error_is_passed_on(self):
        with pytest.raises(httpx.HTTPStatusError):
            await self.warehouse.reserve("apple", 1)
        assert self.asked == ["/reservations"]

    async def test_it_is_asked_each_time(self):
        for _ in range(2):
            with pytest.raises(httpx.HTTPStatusError):
                await self.warehouse.reserve("apple", 1)
        assert self.asked == ["/reservations", "/reservations"]
