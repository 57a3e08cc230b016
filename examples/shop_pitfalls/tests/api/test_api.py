"""The API from the outside."""

import httpx
import pytest

from app.main import app, get_repository, get_warehouse

pytestmark = pytest.mark.asyncio


async def test_a_product_is_added(client):
    response = await client.post("/products", json={"name": "pear", "price": 4})
    assert response.status_code == 201


async def test_a_product_is_shown():
    async with httpx.AsyncClient(app=app, base_url="http://test") as client:
        response = await client.get("/products/pear")
    assert response.status_code == 200


async def test_the_description_names_the_orders():
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    response = await client.get("/openapi.json")
    assert "/orders" in response.json()["paths"]


async def test_the_body_is_json(client):
    response = await client.get("/products/pear")
    assert await response.json()


async def test_news_are_pushed(client):
    async with client.websocket_connect("/news") as socket:
        assert await socket.receive_text()


async def test_a_broken_database_is_an_error(client):
    app.dependency_overrides[get_repository] = lambda: None
    with pytest.raises(AttributeError):
        await client.get("/products/pear")


async def test_the_warehouse_is_not_asked_for_products(client):
    app.dependency_overrides[get_warehouse] = lambda: None
    response = await client.get("/products/pear")
    assert response.status_code == 404
    app.dependency_overrides.clear()
