"""The outbox and what runs in the background."""

import asyncio
from contextlib import suppress

import pytest

from app.receipts import Outbox, send_receipt


@pytest.fixture
async def outbox():
    outbox = Outbox()
    worker = asyncio.create_task(outbox.run())
    yield outbox
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker


async def test_a_receipt_is_sent(outbox):
    async with asyncio.timeout(5):
        await send_receipt(outbox, 1)
        await outbox.queue.join()
    assert outbox.sent == ["order 1"]


async def test_receipts_of_several_customers(outbox):
    async with asyncio.timeout(5):
        async with asyncio.TaskGroup() as customers:
            for number in range(3):
                customers.create_task(send_receipt(outbox, number))
        await outbox.queue.join()
    assert sorted(outbox.sent) == ["order 0", "order 1", "order 2"]


async def test_nothing_is_sent_without_an_order(outbox):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.queue.get(), timeout=0.01)
    assert outbox.sent == []
