"""Classes of a few values."""

from __future__ import annotations

import pytest

from flake8_async_tests.record import NOTHING_BY_NAME, record, unique_record


@record
class Price:
    amount: int
    currency: str = "EUR"


@unique_record
class Label:
    text: str


def test_that_values_are_given_by_place_or_name_and_may_have_defaults() -> None:
    price = Price(3)
    assert (price.amount, price.currency) == (3, "EUR")
    assert Price(currency="SEK", amount=3).currency == "SEK"
    with pytest.raises(TypeError):
        Price()  # type: ignore[call-arg]


def test_that_records_are_equal_by_their_values_and_class() -> None:
    assert Price(3) == Price(3, "EUR")
    assert Price(3) != Price(4)
    others: object = (3, "EUR")
    assert Price(3) != others
    assert len({Price(3), Price(3), Price(4)}) == 2


def test_that_unique_records_are_equal_to_themselves_alone() -> None:
    label = Label("new")
    assert label == label
    assert label != Label("new")
    assert len({label, Label("new")}) == 2


def test_that_a_record_is_shown_with_its_values() -> None:
    assert repr(Price(3)) == "Price(amount=3, currency='EUR')"
    assert repr(Label("new")) == "Label(text='new')"


def test_that_nothing_by_name_cannot_be_filled() -> None:
    assert not NOTHING_BY_NAME
    with pytest.raises(TypeError):
        NOTHING_BY_NAME["x"] = 1  # type: ignore[index]
