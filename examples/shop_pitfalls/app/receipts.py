"""Receipts, which are sent while the customer already goes on."""

import asyncio


class Outbox:
    """Sends what is put into it, one message after the other."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.sent: list[str] = []

    async def run(self) -> None:
        while True:
            message = await self.queue.get()
            await self.deliver(message)
            self.queue.task_done()

    async def deliver(self, message: str) -> None:
        await asyncio.sleep(0.01)
        self.sent.append(message)


async def send_receipt(outbox: Outbox, order_id: int) -> None:
    await outbox.queue.put(f"order {order_id}")
