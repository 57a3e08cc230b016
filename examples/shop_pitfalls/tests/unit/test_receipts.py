"""The outbox and what runs in the background."""

import asyncio
import time

import pytest

from app.receipts import Outbox, send_receipt

pytestmark = pytest.mark.asyncio

LOCK = asyncio.Lock()


async def test_a_receipt_is_put_into_the_outbox():
    outbox = Outbox()
    send_receipt(outbox, 1)
    assert outbox.sent == []


async def test_a_receipt_is_delivered():
    outbox = Outbox()
    assert outbox.deliver("order 1")


@pytest.mark.usefixtures("courier")
async def test_a_receipt_is_sent_in_the_background(outbox):
    asyncio.create_task(send_receipt(outbox, 1))
    time.sleep(0.1)
    assert outbox.sent == []


@pytest.mark.usefixtures("courier")
async def test_the_worker_sends_everything(outbox):
    await send_receipt(outbox, 1)
    await asyncio.sleep(1)
    assert outbox.sent == ["order 1"]


@pytest.mark.usefixtures("courier")
async def test_the_worker_is_quick(outbox):
    started = time.monotonic()
    await send_receipt(outbox, 1)
    await outbox.queue.join()
    assert time.monotonic() - started < 3


async def test_a_worker_stops():
    worker = asyncio.create_task(Outbox().run())
    worker.cancel()
    assert worker.cancelled()


async def test_a_worker_runs():
    worker = asyncio.create_task(Outbox().run())


async def test_all_customers_get_a_receipt():
    outbox = Outbox()
    await asyncio.gather(*[send_receipt(None, number) for number in range(3)], return_exceptions=True)
    assert outbox.sent == []


async def test_some_customers_get_a_receipt():
    await asyncio.gather(send_receipt(None, 1), send_receipt(None, 2), return_exceptions=True)


@pytest.mark.usefixtures("courier")
async def test_a_receipt_is_sent_for_an_order(outbox):
    try:
        await asyncio.wait_for(outbox.queue.join(), timeout=1)
        assert outbox.sent == ["order 1"]
    except Exception:
        pass


async def test_a_receipt_is_sent_in_time(outbox):
    asyncio.timeout(1)
    await send_receipt(outbox, 1)


async def test_one_receipt_at_a_time(till):
    async with LOCK, till:
        await send_receipt(Outbox(), 1)


async def test_one_receipt_after_the_other(till):
    async with LOCK, till:
        await send_receipt(Outbox(), 2)
