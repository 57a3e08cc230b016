"""The shop's API."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import get_session
from app.receipts import Outbox, send_receipt
from app.repository import Repository
from app.service import OrderService, OutOfStock, UnknownProduct
from app.warehouse import Warehouse

WAREHOUSE_URL = "https://warehouse.example"

app = FastAPI()


class NewProduct(BaseModel):
    name: str
    price: int


class NewOrder(BaseModel):
    product: str
    quantity: int


async def get_warehouse() -> AsyncIterator[Warehouse]:
    async with httpx.AsyncClient(base_url=WAREHOUSE_URL) as client:
        yield Warehouse(client)


async def get_outbox() -> Outbox:
    return Outbox()


async def get_repository(session: Annotated[AsyncSession, Depends(get_session)]) -> Repository:
    return Repository(session)


async def get_service(
    repository: Annotated[Repository, Depends(get_repository)],
    warehouse: Annotated[Warehouse, Depends(get_warehouse)],
    outbox: Annotated[Outbox, Depends(get_outbox)],
) -> OrderService:
    return OrderService(repository, warehouse, partial(send_receipt, outbox))


@app.post("/products", status_code=201)
async def add_product(new: NewProduct, repository: Annotated[Repository, Depends(get_repository)]) -> dict[str, str]:
    product = await repository.add_product(new.name, new.price)
    await repository.session.commit()
    return {"name": product.name}


@app.get("/products/{name}")
async def show_product(name: str, repository: Annotated[Repository, Depends(get_repository)]) -> dict[str, object]:
    product = await repository.product(name)
    if product is None:
        raise HTTPException(404)
    return {"name": product.name, "price": product.price}


@app.post("/orders", status_code=201)
async def place_order(new: NewOrder, service: Annotated[OrderService, Depends(get_service)]) -> dict[str, int]:
    try:
        order = await service.place(new.product, new.quantity)
    except UnknownProduct as error:
        raise HTTPException(404) from error
    except OutOfStock as error:
        raise HTTPException(409) from error
    return {"id": order.id, "total": order.total}
