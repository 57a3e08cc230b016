"""Where products and orders are kept."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Order, Product


class Repository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add_product(self, name: str, price: int) -> Product:
        product = Product(name=name, price=price)
        self.session.add(product)
        await self.session.flush()
        return product

    async def product(self, name: str) -> Product | None:
        result = await self.session.execute(select(Product).where(Product.name == name))
        return result.scalar_one_or_none()

    async def add_order(self, product: Product, quantity: int) -> Order:
        order = Order(product_id=product.id, quantity=quantity, total=product.price * quantity)
        self.session.add(order)
        await self.session.commit()
        return order

    async def number_of_orders(self) -> int:
        return await self.session.scalar(select(func.count()).select_from(Order)) or 0
