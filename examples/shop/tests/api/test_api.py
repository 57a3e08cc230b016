"""The API from the outside."""

import asyncio

import pytest


async def test_a_product_is_added_and_shown(client):
    response = await client.post("/products", json={"name": "pear", "price": 4})
    assert response.status_code == 201
    response = await client.get("/products/pear")
    assert response.json() == {"name": "pear", "price": 4}


async def test_an_order_is_placed(client, apple):
    response = await client.post("/orders", json={"product": "apple", "quantity": 2})
    assert response.status_code == 201
    assert response.json()["total"] == 6


@pytest.mark.parametrize(("product", "quantity", "status"), [("pear", 1, 404), ("apple", 99, 409)])
async def test_an_order_is_refused(client, apple, product, quantity, status):
    response = await client.post("/orders", json={"product": product, "quantity": quantity})
    assert response.status_code == status


async def test_products_are_shown_at_once(client, apple):
    async with asyncio.timeout(5):
        responses = await asyncio.gather(*(client.get("/products/apple") for _ in range(3)))
    assert [response.status_code for response in responses] == [200, 200, 200]


async def test_the_description_names_the_orders(client):
    response = await client.get("/openapi.json")
    assert "/orders" in response.json()["paths"]
