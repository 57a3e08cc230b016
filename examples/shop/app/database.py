"""The database and its sessions."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

DATABASE_URL = "sqlite+aiosqlite:///shop.db"

engine = create_async_engine(DATABASE_URL)
make_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """What every table derives from."""


async def get_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session
