"""The application of watched keys with a listener whose firings nobody guards."""

from qsuper.store import ledger
from qsuper.store.backend import Statement
from tests.acceptance.keys import watch_app

queue = watch_app.queue

_text = ledger._FIRE.text
ledger._FIRE = Statement(_text[: _text.index("AND (fired IS NULL")])
