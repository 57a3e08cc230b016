"""The warehouse, which speaks HTTP."""

import httpx


class Warehouse:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def reserve(self, product: str, quantity: int) -> bool:
        response = await self.client.post("/reservations", json={"product": product, "quantity": quantity})
        response.raise_for_status()
        return bool(response.json()["reserved"])
