"""Which names may be of coroutine functions, and what is done with what they give: told without following a mock."""
