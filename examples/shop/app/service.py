"""What the shop does."""

from collections.abc import Awaitable, Callable

from app.models import Order
from app.repository import Repository
from app.warehouse import Warehouse


class UnknownProduct(Exception):
    """Nothing of that name is sold here."""


class OutOfStock(Exception):
    """The warehouse has too little of it."""


class OrderService:
    def __init__(
        self, repository: Repository, warehouse: Warehouse, send_receipt: Callable[[int], Awaitable[None]]
    ) -> None:
        self.repository = repository
        self.warehouse = warehouse
        self.send_receipt = send_receipt

    async def place(self, name: str, quantity: int) -> Order:
        product = await self.repository.product(name)
        if product is None:
            raise UnknownProduct(name)
        if not await self.warehouse.reserve(name, quantity):
            raise OutOfStock(name)
        order = await self.repository.add_order(product, quantity)
        await self.send_receipt(order.id)
        return order
